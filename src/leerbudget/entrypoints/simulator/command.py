"""`leerbudget simulate`: a year by seed, with a look at all promises every evening."""

import json
import logging
import sys
from collections.abc import Callable

import click

from leerbudget.entrypoints.cli.renewing import renew
from leerbudget.entrypoints.cli.with_database import run_until_told, with_pool
from leerbudget.entrypoints.simulator import summary, year
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.logbook import configure_logging
from leerbudget.foundation.running import Dsns, migrate, running_database
from leerbudget.foundation.settings import Settings

MARK = "leerbudget simulate: every person and organisation in here is fictional"
FAMILIES_PER_SESSION, SESSIONS_MIN = 8, 10
"""In the whole year, as families wish for about one course a year."""


@click.command()
@click.option("--families", type=click.IntRange(50, 20_000), default=300, show_default=True)
@click.option(
    "--sessions",
    type=click.IntRange(SESSIONS_MIN, 25_000),
    help="Course sessions altogether (default: families / 8, at least 10).",
)
@click.option("--days", type=click.IntRange(1, 3_650), default=365, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 10), default=1, show_default=True)
@click.option("--faults", is_flag=True, help="Processes die, connections end, mail and payments get stuck, by seed.")
@click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
@click.pass_context
def simulate(
    context: click.Context,
    *,
    families: int,
    sessions: int | None,
    days: int,
    seed: int,
    faults: bool,
    as_json: bool,
) -> None:
    """Live through a year of made-up families, and check every promise every evening. Exit code 1 when one is broken.

    It fills a database of its own (never one with data in it). The same seed prints the same summary.
    """
    settings = Settings.from_environment()
    if settings.environment == "production":
        raise SettingsError(message="De simulatie draait niet met LEERBUDGET_ENV=production.")
    configure_logging(settings.environment, level=logging.CRITICAL)
    count = sessions or max(SESSIONS_MIN, families // FAMILIES_PER_SESSION)
    script = year.Script(families, count, days, seed, faults)
    with running_database(settings) as dsns:
        told = run_until_told(_live(dsns, script))
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else "\n".join(summary.lines(told)))
    context.exit(1 if told["troubles"] else 0)


async def _live(dsns: Dsns, script: year.Script) -> summary.Summary:
    await renew(dsns, MARK, of="een simulatie")
    await migrate(dsns)

    async def work() -> summary.Summary:
        lived = await year.live(script, dsns.worker, _watch(script.days))
        click.echo(f"{lived.days} days in {lived.seconds:.0f} s", err=True)
        return await summary.of(lived)

    return await with_pool(dsns, "worker", work)


def _watch(days: int) -> Callable[[int], None]:
    """Tells somebody who watches at a terminal which day it is."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda day: click.echo(f"\r  day {day} of {days}", nl=day == days, err=True)
