"""Two ways of placing without weighing everybody against everybody: what a matching round is compared with.

Both keep every hard rule and give an ordinary outcome that the audit accepts, without reasons. Their bound is
the trivial one of `roster.best_by_itself`; take the engine's bound to judge how far they are from the best.
"""

import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from leerbudget.matcher.arrays import arrays_of
from leerbudget.matcher.candidates import candidates_of
from leerbudget.matcher.engine.money import waterfall
from leerbudget.matcher.instance import Instance, fingerprint
from leerbudget.matcher.outcome import FORMAT, Outcome, Placement, SessionReport, Unplaced, gap_of
from leerbudget.matcher.roster import Book, Roster, best_by_itself

Payment = tuple[list[tuple[str, int]], int]
CLOSED_TOGETHER = 10
"""So many sessions that do not run are closed at once, or half of them when there are more."""


def first_come_first_served(instance: Instance, seed: int = 0) -> Outcome:
    """What happens without a round: the fastest gets the seat.

    Families arrive one by one, in a random order by seed. Each books, of the sessions that still fit, the one
    with most points, then the next, up to its maximum. Afterwards a session under its minimum, and a dialogue
    whose parties do not add up, is cancelled; its families are not booked again.

    Ignores: who waited longest, who has no place yet, who has another possibility, and whether a group will
    run. Who completes a group with fixed people goes first.

    Raises:
        InstanceRefused: a group with fixed people does not run this way.
    """
    began = time.perf_counter()
    book = _book(instance)
    choices = book.by_seeker()
    roster = Roster(book)
    arrivals = _drawn(len(instance.seekers), seed)
    roster.complete_fixed(row for seeker in arrivals for row in choices.get(seeker, ()))
    for seeker in arrivals:
        for row in choices.get(seeker, ()):
            if roster.suits(row, roster.of_seeker.get(seeker, ())) and roster.admits(row):
                roster.add(row)
    for session in roster.incomplete():
        roster.cancel(session)
    return _outcome(roster, seed, began)


def deferred_acceptance(instance: Instance, seed: int = 0) -> Outcome:
    """Proposals in rounds (Gale and Shapley 1962): families propose, sessions keep who has priority.

    In every round each family proposes to the sessions with most points that it has not been refused by, up
    to its maximum. A session keeps who waited most rounds, then who drew the first lot (by seed), as far as
    its seats, parties, childcare and company allow; the rest is refused for good. When nobody proposes any
    more, the sessions that do not run are closed and everything starts again without them.

    Ignores: what the places are worth to the other families (a refused family with one possibility counts as
    much as one with ten), that a second place of one family costs another its first, and what a seat is worth
    later: a couple refused for want of one seat does not return when two come free, and a family does not
    give up a place it holds. So with couples and several wishes the result need not be stable in the sense
    of the theory. Who completes a group with fixed people goes first.

    Raises:
        InstanceRefused: a group with fixed people does not run this way.
    """
    began = time.perf_counter()
    book = _book(instance)
    choices = book.by_seeker()
    lot = {seeker: place for place, seeker in enumerate(_drawn(len(instance.seekers), seed))}
    order = sorted(lot, key=lambda seeker: (-instance.seekers[seeker].waiting_rounds, lot[seeker]))
    priority = {seeker: place for place, seeker in enumerate(order)}
    closed: set[int] = set()
    while True:
        roster = Roster(book)
        roster.closed |= closed
        roster.complete_fixed(row for seeker in order for row in choices.get(seeker, ()))
        _propose(roster, choices, priority)
        weak = [session for session in roster.incomplete() if not _has_kept(roster, session)]
        if not weak:
            break
        closed |= _weakest(roster, weak)
    for session in roster.incomplete():
        roster.cancel(session)
    return _outcome(roster, seed, began)


WAYS: Mapping[str, Callable[[Instance, int], Outcome]] = {
    "first_come": first_come_first_served,
    "deferred": deferred_acceptance,
}
"""The baselines by their name on the command line."""


def _book(instance: Instance) -> Book:
    arrays = arrays_of(instance)
    return Book.of(arrays, candidates_of(arrays))


def _drawn(count: int, seed: int) -> list[int]:
    """The numbers below `count` in the order of a lottery."""
    order: list[int] = np.random.default_rng(seed).permutation(count).tolist()
    return order


def _propose(roster: Roster, choices: Mapping[int, list[int]], priority: Mapping[int, int]) -> None:
    """Rounds of proposals until nobody has anything left to propose."""
    book = roster.book
    untried = {u: [row for row in rows if book.session[row] not in roster.closed] for u, rows in choices.items()}
    pending: Iterable[int] = list(untried)
    while pending:
        asked: dict[int, list[int]] = {}
        for seeker in pending:
            for row in _wanted(roster, seeker, untried[seeker]):
                asked.setdefault(book.session[row], []).append(row)
        turned_away = [row for session, rows in asked.items() for row in _choose(roster, session, rows, priority)]
        for row in turned_away:
            untried[book.seeker[row]].remove(row)
        pending = sorted({book.seeker[row] for row in turned_away})


