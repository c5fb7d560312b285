"""`leerbudget payments …`: what waits for its money, what came in, and whether payment services say the same as we do."""

import sys
from datetime import datetime
from uuid import UUID

import click
import msgspec

from leerbudget.entrypoints.cli.bank import BANK_COMMANDS
from leerbudget.entrypoints.cli.with_database import with_database
from leerbudget.foundation.ids import new_id
from leerbudget.foundation.money import CENTS_MAX, euros
from leerbudget.foundation.settings import Settings
from leerbudget.payments import actions, asking, choosing, queries, reconciling
from leerbudget.payments.queries import TopUpView
from leerbudget.payments.rules import readable

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def payments() -> None:
    """What waits for its money, what came in, and whether payment services say the same as we do."""


for command in BANK_COMMANDS:
    payments.add_command(command)


@payments.command("list")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, one list.")
def list_(*, as_json: bool) -> None:
    """List the top-ups that were announced and whose money is not confirmed, the oldest first."""
    waiting = with_database(queries.open_top_ups, role="reader")
    if as_json:
        click.echo(msgspec.json.encode([_plain(each) for each in waiting]).decode())
        return
    for each in waiting:
        click.echo(f"{readable(each.reference)}  {euros(each.amount_cents):>16}  {each.organisation_name}")
    click.echo(f"{len(waiting)} waiting", err=True)


def _plain(top_up: TopUpView) -> dict[str, object]:
    names = ("id", "organisation", "organisation_name", "amount_cents", "reference", "purchase_order", "requested_at")
    return {name: getattr(top_up, name) for name in names}


@payments.command("confirm-top-up")
@click.argument("reference")
@click.option(
    "--amount-cents", type=click.IntRange(1, CENTS_MAX), required=True, help="Exactly what came in, in euro cents."
)
@click.option("--received-on", type=DAY, required=True, help="The day on which it came in.")
def confirm_top_up(reference: str, *, amount_cents: int, received_on: datetime) -> None:
    """Confirm that the money with this payment reference came in. Again, with the same day, has no effect.

    Nothing is credited when another amount came in than was announced.
    """
    day = received_on.date()
    top_up = with_database(
        lambda: actions.confirm_by_reference(reference, day, amount_cents=amount_cents, actor=None), role="app"
    )
    click.echo(f"confirmed: {euros(amount_cents)} for top-up {top_up}")


@payments.command()
def reconcile() -> None:
    """Ask payment services what may have been missed, and compare their books with ours; exit code 1 when they differ."""
    gateways = choosing.gateways(Settings.from_environment(), manual=None)
    found = with_database(lambda: reconciling.reconcile(gateways))
    for sentence in found.differences:
        click.echo(sentence)
    click.echo(
        f"messages that were lost: {found.messages}, fresh facts: {found.facts}, lines compared: {found.lines},"
        f" differences: {len(found.differences)}",
        err=True,
    )
    sys.exit(1 if found.differences else 0)


@payments.command()
@click.argument("payment", type=click.UUID)
@click.option("--amount-cents", type=click.IntRange(1, CENTS_MAX), required=True, help="How much goes back.")
@click.option("--id", "refund", type=click.UUID, help="Of this refund: the same one again has no effect.")
def refund(payment: UUID, *, amount_cents: int, refund: UUID | None) -> None:
    """Give money of a top-up back to who paid it, out of the organisation's pot."""
    gateways = choosing.gateways(Settings.from_environment(), manual=None)
    made = refund or new_id()
    with_database(
        lambda: asking.refund_top_up(payment, amount_cents, id=made, gateways=gateways, actor=None), role="app"
    )
    click.echo(f"refund {made}: {euros(amount_cents)}")


@payments.command()
@click.argument("organisation", type=click.UUID)
@click.option("--reason", required=True, help="Why, for an auditor.")
def trust(organisation: UUID, *, reason: str) -> None:
    """Let this organisation's direct debits count at once, without waiting until they cannot be called back."""
    with_database(lambda: actions.trust(organisation, reason, id=new_id(), actor=None), role="app")
    click.echo("trusted")


@payments.command("end-trust")
@click.argument("organisation", type=click.UUID)
def end_trust(organisation: UUID) -> None:
    """Let this organisation's direct debits wait again."""
    with_database(lambda: actions.end_trust(organisation, actor=None), role="app")
    click.echo("not trusted")
