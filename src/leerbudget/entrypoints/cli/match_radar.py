"""`leerbudget match radar` and `leerbudget match what-if`: what a planner or a funder could add to a round.

The answers hold euros and counts of at least five families, never an id of anybody (docs/vraagradar.md).
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leerbudget.entrypoints.cli.files import file_argument
from leerbudget.entrypoints.cli.match_files import (
    instance_in,
    outcome_in,
    progress,
    sigterm_interrupts,
    tell_json,
)
from leerbudget.entrypoints.cli.values import FiniteRange
from leerbudget.matcher.day_parts import name_nl
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.reasons import euros
from leerbudget.matcher.vocabulary import FORM_NL, THEME_NL, Theme

if TYPE_CHECKING:
    from leerbudget.matcher.radar import Proposal, Radar
    from leerbudget.matcher.radar_extra import Extra
    from leerbudget.matcher.radar_what_if import Estimate, WhatIf

ORDERS = ("per_euro", "families")
RULES = ("shortage", "equal")
"""The values of `radar.Order` and `radar_extra.Rule`; those modules are slow to import, so they are here as well."""
FEW = "minder dan 5"
themes_option = click.option(
    "--theme",
    "themes",
    type=click.Choice([theme.value for theme in Theme]),
    multiple=True,
    help="Only this theme; may be given several times.",
)


class Digits(click.ParamType[str]):
    """The first digits of a postcode."""

    name = "digits"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The digits, or a refusal."""
        if len(value) > 4 or not all(sign in "0123456789" for sign in value):
            self.fail(f"{value!r} is not the beginning of a postcode, such as 35 or 3511.", param, ctx)
        return value


class Euros(click.ParamType[int]):
    """An amount in euros, such as 5000 or 1250.50, as cents."""

    name = "amount"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The cents, or a refusal."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]{1,7})(?:[.,]([0-9]{2}))?", value)
        if found is None:
            self.fail(f"{value!r} is not an amount such as 5000 or 1250.50, below ten million.", param, ctx)
        return int(found[1]) * 100 + int(found[2] or 0)


region_option = click.option(
    "--region",
    type=Digits(),
    default="",
    help="First digits of the postcode, such as 35 (default: everywhere).",
)


