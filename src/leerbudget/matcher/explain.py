"""Why this, why not that: reasons for every placement and every wish without one.

For the wishes without a place every session of their theme is looked at again (`obstacles`), beside the
plan as it is: the rules in the way become reasons, the single ones promises (`promises`). With prices of
seats (`pricing`) the reasons also say what a place cost and what it was worth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from leerbudget.matcher.arrays import EVERY_BIT, Arrays, Whole
from leerbudget.matcher.candidates import CandidateTable, PairFacts, criteria_facts, pair_facts
from leerbudget.matcher.criteria import first_placement
from leerbudget.matcher.criteria.criterion import Case
from leerbudget.matcher.criteria.weights import CRITERIA
from leerbudget.matcher.engine.model import Problem
from leerbudget.matcher.obstacles import NOTHING, RULES, Look, looks
from leerbudget.matcher.outcome import Outcome, Reason, Unplaced
from leerbudget.matcher.pricing import Prices, Reals
from leerbudget.matcher.promises import promises
from leerbudget.matcher.reasons import REASON_OF_RULE, why_not
from leerbudget.matcher.standing import Standing
from leerbudget.matcher.vocabulary import FACET_VALUES, Facet, LearningForm, TravelMode

MODES = tuple(TravelMode)
FORMS = tuple(LearningForm)
AUDIENCE = [(facet, value) for facet in Facet for value in FACET_VALUES[facet]]
CODES = (*(REASON_OF_RULE[rule] for rule in RULES), "not_better")
"""The reason a person reads, by the number of the first rule in the way."""

MONEY = RULES.index("money")
UNTOLD = 2**53


def placement_reasons(arrays: Arrays, table: CandidateTable, rows: Sequence[int], *, first: bool) -> list[list[Reason]]:
    """Per chosen candidate the criteria that speak for it. `first`: say why first placements went first."""
    if arrays.instance.candidates is not None:
        return [[Reason("given", "De score is bij deze ronde gegeven.", points=int(table.score[row]))] for row in rows]
    chosen = np.array(rows, np.int64)
    pairs = pair_facts(arrays, table.wish[chosen], table.session[chosen])
    facts = criteria_facts(arrays, pairs)
    columns = [criterion.points(facts, arrays.weights[criterion.name]).tolist() for criterion in CRITERIA]
    reasons = [
        [
            Reason(criterion.name, sentence, points=points)
            for criterion, points in zip(CRITERIA, row, strict=True)
            if (sentence := criterion.sentence(case)) is not None
        ]
        for case, *row in zip(_cases(arrays, pairs), *columns, strict=True)
    ]
    if first:
        for told, seeker in zip(reasons, table.seeker[chosen].tolist(), strict=True):
            told.extend(_first(arrays, seeker))
    return reasons


def _first(arrays: Arrays, seeker: int) -> list[Reason]:
    bonus = int(arrays.seekers.bonus[seeker])
    waited = arrays.instance.seekers[seeker].waiting_rounds
    return [Reason(first_placement.NAME, first_placement.sentence(waited), points=bonus)] if bonus else []


def _cases(arrays: Arrays, pairs: PairFacts) -> Iterator[Case]:
    """The placements in the words of the file."""
    wishes, sessions, seekers = arrays.wishes, arrays.sessions, arrays.seekers
    wish, session, mode = pairs.wish, pairs.session, pairs.mode
    seeker, forms, form = wishes.seeker[wish], wishes.forms[wish], sessions.form[session]
    columns = (
        wishes.rank[wish],
        wishes.urgent[wish] != 0,
        sessions.online[session],
        form,
        mode,
        pairs.minutes,
        np.where(mode >= 0, seekers.limits[mode, seeker], 0),
        np.diff(sessions.meetings.ptr)[session],
        pairs.calm,
        seekers.audience[seeker] & sessions.made_for[session],
        forms != EVERY_BIT,
        (forms >> form & 1) != 0,
    )
    made_for: dict[int, dict[Facet, list[str]]] = {}
    for rank, urgent, online, kind, way, minutes, limit, meetings, calm, suits, choosy, liked in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        if suits not in made_for:
            made_for[suits] = _made_for(suits)
        yield Case(
            rank=rank,
            urgent=urgent,
            online=online,
            form=FORMS[kind],
            mode=None if way < 0 else MODES[way],
            minutes=minutes,
            limit=limit,
            meetings=meetings,
            calm_meetings=calm,
            made_for=made_for[suits],
            has_form_preference=choosy,
            form_liked=liked,
        )


def _made_for(suits: int) -> dict[Facet, list[str]]:
    return {
        facet: [value for bit, (owner, value) in enumerate(AUDIENCE) if owner is facet and suits >> bit & 1]
        for facet in Facet
    }


def unplaced_wishes(problem: Problem, rows: Sequence[int], prices: Reals | None = None) -> list[Unplaced]:
    """Every wish that the plan leaves without a session, with its reasons.

    `rows`: the candidates of a plan that keeps every rule. `prices`: per candidate of the table what its
    seats are worth to others, in points (the dual prices of the bound; finite).
    """
    arrays, table = problem.arrays, problem.table
    taken = np.array(rows, np.int64)
    standing = Standing.of(arrays, table.wish[taken], table.session[taken])
    wishes = np.setdiff1d(np.arange(len(arrays.wishes.ids)), table.wish[taken])
    priced = None if prices is None else Prices.of(standing, table, wishes, prices)
    out = {} if priced is None else priced.priced_out()
    owners, ids, names = arrays.wishes.seeker.tolist(), arrays.seekers.ids, arrays.wishes.ids
    found: dict[int, Unplaced] = {}
    for look in looks(standing, wishes):
        helped = promises(arrays, look.near)
        for wish, reasons in _reasons(look, {} if priced is None else priced.closest(look)).items():
            found[wish] = Unplaced(ids[owners[wish]], names[wish], reasons, helped.get(wish, []), out.get(wish))
    nothing = [Reason("no_session_of_theme", why_not("no_session_of_theme"), sessions=0)]
    return [
        found[wish] if wish in found else Unplaced(ids[owners[wish]], names[wish], nothing) for wish in wishes.tolist()
    ]


def _reasons(look: Look, closest: dict[tuple[int, int], tuple[int, int]]) -> dict[int, list[Reason]]:
    """By wish how many sessions fell away on what; the reason that came closest first."""
    begins = np.diff(look.wish, prepend=-1) != 0
    wishes, at = look.wish[begins], np.cumsum(begins) - 1
    shape = len(wishes), NOTHING + 1
    counts = np.bincount(at * shape[1] + look.first, minlength=shape[0] * shape[1]).reshape(shape)
    cents = _least_missing(look, at, len(wishes))
    reasons: dict[int, list[Reason]] = {wish: [] for wish in wishes.tolist()}
    place, number = np.nonzero(counts)
    rows = zip(
        wishes[place].tolist(), number.tolist(), counts[place, number].tolist(), cents[place].tolist(), strict=True
    )
    for wish, rule, sessions, missing in reversed(list(rows)):
        short = missing if rule == MONEY else None
        price, worth = closest.get((wish, rule), (None, None))
        sentence = why_not(CODES[rule], short, price, worth)
        reasons[wish].append(Reason(CODES[rule], sentence, None, sessions, short, price, worth))
    return reasons


def _least_missing(look: Look, at: Whole, size: int) -> Whole:
    """By wish the fewest cents that were short where money was the reason."""
    cents = np.full(size, UNTOLD)
    short = look.first[look.near.rows] == MONEY
    np.minimum.at(cents, at[look.near.rows[short]], look.near.cents[short])
    return cents


@dataclass(frozen=True, slots=True)
class LookAgain:
    """A wish that could have paid the price of a place and has none.

    `missed_points`: how much more the place was worth than it cost; 0 when no reason tells its price.
    """

    seeker: str
    wish: str
    missed_points: int
    unplaced: Unplaced


def review_list(outcome: Outcome) -> list[LookAgain]:
    """Whom a person looks at again: the wishes that are not priced out, who missed most first."""
    unlucky = [
        LookAgain(one.seeker, one.wish, max(map(_missed, one.reasons), default=0), one)
        for one in outcome.unplaced
        if one.priced_out is False
    ]
    return sorted(unlucky, key=lambda one: (-one.missed_points, one.seeker, one.wish))


def _missed(reason: Reason) -> int:
    if reason.worth_points is None or reason.price_points is None:
        return 0
    return max(0, reason.worth_points - reason.price_points)
