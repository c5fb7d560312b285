"""Two outcomes of one round side by side: who gains and who loses, as counts of groups and never by name.

It compares two policies, the engine with a baseline, and a plan with the plan after a change: then `moves`
tells how many proposals families would see move.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from leerbudget.matcher.arrays import Arrays, Whole, arrays_of
from leerbudget.matcher.fairness import FairnessTable, possible_of, table_of
from leerbudget.matcher.groups import Dimension, Members, dimensions, hidden, is_family, members
from leerbudget.matcher.instance import Instance, fingerprint
from leerbudget.matcher.outcome import Outcome, Placement, gap_of

Flags = NDArray[np.bool_]


class Total(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One outcome in figures.

    `answers`: it was made for this very instance. `left_out`: placements that name what is not in the
    instance; nothing below counts them. `gap_to_best`: to the lowest bound of the two, when both answer
    this instance.
    """

    answers: bool
    left_out: int
    families_served: int
    others_served: int
    placements: int
    sessions_running: int
    score: int
    bound: int
    gap: float
    gap_to_best: float | None
    budget_cents: int
    own_contribution_cents: int


class Fourfold(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How many of those with a wish have a place in both outcomes, in one of them, or in neither."""

    both: int
    only_one: int
    only_other: int
    neither: int


class Moves(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Wishes with the same session in both, another session, none any more, or one only now."""

    kept: int
    moved: int
    lost: int
    gained: int


class GroupChange(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Families of a group for whom the other outcome changes something; null where a group is not shown.

    `gains_place` and `loses_place`: a first place. `better` and `worse`: served in both, with more or fewer
    points for all its placements together.
    """

    value: str
    label_nl: str
    families: int | None = None
    gains_place: int | None = None
    loses_place: int | None = None
    better: int | None = None
    worse: int | None = None
    hidden: bool = False


class ChangeGroups(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The changes by the groups of one dimension."""

    name: str
    label_nl: str
    lines: list[GroupChange]


class Comparison(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """From `one` to `other`. `open_moves`: the moves without what the instance fixes; the stability report."""

    one: Total
    other: Total
    families: Fourfold
    others: Fourfold
    moves: Moves
    open_moves: Moves
    changes: list[ChangeGroups]
    fairness_one: FairnessTable
    fairness_other: FairnessTable


@dataclass(frozen=True, slots=True)
class Side:
    """An outcome by the rows of the instance. `place`: the session of every placed wish."""

    outcome: Outcome
    answers: bool
    known: list[Placement]
    place: dict[tuple[str, str], str]
    served: Flags
    points: Whole


def compare(instance: Instance, one: Outcome, other: Outcome) -> Comparison:
    """What changes from one outcome to the other.

    Either may come from an earlier form of the round: what it names that is not in this instance is
    left out and counted.
    """
    arrays = arrays_of(instance)
    possible = possible_of(arrays)
    made_for = fingerprint(instance)
    sides = tuple(_side(arrays, outcome, made_for) for outcome in (one, other))
    first, second = sides
    best = min(one.bound, other.bound) if first.answers and second.answers else None
    families = np.array([is_family(seeker) for seeker in instance.seekers], bool)
    wishing = np.bincount(arrays.wishes.seeker, minlength=len(families)) > 0
    fixed = {(seeker, wish) for seeker, wish, _ in instance.fixed}
    return Comparison(
        one=_total(first, families, best),
        other=_total(second, families, best),
        families=_fourfold(first, second, families & wishing),
        others=_fourfold(first, second, ~families & wishing),
        moves=_moves(first.place, second.place),
        open_moves=_moves(_without(first.place, fixed), _without(second.place, fixed)),
        changes=_changes(instance, first, second),
        fairness_one=table_of(arrays, one, possible),
        fairness_other=table_of(arrays, other, possible),
    )


def _side(arrays: Arrays, outcome: Outcome, made_for: str) -> Side:
    rows, sessions = arrays.wishes.row, arrays.sessions.row
    known = [p for p in outcome.placements if (p.seeker, p.wish) in rows and p.session in sessions]
    seeker = np.array([arrays.seekers.row[p.seeker] for p in known], np.int64)
    points = np.zeros(len(arrays.seekers.ids), np.int64)
    np.add.at(points, seeker, np.array([p.score for p in known], np.int64))
    return Side(
        outcome=outcome,
        answers=outcome.instance is None or outcome.instance == made_for,
        known=known,
        place={(p.seeker, p.wish): p.session for p in known},
        served=np.bincount(seeker, minlength=len(points)) > 0,
        points=points,
    )


def _total(side: Side, families: Flags, best: int | None) -> Total:
    outcome = side.outcome
    return Total(
        answers=side.answers,
        left_out=len(outcome.placements) - len(side.known),
        families_served=int((side.served & families).sum()),
        others_served=int((side.served & ~families).sum()),
        placements=len(side.known),
        sessions_running=sum(report.runs for report in outcome.sessions),
        score=outcome.score,
        bound=outcome.bound,
        gap=outcome.gap,
        gap_to_best=None if best is None else gap_of(outcome.score, best),
        budget_cents=sum(cents for p in side.known for _, cents in p.payment),
        own_contribution_cents=sum(p.own_contribution_cents for p in side.known),
    )


def _fourfold(one: Side, other: Side, among: Flags) -> Fourfold:
    return Fourfold(
        both=int((one.served & other.served & among).sum()),
        only_one=int((one.served & ~other.served & among).sum()),
        only_other=int((~one.served & other.served & among).sum()),
        neither=int((~one.served & ~other.served & among).sum()),
    )


def _without(place: Mapping[tuple[str, str], str], wishes: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    left_out = set(wishes)
    return {wish: session for wish, session in place.items() if wish not in left_out}


def _moves(one: Mapping[tuple[str, str], str], other: Mapping[tuple[str, str], str]) -> Moves:
    shared = one.keys() & other.keys()
    kept = sum(one[wish] == other[wish] for wish in shared)
    return Moves(kept, len(shared) - kept, len(one) - len(shared), len(other) - len(shared))


def _changes(instance: Instance, one: Side, other: Side) -> list[ChangeGroups]:
    both = one.served & other.served
    flags = (
        ~one.served & other.served,
        one.served & ~other.served,
        both & (other.points > one.points),
        both & (other.points < one.points),
    )
    return [
        ChangeGroups(dimension.name, dimension.label_nl, _lines(dimension, members(instance, dimension), flags))
        for dimension in dimensions()
    ]


def _lines(dimension: Dimension, groups: Members, flags: Sequence[Flags]) -> list[GroupChange]:
    unseen = hidden({value: len(rows) for value, rows in groups.items()}, once=dimension.once)
    lines = []
    for value, rows in groups.items():
        label = dimension.label(value)
        if value in unseen:
            lines.append(GroupChange(value, label, hidden=True))
        else:
            gains, loses, better, worse = (int(flag[rows].sum()) for flag in flags)
            lines.append(GroupChange(value, label, len(rows), gains, loses, better, worse))
    return lines
