"""`leerbudget worker`."""

import asyncio

import click

from leerbudget.entrypoints.worker.main import run_until_stopped
from leerbudget.foundation.clock import use_test_clock
from leerbudget.foundation.logbook import configure_logging
from leerbudget.foundation.running import running_database
from leerbudget.foundation.settings import Settings


@click.command()
def worker() -> None:
    """Do the work that waits: send notices, let offers lapse, decide and finish sessions, settle months, solve rounds."""
    settings = Settings.from_environment()
    configure_logging(settings.environment)
    use_test_clock(settings.test_clock)
    with running_database(settings) as dsns:
        asyncio.run(run_until_stopped(settings, dsns.worker))
