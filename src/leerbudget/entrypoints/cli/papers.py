"""`leerbudget papers …`: requests and receipts of top-ups, VAT treatments, and invoices of trainers."""

import asyncio
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from uuid import UUID

import click
import msgspec

from leerbudget.entrypoints.cli.bank import BY, as_person
from leerbudget.entrypoints.cli.files import out_argument, whole_file
from leerbudget.entrypoints.cli.values import Day, Line
from leerbudget.entrypoints.cli.with_database import with_database
from leerbudget.foundation.ids import new_id
from leerbudget.foundation.money import euros
from leerbudget.foundation.settings import Settings
from leerbudget.ledger.rules import refuse
from leerbudget.papers import actions, invoices, queries, top_ups
from leerbudget.papers.actions import TreatmentOrder
from leerbudget.papers.rules import (
    BASIS_LENGTH,
    EVIDENCE_LENGTH,
    VAT_TREATMENTS,
    number_of,
    programme,
)
from leerbudget.papers.typesetting import Paper, pdf
from leerbudget.payments.choosing import own_account
from leerbudget.payments.rules import compact, month_fault


@click.group()
def papers() -> None:
    """Papers of money: what organisations are asked and got, VAT, and invoices of trainers."""


@papers.command("top-up")
@click.argument("reference")
@click.option("--request", "request", type=out_argument, help="Write the request for a deposit (PDF) to this file.")
@click.option("--receipt", type=out_argument, help="Write the receipt (PDF) to this file.")
@click.option("--ubl", type=out_argument, help="Write the e-invoice (UBL 2.1, NLCIUS) to this file.")
def top_up(reference: str, *, request: Path | None, receipt: Path | None, ubl: Path | None) -> None:
    """Write papers of the top-up with this payment reference.

    Raises:
        UsageError: no file was named.
    """
    if request is receipt is ubl is None:
        raise click.UsageError("Give --request, --receipt or --ubl.")
    settings, name = Settings.from_environment(), compact(reference)
    known = (programme(settings), own_account(settings))
    found = with_database(lambda: queries.top_up_paper(name, None), role="reader")
    _write(
        (request, lambda: _set(top_ups.request_for(found, *known))),
        (receipt, lambda: _set(top_ups.receipt_for(found, *known))),
        (ubl, lambda: top_ups.e_invoice_for(found, *known)),
    )


@papers.command()
def issue() -> None:
    """Issue the invoices of months that are over; the worker does this by itself. Again has no effect."""
    buyer = programme(Settings.from_environment())
    count = with_database(lambda: actions.issue_invoices(buyer, actor=None))
    click.echo(f"issued: {count} invoices" if count else "issued: nothing was due")


@papers.command()
def check() -> None:
    """Compare every invoice with the books, read-only; exit code 1 when one differs."""
    found = with_database(queries.differences, role="reader")
    for sentence in found:
        click.echo(sentence)
    click.echo(f"differences: {len(found)}", err=True)
    sys.exit(1 if found else 0)


@papers.command("invoices")
@click.option("--month", metavar="YYYY-MM", help="Only of this month (default: all).")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, one list.")
def invoices_(month: str | None, *, as_json: bool) -> None:
    """List the invoices that were made out for trainers, by month."""
    refuse([("month", None if month is None else month_fault(month))])
    first_day = None if month is None else date.fromisoformat(f"{month}-01")
    found = with_database(lambda: queries.invoices(first_day), role="reader")
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for each in found:
        told = f"{each.month:%Y-%m}  {number_of(each.number)}  {euros(each.gross_cents):>16}"
        click.echo(f"{each.id}  {told}  trainer {each.trainer}")
    click.echo(f"{len(found)} invoices", err=True)


@papers.command()
@click.argument("invoice_id", type=click.UUID)
@click.option("--pdf", "paper", type=out_argument, help="Write the paper (PDF) to this file.")
@click.option("--ubl", type=out_argument, help="Write the e-invoice (UBL 2.1, NLCIUS) to this file.")
def invoice(invoice_id: UUID, *, paper: Path | None, ubl: Path | None) -> None:
    """Write an invoice of a trainer.

    Raises:
        UsageError: no file was named.
    """
    if paper is ubl is None:
        raise click.UsageError("Give --pdf or --ubl.")
    found = with_database(lambda: queries.invoice(invoice_id), role="reader")
    _write((paper, lambda: _set(invoices.invoice_paper(found))), (ubl, lambda: invoices.e_invoice(found)))


@papers.command("vat-set")
@click.argument("course", type=click.UUID)
@click.argument("trainer", type=click.UUID)
@click.argument("treatment", type=click.Choice(VAT_TREATMENTS))
@click.option("--from", "valid_from", type=Day(), required=True, help="The first day on which it counts.")
@click.option("--legal-basis", type=Line(BASIS_LENGTH), help="Of an exemption: the ground in the law, for invoices.")
@click.option("--evidence", type=Line(EVIDENCE_LENGTH), required=True, help="What it rests on.")
@BY
def vat_set(
    course: UUID, trainer: UUID, treatment: str, *, valid_from: date, legal_basis: str | None, evidence: str, email: str
) -> None:
    """Write down how VAT treats what a trainer earns with a course, from a day on. Without it: 21 percent."""
    order = TreatmentOrder(new_id(), course, trainer, treatment, evidence, valid_from, legal_basis)
    as_person(email, "set_vat", lambda actor: actions.set_treatment(order, actor=actor))
    click.echo(f"written down: {order.id}")


@papers.command("vat-list")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, one list.")
def vat_list(*, as_json: bool) -> None:
    """List the VAT treatments that were written down, the last to begin first."""
    found = with_database(queries.treatments, role="reader")
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for each in found:
        ground = "" if each.legal_basis is None else f"  {each.legal_basis}"
        click.echo(f"{each.valid_from}  {each.treatment:11}  course {each.course}  trainer {each.trainer}{ground}")
    click.echo(f"{len(found)} treatments", err=True)


def _set(paper: Paper) -> bytes:
    return asyncio.run(pdf(paper))


def _write(*wanted: tuple[Path | None, Callable[[], bytes]]) -> None:
    """Make every file that was asked for, then write them: one that cannot be made leaves none."""
    for out, content in [(out, content()) for out, content in wanted if out is not None]:
        with whole_file(out) as file:
            file.write(content)
        click.echo(f"{len(content)} bytes in {out}", err=True)
