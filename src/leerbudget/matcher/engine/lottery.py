"""Ties by lot: who is served and who is not, among those for whom a place counts exactly the same."""

from collections.abc import Iterator

import numpy as np

from leerbudget.matcher.engine.plan import Plan


def drawn(plan: Plan, seed: int) -> list[int]:
    """The chosen candidates after the lots of this seed, with the same score; the plan changes along.

    Every seeker has a lot. In each session, from the highest lot down, a seeker without any place takes the
    place of a served seeker with a lower lot when their placements count the same (points and bonus), bring the
    same people to the same parties, and every rule still holds.
    """
    board = plan.board
    lots = np.random.default_rng(seed).permutation(len(board.purses)).tolist()
    for session in sorted(plan.of_session):
        for row in sorted(_waiting(plan, session), key=lambda row: -lots[board.seeker[row]]):
            _take_turn(plan, row, lots)
    return sorted(plan.chosen)


def _waiting(plan: Plan, session: int) -> Iterator[int]:
    """Candidates of a session whose seekers have no place at all, when they count as much as somebody who has one."""
    board = plan.board
    kinds = {_kind(plan, row) for row in plan.of_session[session] if _replaceable(plan, row)}
    first, last = board.session_rows[0][session], board.session_rows[0][session + 1]
    for row in board.session_rows[1][first:last].tolist():
        if not plan.of_seeker.get(board.seeker[row]) and _kind(plan, row) in kinds:
            yield row


def _kind(plan: Plan, row: int) -> tuple[int, tuple[int, ...]]:
    board = plan.board
    worth = board.score[row] + board.bonus[board.seeker[row]]
    return worth, tuple(board.voices[board.wish[row]])


def _replaceable(plan: Plan, row: int) -> bool:
    return row not in plan.fixed and len(plan.of_seeker[plan.board.seeker[row]]) == 1


def _take_turn(plan: Plan, row: int, lots: list[int]) -> None:
    """Give the candidate the place of the lowest lot among its equals, when that lot is lower and the rules hold."""
    board = plan.board
    if plan.of_seeker.get(board.seeker[row]):
        return
    equals = [
        other
        for other in plan.of_session[board.session[row]]
        if _replaceable(plan, other)
        and _kind(plan, other) == _kind(plan, row)
        and lots[board.seeker[other]] < lots[board.seeker[row]]
    ]
    for other in sorted(equals, key=lambda other: lots[board.seeker[other]]):
        plan.remove(other)
        if plan.obstacle(row) is None:
            plan.add(row)
            return
        plan.add(other)
