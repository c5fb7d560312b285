"""The answer for one late-comer: which sessions fit now, by the same rules and the same points as a round.

`Catalogue` is made once; a question then takes milliseconds. Seats, childcare places and parties are as the
sessions say (`seats_taken`), plus an outcome's placements when there is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from leerbudget.matcher.arrays import Arrays, SessionArrays, arrays_of, session_arrays
from leerbudget.matcher.candidates import CandidateTable, candidates_of
from leerbudget.matcher.explain import placement_reasons
from leerbudget.matcher.hard_rules import Placed, Rulebook, by_seeker, by_session
from leerbudget.matcher.instance import Instance
from leerbudget.matcher.outcome import Outcome, Reason


@dataclass(frozen=True, slots=True)
class Catalogue:
    """An instance with its sessions ready for many questions, and who already has a place."""

    instance: Instance
    sessions: SessionArrays
    rules: Rulebook
    of_seeker: dict[str, list[Placed]]
    of_session: dict[str, list[Placed]]

    @staticmethod
    def of(instance: Instance, outcome: Outcome | None = None) -> "Catalogue":
        """The catalogue of an instance; with an outcome its placements hold their seats."""
        placed = [] if outcome is None else [Placed(p.seeker, p.wish, p.session) for p in outcome.placements]
        rules = Rulebook.of(instance)
        return Catalogue(instance, session_arrays(instance.sessions), rules, by_seeker(placed), by_session(placed))


class Suggestion(msgspec.Struct, frozen=True):
    """A session that one wish could have now. `runs`: with this seeker it reaches its minimum."""

    wish: str
    session: str
    score: int
    runs: bool
    seats_left: int
    reasons: list[Reason]


def suggest(catalogue: Catalogue, seeker: str, most: int = 10) -> list[Suggestion]:
    """The best sessions for a seeker's wishes that have no place yet, best first; at most so many per wish.

    A session that still waits for its minimum is suggested as well, after those that run.

    Raises:
        KeyError: there is no such seeker.
    """
    stated = catalogue.rules.seekers[seeker]
    alone = msgspec.structs.replace(
        catalogue.instance,
        seekers=[stated],
        fixed=[],
        forbidden=[pair for pair in catalogue.instance.forbidden if pair[0] == seeker],
        candidates=_own(catalogue.instance, seeker),
    )
    arrays = arrays_of(alone, catalogue.sessions)
    table = candidates_of(arrays)
    rows = [row for row in range(len(table)) if _fits(catalogue, arrays, table, row)]
    return _best(catalogue, arrays, table, rows, most)


def _own(instance: Instance, seeker: str) -> list[tuple[str, str, str, int]] | None:
    return None if instance.candidates is None else [c for c in instance.candidates if c[0] == seeker]


def _placed(arrays: Arrays, table: CandidateTable, row: int) -> Placed:
    wish, session = table.wish[row], table.session[row]
    return Placed(arrays.seekers.ids[0], arrays.wishes.ids[wish], arrays.sessions.ids[session])


def _fits(catalogue: Catalogue, arrays: Arrays, table: CandidateTable, row: int) -> bool:
    """Whether there is room beside everybody who has a place; a group that is still too small is fine."""
    placed = _placed(arrays, table, row)
    mine = catalogue.of_seeker.get(placed.seeker, [])
    if any(other.wish == placed.wish for other in mine):
        return False
    others = catalogue.of_session.get(placed.session, [])
    breaches = {
        *(breach.code for breach in catalogue.rules.of_seeker(placed.seeker, [*mine, placed])),
        *(breach.code for breach in catalogue.rules.of_session(placed.session, [*others, placed])),
    }
    return breaches <= {"minimum", "party_min", "party_spread"}


def _best(
    catalogue: Catalogue, arrays: Arrays, table: CandidateTable, rows: Sequence[int], most: int
) -> list[Suggestion]:
    found = []
    for row, reasons in zip(rows, placement_reasons(arrays, table, rows, first=False), strict=True):
        placed = _placed(arrays, table, row)
        everybody = [*catalogue.of_session.get(placed.session, []), placed]
        session = catalogue.rules.sessions[placed.session]
        seats = session.seats_taken + sum(len(catalogue.rules.persons(p)) for p in everybody)
        runs = catalogue.rules.runs(placed.session, everybody)
        left = session.seats_max - seats
        found.append(Suggestion(placed.wish, placed.session, int(table.score[row]), runs, left, reasons))
    found.sort(key=lambda s: (not s.runs, -s.score, s.wish, s.session))
    per_wish: dict[str, int] = {}
    kept = []
    for suggestion in found:
        per_wish[suggestion.wish] = per_wish.get(suggestion.wish, 0) + 1
        if per_wish[suggestion.wish] <= most:
            kept.append(suggestion)
    return kept
