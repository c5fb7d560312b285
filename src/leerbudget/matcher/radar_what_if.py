"""What would more money, seats or childcare do: the round is run again with it, and the two are compared.

The answer equals a run of `solving.solve` on `radar_extra.with_extra` with the same limits and seed. It has
euros and counts of at least five families (R79), never an id.
"""

from collections import Counter
from typing import Literal

import msgspec

from leerbudget.matcher.criteria import first_placement
from leerbudget.matcher.criteria.weights import weights_of
from leerbudget.matcher.groups import is_family
from leerbudget.matcher.instance import Instance
from leerbudget.matcher.outcome import Outcome
from leerbudget.matcher.radar_cells import told, told_part, told_spread
from leerbudget.matcher.radar_demand import refuse_other
from leerbudget.matcher.radar_extra import Extra, ExtraMoney, Grant, Rule, extra_id, grants, with_extra
from leerbudget.matcher.solving import Limits, Progress, nothing, solve

FORMAT: Literal["leerbudget-what-if/1"] = "leerbudget-what-if/1"
UNKNOWN = "onbekend"


class Served(msgspec.Struct, frozen=True):
    """Families with at least one place, and places in all; None: it would tell of fewer than five."""

    families: int | None
    placements: int | None


class WhatIf(msgspec.Struct, frozen=True):
    """A round without and with the extra. None: the number would tell of fewer than five families.

    `extra_families`: families with a place, after minus before, in the whole round; `in_region`: those of the
    region. `topped_up`: families that were given money; `cents_given` in all, `cents_used` paid from it in the
    new outcome, `cents_left` never handed out. `estimated_families`: the quick estimate (`Estimate`).
    `regions`: change by the first two digits of the postcode. `gap_before` and `gap_after` say how far each
    outcome can be from the best; `chance_families` is about how many families a better search alone could
    have added to the outcome before: so much of the change may be chance (None: families have no bonus).
    """

    format: Literal["leerbudget-what-if/1"]
    extra: Extra
    before: Served
    after: Served
    extra_families: int | None
    in_region: int | None
    topped_up: int | None
    cents_given: int | None
    cents_used: int | None
    cents_left: int | None
    cents_per_extra_family: int | None
    estimated_families: int | None
    regions: dict[str, int]
    gap_before: float
    gap_after: float
    chance_families: int | None
    seed: int


class Estimate(msgspec.Struct, frozen=True):
    """A quick estimate of what extra money does, without a new run: a floor rather than a guess.

    `families`: families without a place that the money reaches and for whom a seat is free beside everybody
    who has one; None also when the money is handed out equally, which no estimate foresees. A new run may
    serve more (groups that now come about, others that move) or, within its gap, fewer. `topped_up`: all
    families that would be given money.
    """

    families: int | None
    topped_up: int | None
    cents_given: int | None


def what_if(
    instance: Instance, outcome: Outcome, extra: Extra, limits: Limits | None = None, progress: Progress = nothing
) -> WhatIf:
    """The round once more, with the extra, beside the outcome without it.

    Raises:
        InstanceRefused: the outcome is of another instance.
    """
    refuse_other(instance, outcome)
    limits = Limits() if limits is None else limits
    given = grants(instance, outcome, extra) if isinstance(extra, ExtraMoney) else []
    after = solve(with_extra(instance, outcome, extra), limits, progress)
    return compared(instance, outcome, after, extra, given)


def estimate(instance: Instance, outcome: Outcome, extra: ExtraMoney) -> Estimate:
    """What the money would do at least on paper, in seconds.

    Raises:
        InstanceRefused: the outcome is of another instance.
    """
    refuse_other(instance, outcome)
    given = grants(instance, outcome, extra)
    return Estimate(_sure(extra, given), told(len(given)), _cents_told(given, sum(grant.cents for grant in given)))


def compared(instance: Instance, before: Outcome, after: Outcome, extra: Extra, given: list[Grant]) -> WhatIf:
    """The answer from the two outcomes."""
    had, have = _served(instance, before), _served(instance, after)
    change = Counter(have)
    change.subtract(had)
    more = sum(change.values())
    cents = sum(grant.cents for grant in given)
    users, used = _used(instance, after, given)
    placements = len(after.placements) - len(before.placements)
    hidden = told(more) is None
    return WhatIf(
        format=FORMAT,
        extra=extra,
        before=Served(told(sum(had.values())), told(len(before.placements))),
        after=Served(
            None if hidden else told(sum(have.values())),
            None if hidden or told(placements) is None else told(len(after.placements)),
        ),
        extra_families=told(more),
        in_region=_in_region(instance, before, after, extra.region, hidden=hidden),
        topped_up=told(len(given)),
        cents_given=_cents_told(given, cents),
        cents_used=None if told(users) is None else used,
        cents_left=_cents_told(given, extra.cents - cents) if isinstance(extra, ExtraMoney) else None,
        cents_per_extra_family=None if hidden or more <= 0 or told(users) in {None, 0} else -(-used // more),
        estimated_families=_sure(extra, given),
        regions={} if hidden else told_spread({region: count for region, count in change.items() if count}),
        gap_before=before.gap,
        gap_after=after.gap,
        chance_families=_by_chance(instance, before),
        seed=after.seed,
    )


def _by_chance(instance: Instance, before: Outcome) -> int | None:
    """What is left between score and bound, in first places."""
    bonus = weights_of(instance)[first_placement.NAME]
    return max(0, before.bound - before.score) // bonus if bonus else None


def _sure(extra: Extra, given: list[Grant]) -> int | None:
    """Families for whom a seat is free."""
    if not isinstance(extra, ExtraMoney) or extra.rule is Rule.EQUAL:
        return None
    return told_part(sum(grant.sure for grant in given), len(given))


def _cents_told(given: list[Grant], cents: int) -> int | None:
    """Money, unless it went to so few families that it says what one of them lacked."""
    return None if told(len(given)) is None else cents


def _served(instance: Instance, outcome: Outcome) -> Counter[str]:
    """Families with a place, by the first two digits of the postcode."""
    placed = {placement.seeker for placement in outcome.placements}
    families = [seeker for seeker in instance.seekers if seeker.id in placed and is_family(seeker)]
    return Counter(UNKNOWN if family.pc4 is None else family.pc4[:2] for family in families)


def _in_region(instance: Instance, before: Outcome, after: Outcome, region: str, *, hidden: bool) -> int | None:
    """The change in the region; hidden when it, or what is outside of it, would tell of few families."""
    homes = {s.id: s.pc4 or "" for s in instance.seekers if is_family(s)}
    had, have = ({p.seeker for p in outcome.placements} & homes.keys() for outcome in (before, after))
    inside = sum(homes[seeker].startswith(region) for seeker in have)
    inside -= sum(homes[seeker].startswith(region) for seeker in had)
    outside = len(have) - len(had) - inside
    return None if hidden or told(outside) is None else told(inside)


def _used(instance: Instance, after: Outcome, given: list[Grant]) -> tuple[int, int]:
    """How many families are paid for from the extra budgets in the outcome with them, and how many cents."""
    got = {grant.seeker for grant in given}
    extra = {(seeker.id, extra_id(seeker)) for seeker in instance.seekers if seeker.id in got}
    paid = [(p.seeker, cents) for p in after.placements for budget, cents in p.payment if (p.seeker, budget) in extra]
    return len({seeker for seeker, _ in paid}), sum(cents for _, cents in paid)
