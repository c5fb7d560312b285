"""`leerbudget import …`: a CSV file of an organisation into the database, all of it or nothing."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click
import msgspec

from leerbudget.entrypoints.cli.files import file_argument
from leerbudget.entrypoints.cli.with_database import with_database
from leerbudget.entrypoints.files.importing import IMPORTERS, ImportReport, import_bytes, read_file
from leerbudget.entrypoints.files.reading import FileRefused

THINGS_NL: Mapping[str, str] = {
    "organisations": "organisaties",
    "families": "gezinnen",
    "parents": "pleegouders",
    "professionals": "professionals",
    "relations": "relaties",
    "trainers": "trainers",
    "sessions": "bijeenkomsten",
    "courses": "cursussen",
    "venues": "locaties",
    "tariffs": "tarieven",
    "grants": "leerbudgetten",
}


@click.group("import")
def import_() -> None:
    """Import a CSV file (docs/import-files.md has the columns). Nothing is imported unless every row is good."""


def _command(kind: str) -> click.Command:
    @click.argument("file", type=file_argument)
    @click.option("--dry-run", is_flag=True, help="Check everything, also against the database; change nothing.")
    @click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
    @click.pass_context
    def run(context: click.Context, *, file: Path, dry_run: bool, as_json: bool) -> None:
        context.exit(_import(kind, file, dry_run=dry_run, as_json=as_json))

    return click.command(kind, help=f"Import {kind}. Exit code 1 when the file was refused.")(run)


for _kind in IMPORTERS:
    import_.add_command(_command(_kind))


def _import(kind: str, file: Path, *, dry_run: bool, as_json: bool) -> int:
    """Import and tell; the exit code."""
    try:
        data = read_file(file)
        report = with_database(lambda: import_bytes(kind, data, dry_run=dry_run))
    except OSError as failure:
        raise click.UsageError(f"{file}: {failure.strerror}") from failure
    except FileRefused as refusal:
        _tell_refusal(file, refusal, as_json=as_json)
        return 1
    if as_json:
        click.echo(msgspec.json.encode({"imported": not dry_run, **asdict(report)}).decode())
    else:
        _tell(report)
    return 0


def _tell(report: ImportReport) -> None:
    click.echo(f"{'proef, niets bewaard' if report.dry_run else 'ingelezen'}: {report.rows} rijen")
    for thing, did in report.things.items():
        click.echo(f"  {THINGS_NL[thing]}: {did.added} nieuw, {did.changed} gewijzigd, {did.unchanged} ongewijzigd")


def _tell_refusal(file: Path, refusal: FileRefused, *, as_json: bool) -> None:
    if as_json:
        cells = [asdict(cell) for cell in refusal.cells]
        click.echo(msgspec.json.encode({"imported": False, "errors": cells}).decode())
        return
    click.echo(f"leerbudget: {file}: niets ingelezen, {len(refusal.cells)} fout(en)", err=True)
    for cell in refusal.cells:
        click.echo(f"  {cell}", err=True)