def _wanted(roster: Roster, seeker: int, untried: list[int]) -> list[int]:
    """What this seeker proposes beside what it holds."""
    book = roster.book
    mine = list(roster.of_seeker.get(seeker, ()))
    held, placed = len(mine), {book.wish[row] for row in mine}
    for row in untried:
        if len(mine) >= book.most[seeker]:
            break
        if book.wish[row] not in placed and roster.suits(row, mine):
            mine.append(row)
            placed.add(book.wish[row])
    return mine[held:]


def _choose(roster: Roster, session: int, asking: list[int], priority: Mapping[int, int]) -> list[int]:
    """Let the session keep, of who is there and who asks, those with priority; who is turned away."""
    if _all_fit(roster, asking):
        return []
    free = [row for row in roster.of_session.get(session, ()) if row not in roster.kept]
    for row in free:
        roster.remove(row)
    turned_away = []
    for row in sorted([*free, *asking], key=lambda row: (priority[roster.book.seeker[row]], row)):
        if roster.admits(row):
            roster.add(row)
        else:
            turned_away.append(row)
    return turned_away


def _all_fit(roster: Roster, asking: list[int]) -> bool:
    """Add all who ask when there is room for all; else nobody."""
    for place, row in enumerate(asking):
        if not roster.admits(row):
            for added in asking[:place]:
                roster.remove(added)
            return False
        roster.add(row)
    return True


def _has_kept(roster: Roster, session: int) -> bool:
    return any(row in roster.kept for row in roster.of_session[session])


def _weakest(roster: Roster, weak: list[int]) -> set[int]:
    """The half that lacks most: the others may still fill up with who is sent on. The last few go together."""
    ordered = sorted(weak, key=lambda session: (-roster.lacks(session), session))
    return set(ordered[: max(CLOSED_TOGETHER, (len(ordered) + 1) // 2)])


def _outcome(roster: Roster, seed: int, began: float) -> Outcome:
    instance, book = roster.book.arrays.instance, roster.book
    rows = roster.rows()
    placements = _placements(roster, rows)
    bonus = book.arrays.seekers.bonus
    score = sum(book.score[row] for row in rows) + sum(int(bonus[u]) for u in {book.seeker[row] for row in rows})
    bound = best_by_itself(book)
    placed = {book.wish[row] for row in rows}
    wishes = ((seeker.id, wish.id) for seeker in instance.seekers for wish in seeker.wishes)
    return Outcome(
        format=FORMAT,
        placements=placements,
        unplaced=[Unplaced(seeker=u, wish=w) for number, (u, w) in enumerate(wishes) if number not in placed],
        sessions=[
            SessionReport(id=offered.id, runs=not roster.lacks(session), seats=roster.seats[session])
            for session, offered in enumerate(instance.sessions)
        ],
        score=score,
        bound=bound,
        gap=gap_of(score, bound),
        seconds={"all": round(time.perf_counter() - began, 3)},
        seed=seed,
        instance=fingerprint(instance),
    )


def _placements(roster: Roster, rows: list[int]) -> list[Placement]:
    book, everybody = roster.book, roster.book.arrays.instance.seekers
    persons = [wish.persons for seeker in everybody for wish in seeker.wishes]
    payments = _payments(roster)
    return [
        Placement(
            seeker=everybody[book.seeker[row]].id,
            wish=book.arrays.wishes.ids[book.wish[row]],
            session=book.arrays.sessions.ids[book.session[row]],
            persons=list(persons[book.wish[row]]),
            score=book.score[row],
            payment=payments[row][0],
            own_contribution_cents=payments[row][1],
        )
        for row in rows
    ]


def _payments(roster: Roster) -> dict[int, Payment]:
    """Per chosen candidate what each budget pays; a seeker's sessions are paid in the order in which they start."""
    book, paid = roster.book, {}
    starts, ids = book.arrays.sessions.starts_on, book.arrays.sessions.ids
    for seeker, mine in roster.of_seeker.items():
        budgets = book.arrays.instance.seekers[seeker].budgets
        ordered = sorted(mine, key=lambda row: (int(starts[book.session[row]]), ids[book.session[row]]))
        bills = [(book.cents[row], book.payers[row]) for row in ordered]
        for row, payment in zip(ordered, waterfall(budgets, bills), strict=True):
            paid[row] = [(budgets[purse].id, cents) for purse, cents in payment.shares], payment.own_cents
    return paid
