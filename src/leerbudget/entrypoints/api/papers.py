"""Papers of top-ups, to whom they are addressed, and how VAT treats what trainers earn."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from leerbudget.entrypoints.api.types import CLEAN_LINE, CLEAN_TEXT, Answer, Body, Day, Instant, told
from leerbudget.entrypoints.http.documents import PDF, XML, document
from leerbudget.entrypoints.http.guards import requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.papers import actions, queries
from leerbudget.papers.actions import TreatmentOrder
from leerbudget.papers.rules import Party, programme
from leerbudget.papers.top_ups import e_invoice_for, receipt_for, request_for
from leerbudget.papers.typesetting import pdf
from leerbudget.payments.choosing import own_account

A_PDF = {200: ResponseSpec(bytes, media_type=PDF, generate_examples=False, description="The paper, as PDF/UA-1.")}
AN_XML = {200: ResponseSpec(bytes, media_type=XML, generate_examples=False, description="UBL 2.1, by NLCIUS.")}

Street = Annotated[str, Meta(min_length=1, max_length=120, pattern=CLEAN_LINE, description="Street and number.")]
PostCode = Annotated[
    str, Meta(min_length=6, max_length=7, pattern=r"^[1-9][0-9]{3} ?[A-Za-z]{2}$(?!\n)", description="As 1234 AB.")
]
Place = Annotated[str, Meta(min_length=1, max_length=80, pattern=CLEAN_LINE)]
RegisterNumber = Annotated[
    str, Meta(min_length=8, max_length=30, pattern=r"^[0-9 .]*$(?!\n)", description="8 digits (KvK) or 20 (OIN).")
]
BuyerReference = Annotated[
    str, Meta(min_length=1, max_length=60, pattern=CLEAN_LINE, description="For e-invoices without a purchase order.")
]


class BillingOrder(Body, frozen=True, kw_only=True):
    """Where papers are addressed to."""

    street: Street
    postcode: PostCode
    place: Place
    register: Literal["kvk", "oin"]
    number: RegisterNumber
    buyer_reference: BuyerReference | None = None


class Billing(Answer, frozen=True, kw_only=True):
    """Where papers are addressed to."""

    street: str
    postcode: str
    place: str
    register: str
    number: str
    buyer_reference: str | None


class BillingTold(Answer, frozen=True, kw_only=True):
    """What an organisation said; null as long as it said nothing."""

    details: Billing | None


class VatOrder(Body, frozen=True, kw_only=True):
    """How VAT treats a course by a trainer from a day on. `id` is made by the caller: again has no effect.

    Without one it is `standard_21`. `exempt` needs the ground in the law; both need what it rests on.
    """

    id: UUID
    course: UUID
    trainer: UUID
    treatment: Literal["standard_21", "exempt"]
    legal_basis: Annotated[str, Meta(min_length=1, max_length=200, pattern=CLEAN_LINE)] | None = None
    evidence: Annotated[str, Meta(min_length=1, max_length=500, pattern=CLEAN_TEXT)]
    valid_from: Day


class VatTreatment(Answer, frozen=True, kw_only=True):
    """A treatment that was written down: the one with the latest day that has come counts."""

    id: UUID
    course: UUID
    trainer: UUID
    treatment: str
    legal_basis: str | None
    evidence: str
    valid_from: date
    set_at: Instant
    set_by: UUID | None


class VatTreatments(Answer, frozen=True, kw_only=True):
    """The last to begin first; at most 1,000."""

    items: list[VatTreatment]


class VatTold(Answer, frozen=True, kw_only=True):
    """A treatment that stands written down now."""

    id: UUID


class TopUpPaperController(Controller):
    """The papers of an organisation's top-up."""

    path = "/organisations/{organisation_id:uuid}/top-ups/{top_up_id:uuid}"
    tags = ("organisation",)
    guards = (requires("see_pot", organisation="organisation_id"),)

    @get(
        "/request",
        summary="The request for a deposit, as a paper",
        operation_id="getTopUpRequest",
        media_type=PDF,
        responses=A_PDF,
    )
    async def request_paper(
        self, request: HouseRequest, organisation_id: FromPath[UUID], top_up_id: FromPath[UUID]
    ) -> Response[bytes]:
        """With the payment reference, and without VAT: a deposit is no supply."""
        found = await queries.top_up_paper(str(top_up_id), organisation_id)
        settings = request.app.state.settings
        made = await pdf(request_for(found, programme(settings), own_account(settings)))
        return document(made, f"verzoek-{found.reference}.pdf", PDF)

    @get(
        "/receipt",
        summary="The receipt of a top-up, as a paper",
        operation_id="getTopUpReceipt",
        media_type=PDF,
        responses=A_PDF,
    )
    async def receipt(
        self, request: HouseRequest, organisation_id: FromPath[UUID], top_up_id: FromPath[UUID]
    ) -> Response[bytes]:
        """What came in and when. 409 as long as nothing did."""
        found = await queries.top_up_paper(str(top_up_id), organisation_id)
        settings = request.app.state.settings
        made = await pdf(receipt_for(found, programme(settings), own_account(settings)))
        return document(made, f"ontvangst-{found.reference}.pdf", PDF)

    @get(
        "/e-invoice",
        summary="The request for a deposit, as an e-invoice",
        operation_id="getTopUpEInvoice",
        media_type=XML,
        responses=AN_XML,
    )
    async def e_invoice(
        self, request: HouseRequest, organisation_id: FromPath[UUID], top_up_id: FromPath[UUID]
    ) -> Response[bytes]:
        """UBL 2.1 by NLCIUS, VAT category O. 409 as long as billing details or a reference are not known."""
        found = await queries.top_up_paper(str(top_up_id), organisation_id)
        settings = request.app.state.settings
        made = e_invoice_for(found, programme(settings), own_account(settings))
        return document(made, f"e-factuur-{found.reference}.xml", XML)


