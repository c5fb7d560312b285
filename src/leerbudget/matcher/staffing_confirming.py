"""From proposal to roster: people accept, decline, drop and add; the log shows what they made of the proposal (R60).

A trainer who declines gives no reason and loses nothing: the pair is not proposed again, and the points of
every other pair stay what they were (R61).
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

import msgspec
from msgspec.structs import replace

from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import Id
from leerbudget.matcher.outcome import Whole
from leerbudget.matcher.staffing import Role, Staffing, StaffingOutcome, staffing_fingerprint
from leerbudget.matcher.staffing_contradictions import check

DIFFERENCE_FORMAT: Literal["leerbudget-staffing-difference/1"] = "leerbudget-staffing-difference/1"


class Verdict(StrEnum):
    """What people decide: trainer and team agree; the trainer declines; the team drops it; the team adds its own."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    DROPPED = "dropped"
    ADDED = "added"


class Decision(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One decision about one trainer and one session. There is no field for a reason, on purpose."""

    trainer: Id
    session: Id
    role: Role
    verdict: Verdict


class Replaced(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A place for which people chose somebody else than was proposed."""

    session: Id
    role: Role
    proposed: Id
    chosen: Id


class StaffingDifference(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Proposal against what people made of it: (trainer, session, role) each.

    `kept`: proposed and confirmed. `removed`: proposed, not confirmed, and nobody else for the place.
    `added`: confirmed where nobody was proposed. `kept_share`: of what was newly proposed.
    """

    format: Literal["leerbudget-staffing-difference/1"]
    kept: list[tuple[Id, Id, Role]]
    replaced: list[Replaced]
    removed: list[tuple[Id, Id, Role]]
    added: list[tuple[Id, Id, Role]]
    proposed: Whole
    kept_share: float


def confirmed(staffing: Staffing, outcome: StaffingOutcome, decisions: Sequence[Decision]) -> Staffing:
    """The staffing after these decisions, ready for the next proposal; what nobody decided on stays open.

    Accepted and added assignments are fixed, declined and dropped ones never proposed again.

    Raises:
        InstanceRefused: the outcome answers another staffing, a decision is not about the proposal or comes
            twice, or what was added breaks a hard rule; with the place in the list of decisions or the file.
    """
    if outcome.staffing != staffing_fingerprint(staffing):
        raise InstanceRefused("$.staffing", "the proposal answers another staffing")
    _check(outcome, decisions)
    by_verdict: dict[Verdict, list[Decision]] = {verdict: [] for verdict in Verdict}
    for decision in decisions:
        by_verdict[decision.verdict].append(decision)
    firm = [(d.trainer, d.session, d.role) for d in by_verdict[Verdict.ACCEPTED] + by_verdict[Verdict.ADDED]]
    taken_back = {(d.trainer, d.session, d.role) for d in by_verdict[Verdict.DECLINED] + by_verdict[Verdict.DROPPED]}
    after = replace(
        staffing,
        fixed=list(dict.fromkeys([row for row in staffing.fixed if row not in taken_back] + firm)),
        declined=_with(staffing.declined, by_verdict[Verdict.DECLINED]),
        forbidden=_with(staffing.forbidden, by_verdict[Verdict.DROPPED]),
    )
    check(after)
    return after


def _with(pairs: Sequence[tuple[str, str]], decisions: Sequence[Decision]) -> list[tuple[str, str]]:
    return list(dict.fromkeys([*pairs, *((d.trainer, d.session) for d in decisions)]))


def _check(outcome: StaffingOutcome, decisions: Sequence[Decision]) -> None:
    proposed = {(a.trainer, a.session, a.role) for a in outcome.assignments}
    seen: set[tuple[str, str]] = set()
    for i, d in enumerate(decisions):
        if (d.trainer, d.session) in seen:
            raise InstanceRefused(f"$[{i}]", "there are two decisions about this trainer and session")
        seen.add((d.trainer, d.session))
        if d.verdict is not Verdict.ADDED and (d.trainer, d.session, d.role) not in proposed:
            raise InstanceRefused(f"$[{i}]", "this was not proposed")


def difference(proposal: StaffingOutcome, final: Staffing) -> StaffingDifference:
    """What people made of a proposal; what was confirmed before it is left out."""
    before = {(a.trainer, a.session, a.role) for a in proposal.assignments if a.fixed}
    offered = [row for a in proposal.assignments if (row := (a.trainer, a.session, a.role)) not in before]
    firm = [row for row in final.fixed if row not in before]
    kept = sorted(set(offered) & set(firm))
    open_offers = sorted(set(offered) - set(firm))
    others = sorted(set(firm) - set(offered))
    replaced = []
    for trainer, session, role in list(open_offers):
        other = next((row for row in others if row[1:] == (session, role)), None)
        if other is not None:
            replaced.append(Replaced(session, role, proposed=trainer, chosen=other[0]))
            open_offers.remove((trainer, session, role))
            others.remove(other)
    return StaffingDifference(
        format=DIFFERENCE_FORMAT,
        kept=kept,
        replaced=replaced,
        removed=open_offers,
        added=others,
        proposed=len(offered),
        kept_share=round(len(kept) / max(1, len(offered)), 4),
    )
