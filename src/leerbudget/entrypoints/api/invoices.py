"""Invoices that are made out for trainers, the agreement that they rest on, and what trainers invoice themselves."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from leerbudget.entrypoints.api.papers import A_PDF, AN_XML, Place, PostCode, Street
from leerbudget.entrypoints.api.types import CLEAN_LINE, Answer, Body, Instant, told
from leerbudget.entrypoints.http.documents import PDF, XML, document
from leerbudget.entrypoints.http.guards import requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.papers import actions, invoices, queries
from leerbudget.papers.rules import InvoiceLine, Party, code_of, number_of
from leerbudget.papers.typesetting import pdf

SEES = requires("see_invoices", trainer="trainer_id")
AGREES = requires("agree_self_billing", trainer="trainer_id")


class AgreementOrder(Body, frozen=True, kw_only=True):
    """That the programme makes out the trainer's invoices. `id` is made by the caller: again has no effect."""

    id: UUID
    name: Annotated[
        str, Meta(min_length=1, max_length=120, pattern=CLEAN_LINE, description="As in the trade register.")
    ]
    street: Street
    postcode: PostCode
    place: Place
    kvk: Annotated[str, Meta(min_length=8, max_length=12, pattern=r"^[0-9 .]*$(?!\n)")]
    vat_id: Annotated[str, Meta(min_length=14, max_length=20, pattern=r"^[A-Za-z0-9 .]*$(?!\n)")]


class AgreementTold(Answer, frozen=True, kw_only=True):
    """An agreement on self-billing; `ended_at` is null while it holds."""

    id: UUID
    name: str
    street: str
    postcode: str
    place: str
    kvk: str
    vat_id: str
    agreed_at: Instant
    ended_at: Instant | None


class Agreements(Answer, frozen=True, kw_only=True):
    """The agreements of a trainer, the latest first."""

    items: list[AgreementTold]


class InvoiceTold(Answer, frozen=True, kw_only=True):
    """An invoice, or a credit note (amounts below zero). `number` is counted per trainer, `month` as 2027-03."""

    id: UUID
    number: str
    kind: str
    month: str
    issued_on: date
    gross_cents: int
    net_cents: int
    vat_cents: int


class Invoices(Answer, frozen=True, kw_only=True):
    """The invoices of a trainer, the latest first."""

    items: list[InvoiceTold]


class EarningLine(Answer, frozen=True, kw_only=True):
    """What was earned with one course session: cents with VAT, without it, and the VAT. `code` stands for the session."""

    kind: str
    code: str | None
    first_on: date | None
    last_on: date | None
    treatment: str
    legal_basis: str | None
    gross_cents: int
    net_cents: int
    vat_cents: int


class MonthOfEarnings(Answer, frozen=True, kw_only=True):
    """A month that the trainer invoices."""

    month: str
    gross_cents: int
    lines: list[EarningLine]


class Earnings(Answer, frozen=True, kw_only=True):
    """Months that are over for a day and that the trainer invoices, the latest first."""

    items: list[MonthOfEarnings]


class TrainerPaperController(Controller):
    """The papers of a trainer who works for oneself."""

    path = "/trainers/{trainer_id:uuid}"
    tags = ("trainer",)

    @get("/invoices", guards=[SEES], summary="Invoices made out for the trainer", operation_id="listInvoices")
    async def listed(self, trainer_id: FromPath[UUID]) -> Invoices:
        """One for every month in which something was earned or came back, while the trainer agreed."""
        return Invoices(items=[_told(each) for each in await queries.invoices_of(trainer_id)])

    @get(
        "/invoices/{invoice_id:uuid}/document",
        guards=[SEES],
        summary="An invoice, as a paper",
        operation_id="getInvoice",
        media_type=PDF,
        responses=A_PDF,
    )
    async def paper(self, trainer_id: FromPath[UUID], invoice_id: FromPath[UUID]) -> Response[bytes]:
        """The same each time: nothing on it changes after it was issued."""
        found = await queries.invoice(invoice_id, trainer_id)
        made = await pdf(invoices.invoice_paper(found))
        return document(made, f"factuur-{number_of(found.head.number)}.pdf", PDF)

    @get(
        "/invoices/{invoice_id:uuid}/e-invoice",
        guards=[SEES],
        summary="An invoice, for a bookkeeping program",
        operation_id="getEInvoice",
        media_type=XML,
        responses=AN_XML,
    )
    async def e_invoice(self, trainer_id: FromPath[UUID], invoice_id: FromPath[UUID]) -> Response[bytes]:
        """UBL 2.1 by NLCIUS: type 389 (self-billed), a credit note type 381."""
        found = await queries.invoice(invoice_id, trainer_id)
        return document(invoices.e_invoice(found), f"factuur-{number_of(found.head.number)}.xml", XML)

    @get("/earnings", guards=[SEES], summary="What the trainer invoices", operation_id="listEarnings")
    async def earnings(self, trainer_id: FromPath[UUID]) -> Earnings:
        """By month, with VAT worked out, for a trainer who makes out the own invoices."""
        months = await queries.to_invoice_oneself(trainer_id)
        return Earnings(items=[_month(each) for each in months])

    @get("/self-billing", guards=[SEES], summary="Agreements on self-billing", operation_id="listSelfBilling")
    async def agreements(self, trainer_id: FromPath[UUID]) -> Agreements:
        """With the details that stand on invoices."""
        return await _agreements(trainer_id)

    @post("/self-billing", guards=[AGREES], summary="Agree to self-billing", operation_id="agreeSelfBilling")
    async def agree(
        self, request: HouseRequest, trainer_id: FromPath[UUID], data: JSONBody[AgreementOrder]
    ) -> Agreements:
        """From this month on the programme makes out the trainer's invoices, in the trainer's name."""
        supplier = Party(data.name, data.street, data.postcode, data.place, "kvk", data.kvk, data.vat_id)
        login = request.actor.login
        await again(lambda: actions.agree_self_billing(data.id, trainer_id, supplier, actor=login))
        return await _agreements(trainer_id)

    @put("/self-billing/ending", guards=[AGREES], summary="End self-billing", operation_id="endSelfBilling")
    async def end(self, request: HouseRequest, trainer_id: FromPath[UUID]) -> Agreements:
        """From this month on the trainer makes out the own invoices. Again has no effect."""
        await again(lambda: actions.end_self_billing(trainer_id, actor=request.actor.login))
        return await _agreements(trainer_id)


async def _agreements(trainer: UUID) -> Agreements:
    return Agreements(items=[told(AgreementTold, each) for each in await queries.agreements_of(trainer)])


def _told(each: queries.InvoiceHead) -> InvoiceTold:
    return InvoiceTold(
        id=each.id,
        number=number_of(each.number),
        kind=each.kind,
        month=f"{each.month:%Y-%m}",
        issued_on=each.issued_on,
        gross_cents=each.gross_cents,
        net_cents=each.net_cents,
        vat_cents=each.vat_cents,
    )


def _month(each: queries.MonthEarned) -> MonthOfEarnings:
    return MonthOfEarnings(
        month=f"{each.month:%Y-%m}",
        gross_cents=sum(line.gross_cents for line in each.lines),
        lines=[_line(line) for line in each.lines],
    )


def _line(line: InvoiceLine) -> EarningLine:
    return EarningLine(
        kind=line.kind,
        code=None if line.session is None else code_of(line.session),
        first_on=line.first_on,
        last_on=line.last_on,
        treatment=line.treatment,
        legal_basis=line.legal_basis,
        gross_cents=line.gross_cents,
        net_cents=line.net_cents,
        vat_cents=line.vat_cents,
    )
