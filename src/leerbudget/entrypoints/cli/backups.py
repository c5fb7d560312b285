"""`leerbudget backup` and `leerbudget restore`: for the embedded database; a server of one's own has its own."""

import logging
from datetime import datetime
from pathlib import Path

import click

from leerbudget.bookings.queries import last_booked_at
from leerbudget.entrypoints.cli.upkeep import examine, tell
from leerbudget.entrypoints.cli.values import Instant
from leerbudget.entrypoints.cli.with_database import with_pool
from leerbudget.foundation.backup import make_backup
from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.foundation.embedded import EmbeddedServer
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.log_archive import LOG_SECONDS
from leerbudget.foundation.logbook import configure_logging
from leerbudget.foundation.restore import Restored, restored
from leerbudget.foundation.running import finished, prepare_embedded
from leerbudget.foundation.settings import Settings
from leerbudget.ledger.queries import last_transfer_at

_directory = click.Path(file_okay=False, path_type=Path, resolve_path=True)


@click.command()
@click.argument("directory", type=_directory)
@click.option(
    "--keep", type=click.IntRange(1, 10_000), help="Remove all but so many backups, once this one reads back."
)
def backup(directory: Path, keep: int | None) -> None:
    """Back the embedded database up below DIRECTORY, read it back, and keep its log there from now on."""
    settings = Settings.from_environment()
    configure_logging(settings.environment, level=logging.WARNING)
    if settings.database_url is not None:
        raise SettingsError(
            message="Deze database staat op een eigen server (LEERBUDGET_DATABASE_URL). Daar gelden de reservekopieën "
            "van die server; zie docs/operations.md."
        )
    if not (settings.data_dir / "postgres" / "PG_VERSION").exists():
        raise SettingsError(message=f"In {settings.data_dir} staat geen database. Klopt LEERBUDGET_DATA_DIR?")
    with EmbeddedServer.start(settings.data_dir, programs=settings.pg_bin) as server:
        made = make_backup(server, directory, programs=settings.pg_bin, keep=keep)
    click.echo(f"backup: {made.place}, {made.size_bytes / 1e6:.1f} MB, teruggelezen: klopt")
    click.echo(f"  terug te zetten naar elk moment vanaf {_told(made.facts.at)}")
    click.echo(f"  het log gaat door in {directory / made.facts.log}; een kapotte schijf kost hooguit {LOG_SECONDS} s")
    for place in made.removed:
        click.echo(f"  verwijderd: {place}")


@click.command()
@click.argument("backup", type=click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True))
@click.option("--to", "data_dir", type=_directory, required=True, help="The data directory to make; absent or empty.")
@click.option("--until", type=Instant(), help="The last moment to bring back (default: all there is).")
@click.option("--log/--no-log", default=True, help="Without: only the backup itself, when its log is lost.")
@click.pass_context
def restore(context: click.Context, backup: Path, data_dir: Path, until: datetime | None, *, log: bool) -> None:
    """Bring BACKUP (one, or the directory with all) back in a fresh data directory, and check every promise."""
    settings = Settings.from_environment()
    configure_logging(settings.environment, level=logging.WARNING)
    if until and not log:
        raise click.UsageError("--until needs the log")
    with restored(backup, data_dir, until=until, log=log, programs=settings.pg_bin) as back:
        click.echo(f"restore: {back.backup} staat in {data_dir}")
        click.echo(f"  laatste wijziging: {_told(back.last_change)}")
        report, booked_at, transfer_at = finished(_examined(back))
    click.echo(f"  laatste inschrijving: {_told(booked_at)}")
    click.echo(f"  laatste mutatie: {_told(transfer_at)}")
    tell(report)
    context.exit(1 if any(report.values()) else 0)


async def _examined(back: Restored) -> tuple[dict[str, list[str]], datetime | None, datetime | None]:
    """The doctor's report, and the moments by which people recognise where they are back."""

    async def look() -> tuple[dict[str, list[str]], datetime | None, datetime | None]:
        return await examine(), await last_booked_at(), await last_transfer_at()

    return await with_pool(await prepare_embedded(back.server), "reader", look)


def _told(moment: datetime | None) -> str:
    return moment.astimezone(AMSTERDAM).isoformat() if moment else "geen"
