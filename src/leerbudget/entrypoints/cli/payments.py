"""`leerbudget payments …`: the top-ups that wait for their money, and confirming them from a bank statement."""

from datetime import datetime

import click
import msgspec

from leerbudget.entrypoints.cli.with_database import with_database
from leerbudget.foundation.money import CENTS_MAX, euros
from leerbudget.payments import actions, queries
from leerbudget.payments.queries import TopUpView
from leerbudget.payments.rules import readable

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def payments() -> None:
    """Top-ups: what waits for its money, and what came in at the bank."""


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
