"""`leerbudget migrate` and `leerbudget doctor`."""

import json
import logging

import click

from leerbudget.bookings import queries as bookings
from leerbudget.budgets import queries as budgets
from leerbudget.budgets.earmarks import lost_earmarks
from leerbudget.entrypoints.cli.with_database import run_until_told, with_database
from leerbudget.foundation.backup import log_troubles
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.logbook import configure_logging
from leerbudget.foundation.running import migrate as migrate_database
from leerbudget.foundation.running import running_database
from leerbudget.foundation.settings import Settings
from leerbudget.ledger import queries as ledger
from leerbudget.payments import queries as payments


@click.command()
def migrate() -> None:
    """Bring the database up to date; safe to run again and by several at once."""
    settings = Settings.from_environment()
    configure_logging(settings.environment, level=logging.WARNING)
    with running_database(settings) as dsns:
        run_until_told(migrate_database(dsns))
    click.echo("database: up to date")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Check the promises I1-I4 and I7 on the live database, read-only. Exit code 1 when one is broken."""
    report = with_database(examine, role="reader")
    healthy = not any(report.values())
    if as_json:
        click.echo(json.dumps({"healthy": healthy, "checks": report}, ensure_ascii=False))
    else:
        tell(report)
    context.exit(0 if healthy else 1)


def tell(report: dict[str, list[str]]) -> None:
    """Every check on a line, and below it what is wrong."""
    for check, found in report.items():
        click.echo(f"{'ok  ' if not found else 'FAIL'}  {check}")
        for problem in found:
            click.echo(f"      {problem}")


async def examine() -> dict[str, list[str]]:
    """What is wrong in the open database, by promise; every promise is named."""
    version = await fetch_value("SHOW server_version")
    promises = await bookings.inconsistencies()
    return {
        f"database (PostgreSQL {version}) answers, migrated": [],
        "I1, I2 ledger: every counter equals its transfers, nothing overspent": await ledger.check(),
        "budgets, top-ups and settlements agree with the ledger": [*await budgets.check(), *await payments.check()],
        "earmarks name municipalities and courses that exist": await lost_earmarks(),
        "I3 seats and childcare places equal live bookings": [p for p in promises if p.startswith("I3")],
        "I4 every booking holds or paid exactly its price": [p for p in promises if p.startswith("I4")],
        "I7 nobody in two places, nobody with their own professional": [p for p in promises if p.startswith("I7")],
        "backups: the log arrives where it should, if it is kept": await log_troubles(),
    }
