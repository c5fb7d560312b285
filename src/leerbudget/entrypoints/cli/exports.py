"""`leerbudget export …`: CSV files out of the database, safe to open in a spreadsheet."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import click

from leerbudget.entrypoints.cli.files import out_argument, whole_file
from leerbudget.entrypoints.cli.with_database import with_database
from leerbudget.entrypoints.files.exporting import EXPORTERS, write_export


@click.group()
def export() -> None:
    """Write a CSV file: UTF-8, with formulas made harmless. Families and sessions can be imported again."""


def _command(kind: str) -> click.Command:
    @click.option("--out", type=out_argument, help="Write to this file (default: screen).")
    def run(*, out: Path | None) -> None:
        _export(kind, out)

    return click.command(kind, help=f"Export {kind}.")(run)


for _kind in EXPORTERS:
    export.add_command(_command(_kind))


def _export(kind: str, out: Path | None) -> None:
    if out is None:
        _written(kind, lambda: sys.stdout.buffer)
        return
    with whole_file(out) as file:
        count = _written(kind, lambda: file)
    click.echo(f"{count} rijen in {out}", err=True)


def _written(kind: str, target: Callable[[], BinaryIO]) -> int:
    return with_database(lambda: write_export(kind, target()), role="reader")
