"""The judge of every outcome: recomputes each hard rule, each payment, the score and every promise.

Independent of the engine and of the candidates: it shares the formats, the points of the criteria and the
travel minutes with them, nothing else. An outcome without violations may be published; one violation and
it may not.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NamedTuple

import msgspec
import numpy as np

from leerbudget.matcher.cards import SessionCard
from leerbudget.matcher.collecting import no_collecting
from leerbudget.matcher.criteria import first_placement
from leerbudget.matcher.criteria.criterion import PERMILLE, Facts
from leerbudget.matcher.criteria.weights import score, weights_of
from leerbudget.matcher.day_parts import local_date
from leerbudget.matcher.hard_rules import Placed, Rulebook, by_seeker, by_session, covers, made_for
from leerbudget.matcher.instance import Instance, Interval, Seeker, SeekerPerson, fingerprint
from leerbudget.matcher.outcome import (
    AcceptOnline,
    ArrangeSitter,
    Change,
    FreeBlocked,
    FreeDayParts,
    MorePlacements,
    Outcome,
    PayMore,
    Placement,
    TravelFarther,
    gap_of,
)
from leerbudget.matcher.rooms import Room
from leerbudget.matcher.vocabulary import ChildcareNeed, TravelMode

OUTCOME_CODES = {
    "other_instance": "the outcome answers another instance",
    "unknown_id": "every seeker, wish, session and budget is in the instance",
    "persons_apart": "all persons of a wish together or not at all",
    "fixed": "what is fixed stays",
    "payment_earmark": "a budget pays only for its themes",
    "payment_expired": "a budget pays only for sessions that start before it expires",
    "payment_overspent": "a budget pays no more than it has",
    "payment_sum": "budgets and own contribution pay exactly price times persons",
    "own_contribution": "no more own contribution than the seeker agreed to, all placements together",
    "score_placement": "the score of a placement is what the criteria give",
    "score_total": "the total is the sum of the placements and the bonuses",
    "bound": "the bound is not below the score",
    "gap": "the gap follows from score and bound",
    "session_report": "runs and seats are what the placements make of them",
    "unplaced": "every wish is placed or reported as unplaced, once",
    "would_have_helped": "the promised change makes the placement possible without taking anyone's place",
}
"""What the audit checks beside `hard_rules.CODES`, by violation code."""


Groups = tuple[list[Placed], dict[str, list[Placed]], dict[str, list[Placed]]]
"""All placements in their order, and the same by seeker and by session."""


class Violation(NamedTuple):
    """Something wrong: a stable code, the place in the outcome's file, and what was found."""

    code: str
    path: str
    message: str


@no_collecting()
def audit(instance: Instance, outcome: Outcome) -> list[Violation]:
    """Everything that is wrong with an outcome; an empty list means it keeps all rules."""
    if outcome.instance is not None and outcome.instance != fingerprint(instance):
        return [Violation("other_instance", "$.instance", "the fingerprint is of another instance")]
    rules = Rulebook.of(instance)
    unknown = list(_unknown_ids(rules, outcome))
    if unknown:
        return unknown
    rules.learn_ways(_pairs(outcome))
    placed = placed_of(outcome)
    groups = placed, by_seeker(placed), by_session(placed)
    rooms = {session: rules.room(session, groups[2].get(session, ())) for session in rules.sessions}
    return [
        *_hard_rules(rules, outcome, groups, rooms),
        *_fixed(instance, placed),
        *_payments(rules, outcome),
        *_scores(instance, rules, outcome),
        *_reports(instance, outcome, rooms),
        *_promises(rules, outcome, groups, rooms),
    ]