class BillingController(Controller):
    """To whom papers are addressed."""

    path = "/organisations/{organisation_id:uuid}/billing-details"
    tags = ("organisation",)
    guards = (requires("set_billing", organisation="organisation_id"),)

    @get(summary="To whom papers are addressed", operation_id="getBillingDetails")
    async def details(self, organisation_id: FromPath[UUID]) -> BillingTold:
        """Of this organisation."""
        return await _billing(organisation_id)

    @put(summary="Say to whom papers are addressed", operation_id="putBillingDetails")
    async def put(
        self, request: HouseRequest, organisation_id: FromPath[UUID], data: JSONBody[BillingOrder]
    ) -> BillingTold:
        """What was said before is forgotten; papers from then on carry this."""
        address = Party("-", data.street, data.postcode, data.place, data.register, data.number)
        login = request.actor.login
        await again(lambda: actions.set_billing(organisation_id, address, data.buyer_reference, actor=login))
        return await _billing(organisation_id)


class VatController(Controller):
    """How VAT treats what trainers earn. Written down with evidence, never worked out."""

    path = "/vat-treatments"
    tags = ("finance",)
    guards = (requires("set_vat"),)

    @get(summary="VAT treatments that were written down", operation_id="listVatTreatments")
    async def listed(self) -> VatTreatments:
        """Where none is written down it is 21 percent."""
        return VatTreatments(items=[told(VatTreatment, each) for each in await queries.treatments()])

    @post(summary="Write down a VAT treatment", operation_id="setVatTreatment")
    async def set(self, request: HouseRequest, data: JSONBody[VatOrder]) -> VatTold:
        """From a day on, not before the first day of this month. What was written down before is never changed."""
        order = TreatmentOrder(
            *(data.id, data.course, data.trainer, data.treatment, data.evidence, data.valid_from, data.legal_basis)
        )
        await again(lambda: actions.set_treatment(order, actor=request.actor.login))
        return VatTold(id=data.id)


async def _billing(organisation: UUID) -> BillingTold:
    found = await queries.billing_of(organisation)
    return BillingTold(details=None if found is None else told(Billing, found))
