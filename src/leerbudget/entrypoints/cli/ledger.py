"""`leerbudget ledger check` and `leerbudget ledger export`: the books, for an auditor. Both only read."""

import sys
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from leerbudget.budgets import queries as budgets
from leerbudget.entrypoints.cli.files import out_argument, whole_file
from leerbudget.entrypoints.cli.with_database import with_database
from leerbudget.foundation.money import euros
from leerbudget.ledger import queries as books
from leerbudget.ledger.queries import BookSize
from leerbudget.payments import queries as payments


@click.group()
def ledger() -> None:
    """The books: recompute them, or hand them to an auditor."""


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
@click.pass_context
def check(context: click.Context, *, as_json: bool) -> None:
    """Recompute every balance from the transfers and compare. Exit code 1 when anything does not fit.

    Nothing is ever repaired: what does not fit is for a person to look at.
    """
    size, troubles = with_database(_examine, role="reader")
    if as_json:
        answer = {
            "balanced": not troubles,
            "accounts": size.accounts,
            "transfers": size.transfers,
            "troubles": troubles,
        }
        click.echo(msgspec.json.encode(answer).decode())
    elif troubles:
        click.echo(f"ledger: NOT balanced ({len(troubles)})")
        for trouble in troubles:
            click.echo(f"  {trouble}")
    else:
        click.echo("ledger: balanced")
        told = (
            f"{size.accounts} rekeningen, {size.transfers} mutaties, {euros(size.banked_cents)} gestort: alles klopt."
        )
        click.echo(f"  {told}")
    context.exit(1 if troubles else 0)


async def _examine() -> tuple[BookSize, list[str]]:
    troubles = [*await books.check(), *await budgets.check(), *await payments.check()]
    return await books.book_size(), troubles


@ledger.command()
@click.option("--out", type=out_argument, help="Write to this file (default: the screen).")
def export(*, out: Path | None) -> None:
    """Every transfer as one line of JSON, in the order of its number, from one moment."""
    if out is None:
        with_database(lambda: _write(sys.stdout.buffer), role="reader")
        return
    with whole_file(out) as file:
        count = with_database(lambda: _write(file), role="reader")
    click.echo(f"{count} mutaties in {out}", err=True)


async def _write(file: BinaryIO) -> int:
    count = 0
    async with aclosing(books.export()) as transfers:
        async for transfer in transfers:
            file.write(msgspec.json.encode(transfer) + b"\n")
            count += 1
    file.flush()
    return count
