"""`leerbudget settlements …`: settle between organisations what trainers earned, and the books of it."""

from itertools import groupby

import click
import msgspec

from leerbudget.entrypoints.cli.with_database import with_database
from leerbudget.foundation.money import euros
from leerbudget.ledger.rules import refuse
from leerbudget.payments.rules import month_fault
from leerbudget.payments.settlements import MatrixCell, matrix, net_positions
from leerbudget.payments.settling import settle_months

PROGRAMME = "gezinnen zelf, en correcties"


@click.group()
def settlements() -> None:
    """Settlements between organisations: what was earned by the trainers of one from the budgets of another."""


@settlements.command()
@click.option("--month", metavar="YYYY-MM", help="Up to and including this month (default: all that are over).")
def run(month: str | None) -> None:
    """Settle the months that are over; the worker does this by itself. Again, or twice at once, has no effect."""
    due = with_database(lambda: settle_months(month, actor=None), role="worker")
    click.echo(f"settled: {due} transfers" if due else "settled: nothing was due")


@settlements.command()
@click.option("--month", metavar="YYYY-MM", help="Only this month (default: all).")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, one list of cells.")
def show(month: str | None, *, as_json: bool) -> None:
    """Who was guest of whom, in full: for who keeps the books, not to be passed on. It shows small cells too."""
    refuse([("month", None if month is None else month_fault(month))])
    cells = [cell for cell in with_database(matrix, role="reader") if month in (None, cell.month)]
    if as_json:
        click.echo(msgspec.json.encode([_plain(cell) for cell in cells]).decode())
        return
    for name, found in groupby(cells, key=lambda cell: cell.month):
        _tell(name, list(found))
    click.echo(f"{len(cells)} cells", err=True)


def _plain(cell: MatrixCell) -> dict[str, object]:
    names = ("month", "guest", "guest_name", "host", "host_name", "cents")
    return {name: getattr(cell, name) for name in names} | {"families": len(cell.families)}


def _tell(month: str, cells: list[MatrixCell]) -> None:
    """A month: every cell, then what each party got or gave on balance, which together is nothing."""
    click.echo(month)
    names = {cell.guest: cell.guest_name or PROGRAMME for cell in cells} | {c.host: c.host_name for c in cells}
    for cell in cells:
        click.echo(f"  {euros(cell.cents):>16}  {names[cell.guest]} -> {cell.host_name}")
    for party, cents in sorted(net_positions(cells).items(), key=lambda each: (-each[1], names[each[0]])):
        click.echo(f"  {euros(cents):>16}  net: {names[party]}")
    click.echo(f"  {euros(sum(net_positions(cells).values())):>16}  together")
