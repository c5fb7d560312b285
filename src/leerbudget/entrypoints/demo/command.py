"""`leerbudget demo`: the main job on a fictional Netherlands, from top-up to balanced books, and then served."""

import logging
from contextlib import nullcontext

import click

from leerbudget.entrypoints.cli.renewing import renew
from leerbudget.entrypoints.cli.serve import PORT, SANDBOX_FILE, base_url, listen, serve_pages
from leerbudget.entrypoints.cli.with_database import run_until_told, with_pool
from leerbudget.entrypoints.demo import story, summary
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.logbook import configure_logging
from leerbudget.foundation.running import Dsns, migrate, running_database
from leerbudget.foundation.settings import Settings
from leerbudget.rounds.solving import SolveLimits

MARK = "leerbudget demo: every person and organisation in here is fictional"
FAMILIES_MIN, SESSIONS_MIN = 50, 10
PAY_YOURSELF = """
Pay in yourself, with no keys set:
  online       as the organisation, at /organisatie under "Geld storten": choose online, and press the buttons of payer and bank
  by transfer  as the organisation, at the same place: choose to transfer; then as the cashier, at /bank: take the example
               statement that waits there and read it in"""


@click.command()
@click.option("--families", type=click.IntRange(FAMILIES_MIN, 20_000), default=2_000, show_default=True)
@click.option("--sessions", type=click.IntRange(SESSIONS_MIN, 2_500), help="Course sessions (default: families / 8).")
@click.option("--seed", type=click.IntRange(0, 2**31 - 2), default=7, show_default=True)
@click.option("--solve-seconds", type=click.IntRange(1, 3_600), default=60, show_default=True)
@click.option("--serve/--no-serve", default=True, help="Serve the web application afterwards.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.pass_context
def demo(
    context: click.Context,
    families: int,
    sessions: int | None,
    seed: int,
    solve_seconds: int,
    *,
    serve: bool,
    port: int,
) -> None:
    """Show the main job: budgets, wishes, one matching round, bookings; everything in it is fictional.

    The demonstration's own database is made anew each time; `leerbudget serve` serves the one you have.
    On one day the same seed tells the same story.
    """
    settings = Settings.from_environment()
    if settings.environment == "production":
        raise SettingsError(message="De demonstratie draait niet met LEERBUDGET_ENV=production.")
    configure_logging(settings.environment, level=logging.WARNING)
    count = sessions or max(SESSIONS_MIN, families // 8)
    # the port is taken first: who waited for the story must not hear then that it is in use
    with listen("127.0.0.1", port) if serve else nullcontext() as listening:
        url = settings.base_url if listening is None else base_url(settings, listening)
        # an installation that names a payment service of its own has no made-up one
        kept = None if settings.stripe_secret_key or settings.sandbox_url else settings.data_dir / SANDBOX_FILE
        script = story.Script(families, count, seed, SolveLimits(seconds=solve_seconds), url, kept)
        with running_database(settings) as dsns:
            # what was paid in an earlier demonstration is of payments that are gone
            (settings.data_dir / SANDBOX_FILE).unlink(missing_ok=True)
            balanced = run_until_told(_tell(dsns, script))
            if listening is not None:
                click.echo("\nStop with Ctrl-C. Serving on:")
                configure_logging(settings.environment)
                serve_pages(settings, dsns, listening, background=True)
    context.exit(0 if balanced else 1)


async def _tell(dsns: Dsns, script: story.Script) -> bool:
    await renew(dsns, MARK, of="de demonstratie")
    click.echo(
        f"leerbudget: a fictional Netherlands of {script.families} families and {script.sessions} course sessions,"
        f" seed {script.seed}\n"
    )
    await migrate(dsns)
    return await with_pool(dsns, "worker", lambda: _show(script))


async def _show(script: story.Script) -> bool:
    events = await story.tell(script)
    told, balanced = await summary.lines(events)
    click.echo("\n".join(told))
    visitors = await summary.visitors()
    click.echo("\nLog in as (ask for a link at /inloggen, the mail arrives at /postbus):")
    for role, email in (
        ("a foster parent", visitors.parent),
        ("a trainer", visitors.trainer),
        ("an organisation", visitors.organisation),
        ("the coordinator", visitors.coordinator),
        ("the cashier", visitors.cashier),
    ):
        click.echo(f"  {role:<18}{email}")
    click.echo(PAY_YOURSELF)
    return balanced