def _pairs(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Every seeker and session that the outcome speaks of together."""
    for p in outcome.placements:
        yield p.seeker, p.session
    for u in outcome.unplaced:
        for helped in u.would_have_helped:
            yield u.seeker, helped.session


def placed_of(outcome: Outcome) -> list[Placed]:
    """The ids of all placements, in their order."""
    return [Placed(p.seeker, p.wish, p.session) for p in outcome.placements]


def _unknown_ids(rules: Rulebook, outcome: Outcome) -> Iterator[Violation]:
    seekers, sessions, cards = rules.seekers, rules.sessions, rules.cards
    for i, p in enumerate(outcome.placements):
        if p.seeker not in seekers or p.wish not in cards[p.seeker].wishes or p.session not in sessions:
            yield Violation("unknown_id", f"$.placements[{i}]", "seeker, wish or session is not in the instance")
        elif any(budget not in cards[p.seeker].budgets for budget, _ in p.payment):
            yield Violation("unknown_id", f"$.placements[{i}].payment", "not a budget of this seeker")
    for i, u in enumerate(outcome.unplaced):
        if u.seeker not in seekers or u.wish not in cards[u.seeker].wishes:
            yield Violation("unknown_id", f"$.unplaced[{i}]", "seeker or wish is not in the instance")
        elif any(helped.session not in sessions for helped in u.would_have_helped):
            yield Violation("unknown_id", f"$.unplaced[{i}].would_have_helped", "the session is not in the instance")
    for i, report in enumerate(outcome.sessions):
        if report.id not in sessions:
            yield Violation("unknown_id", f"$.sessions[{i}]", "the session is not in the instance")


def _hard_rules(rules: Rulebook, outcome: Outcome, groups: Groups, rooms: dict[str, Room]) -> Iterator[Violation]:
    placements, of_seeker, of_session = groups
    number = {placed: i for i, placed in enumerate(placements)}
    for i, (placed, p) in enumerate(zip(placements, outcome.placements, strict=True)):
        stated = rules.wish(placed).persons
        if p.persons != stated and sorted(p.persons) != sorted(stated):
            yield Violation("persons_apart", f"$.placements[{i}].persons", "not exactly the persons of the wish")
        for code, message in rules.of_placement(placed):
            yield Violation(code, f"$.placements[{number[placed]}]", message)
    for seeker, group in of_seeker.items():
        for code, message in rules.of_seeker(seeker, group):
            yield Violation(code, f"$.placements[{number[group[-1]]}]", f"seeker {seeker}: {message}")
    for session, group in of_session.items():
        for code, message in rooms[session].breaches():
            yield Violation(code, f"$.placements[{number[group[-1]]}]", f"session {session}: {message}")


def _fixed(instance: Instance, placements: list[Placed]) -> Iterator[Violation]:
    placed = set(placements)
    for triple in instance.fixed:
        if triple not in placed:
            yield Violation("fixed", "$.placements", f"the fixed placement {list(triple)} is not there")


def _payments(rules: Rulebook, outcome: Outcome) -> Iterator[Violation]:
    spent: dict[tuple[str, str], int] = {}
    own: dict[str, int] = {}
    for i, p in enumerate(outcome.placements):
        card, offer, path = rules.cards[p.seeker], rules.offers[p.session], f"$.placements[{i}].payment"
        own[p.seeker] = own.get(p.seeker, 0) + p.own_contribution_cents
        for budget_id, cents in p.payment:
            spent[p.seeker, budget_id] = spent.get((p.seeker, budget_id), 0) + cents
            budget = card.budgets[budget_id]
            if budget.themes is not None and offer.session.theme not in budget.themes:
                yield Violation("payment_earmark", path, f"budget {budget_id} is not for {offer.session.theme}")
            elif not covers(budget, offer):
                yield Violation("payment_expired", path, f"budget {budget_id} expires on {budget.expires_on}")
        due = offer.session.price_cents * len(card.goes[p.wish])
        paid = sum(cents for _, cents in p.payment) + p.own_contribution_cents
        if paid != due:
            yield Violation("payment_sum", path, f"{paid} cents are paid, {due} are due")
    for (seeker_id, budget_id), cents in spent.items():
        budget = rules.cards[seeker_id].budgets[budget_id]
        if cents > budget.available_cents:
            message = f"budget {budget_id} of seeker {seeker_id} pays {cents} of {budget.available_cents} cents"
            yield Violation("payment_overspent", "$.placements", message)
    for seeker_id, cents in own.items():
        if cents > rules.seekers[seeker_id].own_contribution_cents_max:
            yield Violation("own_contribution", "$.placements", f"seeker {seeker_id} pays {cents} cents itself")


def _scores(instance: Instance, rules: Rulebook, outcome: Outcome) -> Iterator[Violation]:
    weights = weights_of(instance)
    expected = placement_scores(rules, outcome.placements, weights)
    for i, (p, points) in enumerate(zip(outcome.placements, expected, strict=True)):
        if p.score != points:
            yield Violation("score_placement", f"$.placements[{i}].score", f"{p.score}, the criteria give {points}")
    served = {p.seeker for p in outcome.placements}
    total = sum(expected) + sum(first_placement.bonus(rules.seekers[seeker], weights) for seeker in served)
    if outcome.score != total:
        yield Violation("score_total", "$.score", f"{outcome.score}, the placements give {total}")
    if outcome.bound < outcome.score:
        yield Violation("bound", "$.bound", f"{outcome.bound} is below the score {outcome.score}")
    if not abs(outcome.gap - gap_of(outcome.score, outcome.bound)) <= 1e-6:
        yield Violation("gap", "$.gap", f"{outcome.gap}, score and bound give {gap_of(outcome.score, outcome.bound)}")


def placement_scores(rules: Rulebook, placements: list[Placement], weights: dict[str, int]) -> list[int]:
    """The points of every placement, by the criteria or as the instance gives them."""
    placed = [Placed(p.seeker, p.wish, p.session) for p in placements]
    if rules.given is not None:
        return [rules.given.get(triple, 0) for triple in placed]
    return [int(points) for points in score(facts_of(rules, placed), weights)]


def facts_of(rules: Rulebook, placed: list[Placed]) -> Facts:
    """What the criteria look at, gathered one placement at a time."""
    rows = np.array([_fact_row(rules, triple) for triple in placed], np.int64).reshape(len(placed), 10)
    return Facts(
        rank=rows[:, 0],
        urgent=rows[:, 1],
        online=rows[:, 2],
        travel_share=rows[:, 3],
        calm_share=rows[:, 4],
        form_liked=rows[:, 5],
        made_for=rows[:, 6:].T,
    )


def _fact_row(rules: Rulebook, placed: Placed) -> list[int]:
    card, offer = rules.cards[placed.seeker], rules.offers[placed.session]
    wish = card.wishes[placed.wish]
    share = rules.travel_share(card, offer)
    calm = calm_meetings(offer, card.goes[placed.wish])
    calm_share = calm * PERMILLE // len(offer.dates) if offer.dates else PERMILLE
    liked = wish.forms is None or offer.session.form in wish.forms
    travel_share = PERMILLE if share is None else share
    return [wish.rank, wish.urgent, offer.venue is None, travel_share, calm_share, liked, *made_for(card, offer)]


def calm_meetings(offer: SessionCard, persons: list[SeekerPerson]) -> int:
    """How many meetings start on a date (Amsterdam) on which nobody who goes has anything blocked."""
    if not any(person.blocked for person in persons):
        return len(offer.dates)
    moment = timedelta(microseconds=1)
    busy = [(local_date(since), local_date(until - moment)) for person in persons for since, until in person.blocked]
    return sum(not any(first <= day <= last for first, last in busy) for day in offer.dates)


def _reports(instance: Instance, outcome: Outcome, rooms: dict[str, Room]) -> Iterator[Violation]:
    reported = [report.id for report in outcome.sessions]
    if sorted(reported) != sorted(rooms):
        yield Violation("session_report", "$.sessions", "every session is reported once")
    for i, report in enumerate(outcome.sessions):
        room = rooms[report.id]
        if report.seats != room.seats:
            yield Violation("session_report", f"$.sessions[{i}].seats", f"{report.seats}, there are {room.seats}")
        if report.runs != room.runs():
            yield Violation("session_report", f"$.sessions[{i}].runs", f"{report.runs} is not so")
    wishes = {(seeker.id, wish.id) for seeker in instance.seekers for wish in seeker.wishes}
    told = [(p.seeker, p.wish) for p in outcome.placements] + [(u.seeker, u.wish) for u in outcome.unplaced]
    if set(told) != wishes:
        yield Violation("unplaced", "$.unplaced", "a wish is neither placed nor reported as unplaced")
    if len(outcome.unplaced) + len(set(told[: len(outcome.placements)])) != len(wishes):
        yield Violation("unplaced", "$.unplaced", "a wish is reported more than once, or placed and unplaced")


def _promises(rules: Rulebook, outcome: Outcome, groups: Groups, rooms: dict[str, Room]) -> Iterator[Violation]:
    _, of_seeker, of_session = groups
    for i, u in enumerate(outcome.unplaced):
        mine = of_seeker.get(u.seeker, [])
        for j, helped in enumerate(u.would_have_helped):
            wanted, room = Placed(u.seeker, u.wish, helped.session), rooms[helped.session]
            changed = applied(helped.change, rules, wanted)
            card = rules.cards[u.seeker].restated(changed)
            if u.seeker in room.names:
                room = rules.with_seeker(changed).room(helped.session, of_session[helped.session])
            breaches = [
                *rules.of_one(card, rules.offers[helped.session], u.wish),
                *rules.of_all(card, [*mine, wanted]),
                *room.joined(card, u.wish).breaches(),
            ]
            if breaches:
                path = f"$.unplaced[{i}].would_have_helped[{j}]"
                yield Violation("would_have_helped", path, f"it still breaks {breaches[0].code}: {breaches[0].message}")


def applied(change: Change, rules: Rulebook, wanted: Placed) -> Seeker:  # noqa: PLR0911 - one return per kind of change
    """The seeker as it would be after the change. Only this seeker changes; the policy stays."""
    seeker, replace = rules.seekers[wanted.seeker], msgspec.structs.replace
    match change:
        case TravelFarther(mode=mode, minutes=minutes):
            return replace(seeker, travel_minutes_max=seeker.travel_minutes_max | {TravelMode(mode): minutes})
        case AcceptOnline():
            return replace(seeker, online_ok=True)
        case PayMore(cents=cents):
            return replace(seeker, own_contribution_cents_max=seeker.own_contribution_cents_max + cents)
        case MorePlacements(max_placements=most):
            return replace(seeker, max_placements=most)
        case ArrangeSitter():
            return replace(seeker, childcare_need=ChildcareNeed.OWN_SITTER)
        case FreeDayParts(day_parts=parts):
            return _with_persons(seeker, rules, wanted, lambda person: _freed(person, parts))
        case FreeBlocked():
            meetings = rules.sessions[wanted.session].meetings
            return _with_persons(seeker, rules, wanted, lambda person: _unblocked(person, meetings))


def _with_persons(
    seeker: Seeker, rules: Rulebook, wanted: Placed, change: Callable[[SeekerPerson], SeekerPerson]
) -> Seeker:
    goes = {person.id for person in rules.persons(wanted)}
    persons = [change(person) if person.id in goes else person for person in seeker.persons]
    return msgspec.structs.replace(seeker, persons=persons)


def _freed(person: SeekerPerson, day_parts: list[int]) -> SeekerPerson:
    bits = "".join("1" if place in day_parts else bit for place, bit in enumerate(person.availability))
    return msgspec.structs.replace(person, availability=bits)


def _unblocked(person: SeekerPerson, meetings: list[Interval]) -> SeekerPerson:
    kept = [
        (since, until)
        for since, until in person.blocked
        if not any(start < until and since < end for start, end in meetings)
    ]
    return msgspec.structs.replace(person, blocked=kept)
