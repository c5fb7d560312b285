"""`leerbudget grants …`: above which amount an organisation wants a second person."""

import click

from leerbudget.budgets import approvals
from leerbudget.entrypoints.cli.with_database import with_database
from leerbudget.foundation.errors import NotFound
from leerbudget.foundation.money import CENTS_MAX, euros
from leerbudget.people.queries import organisation_ids


@click.group()
def grants() -> None:
    """Grants of learning budgets: the limit above which a second person decides."""


@grants.command()
@click.argument("organisation_ref")
@click.option("--cents", type=click.IntRange(0, CENTS_MAX), help="The limit in euro cents, per login and day.")
@click.option("--none", "never", is_flag=True, help="No limit: nobody needs a colleague.")
def limit(organisation_ref: str, *, cents: int | None, never: bool) -> None:
    """Set the limit of the organisation with this own number. What was asked before keeps waiting.

    Raises:
        UsageError: neither or both of --cents and --none.
    """
    if (cents is None) is not never:
        raise click.UsageError("Give --cents or --none.")

    async def work() -> None:
        found = await organisation_ids([organisation_ref])
        if organisation_ref not in found:
            raise NotFound
        await approvals.set_limit(found[organisation_ref], cents, actor=None)

    with_database(work, role="app")
    click.echo("no limit" if cents is None else f"limit: {euros(cents)}")