@click.command("radar")
@click.argument("instance", type=file_argument)
@click.argument("outcome", type=file_argument)
@click.option("--most", type=click.IntRange(1, 100), default=10, show_default=True, help="At most so many proposals.")
@click.option("--least", type=click.IntRange(1, 1000), default=5, show_default=True, help="No group of fewer families.")
@click.option("--order", type=click.Choice(ORDERS), default="per_euro", show_default=True, help="What is best.")
@click.option("--first-places", is_flag=True, help="Count only families that have no place yet.")
@region_option
@themes_option
@click.option("--json", "as_json", is_flag=True, help="The whole answer as one JSON object.")
def radar(
    *,
    instance: Path,
    outcome: Path,
    most: int,
    least: int,
    order: str,
    first_places: bool,
    region: str,
    themes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Propose new sessions that serve most of the families that wait after OUTCOME."""
    from leerbudget.matcher.radar import Options, Order
    from leerbudget.matcher.radar import radar as searched

    question, answer = instance_in(instance), outcome_in(outcome)
    options = Options(most, least, region, frozenset(map(Theme, themes)) or None, Order(order), first_places)
    try:
        found = searched(question, answer, options)
    except InstanceRefused as refusal:
        raise click.UsageError(str(refusal)) from None
    tell_json(found) if as_json else _tell_radar(found)


def _tell_radar(found: "Radar") -> None:
    waiting = _families(found.families_waiting)
    click.echo(f"{waiting} wachten met een wens zonder plek.")
    for number, proposal in enumerate(found.proposals, 1):
        _tell_proposal(number, proposal)
    if not found.proposals:
        click.echo("Geen nieuwe bijeenkomst bereikt met deze grenzen een groep.")
        return
    total = f"Samen {_families(found.families)} voor {euros(found.cost_cents)}"
    click.echo(
        f"{total}; met zoveel bijeenkomsten uit deze lijst kunnen het er nooit meer dan {found.families_at_most} zijn."
    )


def _tell_proposal(number: int, proposal: "Proposal") -> None:
    place = "online" if proposal.place is None else f"{proposal.place} ({proposal.pc4})"
    first = proposal.meetings[0][0]
    click.echo(f"{number}. {THEME_NL[proposal.theme]}, {FORM_NL[proposal.form]}, {place}")
    times = f"{len(proposal.meetings)} keer op {name_nl(proposal.day_part)}, vanaf {first:%d-%m-%Y %H:%M}"
    click.echo(f"   {times}; {proposal.seats_min} tot {proposal.seats_max} plekken, zoals cursus {proposal.course}")
    price = f"{euros(proposal.price_cents)} per persoon, {euros(proposal.cost_cents)} voor alle plekken"
    ratio = "" if proposal.families_per_1000_euro is None else f", {proposal.families_per_1000_euro} per € 1.000"
    click.echo(f"   {_families(proposal.families)} kunnen komen{ratio.replace('.', ',', 1) if ratio else ''}; {price}")
    if proposal.average_travel_minutes is not None:
        click.echo(f"   gemiddeld ongeveer {proposal.average_travel_minutes} minuten reizen")


def _families(count: int | None) -> str:
    return f"{FEW if count is None else count} gezinnen"


@click.command("what-if")
@click.argument("instance", type=file_argument)
@click.argument("outcome", type=file_argument)
@click.option("--euros", "cents", type=Euros(), help="So much extra money, such as 5000 or 1250.50.")
@click.option("--rule", type=click.Choice(RULES), default="shortage", show_default=True, help="How it is handed out.")
@click.option("--seats", type=click.IntRange(1, 1000), help="So many seats more in every session at a place.")
@click.option("--childcare", type=click.IntRange(1, 1000), help="So many places per age band more in every session.")
@region_option
@themes_option
@click.option("--quick", is_flag=True, help="Only an estimate, without running the round again (with --euros).")
@click.option("--seconds", type=FiniteRange(0.1, 86_400), default=60.0, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 2), default=0, show_default=True)
@click.option("--gap", type=FiniteRange(0, 1), default=1e-4, show_default=True, help="Proven gap to stop at.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="At most so many cores.")
@click.option("--json", "as_json", is_flag=True, help="The whole answer as one JSON object.")
def what_if(
    *,
    instance: Path,
    outcome: Path,
    cents: int | None,
    rule: str,
    seats: int | None,
    childcare: int | None,
    region: str,
    themes: tuple[str, ...],
    quick: bool,
    seconds: float,
    seed: int,
    gap: float,
    workers: int,
    as_json: bool,
) -> None:
    """Run the round of INSTANCE again with extra money, seats or childcare, and compare it with OUTCOME."""
    from leerbudget.matcher import radar_what_if
    from leerbudget.matcher.radar_extra import ExtraChildcare, ExtraMoney, ExtraSeats, Rule
    from leerbudget.matcher.solving import Limits

    about = list(map(Theme, themes)) or None
    extra = _extra(
        None if cents is None else ExtraMoney(cents, region, about, Rule(rule)),
        None if seats is None else ExtraSeats(seats, region, about),
        None if childcare is None else ExtraChildcare(childcare, region, about),
    )
    question, answer = instance_in(instance), outcome_in(outcome)
    try:
        if quick:
            if not isinstance(extra, ExtraMoney) or extra.rule is Rule.EQUAL:
                raise click.UsageError("--quick only estimates --euros, handed out by shortage")
            quickly = radar_what_if.estimate(question, answer, extra)
            tell_json(quickly) if as_json else _tell_estimate(quickly)
            return
        limits = Limits(seconds=seconds, gap=gap, seed=seed, workers=workers)
        with sigterm_interrupts():
            found = radar_what_if.what_if(question, answer, extra, limits, progress())
    except InstanceRefused as refusal:
        raise click.UsageError(str(refusal)) from None
    tell_json(found) if as_json else _tell_what_if(found)


def _extra(money: "Extra | None", seats: "Extra | None", childcare: "Extra | None") -> "Extra":
    """What is added; exactly one kind."""
    kinds = [kind for kind in (money, seats, childcare) if kind is not None]
    if len(kinds) != 1:
        raise click.UsageError("give one of --euros, --seats and --childcare")
    return kinds[0]


def _tell_estimate(found: "Estimate") -> None:
    click.echo(f"Schatting, zonder de ronde opnieuw te draaien: voor {_families(found.families)} is dan een plek vrij.")
    click.echo(f"Aanvulling voor {_families(found.topped_up)}, samen {_money(found.cents_given)}.")


def _tell_what_if(found: "WhatIf") -> None:
    before, after = _count(found.before.families), _count(found.after.families)
    click.echo(f"Gezinnen met een plek: {before} zonder, {after} met.")
    click.echo(f"Verschil: {_count(found.extra_families)} in de hele ronde, {_count(found.in_region)} in de regio.")
    click.echo(f"Plekken: {_count(found.before.placements)} zonder, {_count(found.after.placements)} met.")
    if found.topped_up is None or found.cents_left is not None:
        click.echo(f"Aangevuld: {_families(found.topped_up)}, samen {_money(found.cents_given)};")
        click.echo(f"daarvan gebruikt {_money(found.cents_used)}; over {_money(found.cents_left)}.")
        if found.cents_per_extra_family is not None:
            click.echo(f"Per extra gezin {euros(found.cents_per_extra_family)}.")
    for region, families in found.regions.items():
        click.echo(f"  {region}: {families:+d}")
    if found.chance_families:
        click.echo(
            f"Beter zoeken alleen had zonder de aanvulling al ongeveer {found.chance_families} gezinnen kunnen schelen."
        )


def _count(count: int | None) -> str:
    return "niet te zeggen (minder dan 5 gezinnen)" if count is None else str(count)


def _money(cents: int | None) -> str:
    return "een bedrag dat wij niet noemen (minder dan 5 gezinnen)" if cents is None else euros(cents)


COMMANDS = (radar, what_if)
