"""Papers of top-ups, and to whom they are addressed."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.entrypoints.http.documents import PDF, XML, document
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.organisations import own_organisation
from leerbudget.entrypoints.web.pages import View, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.foundation.errors import InvalidInput
from leerbudget.identity.permissions import may
from leerbudget.papers import actions, queries
from leerbudget.papers.queries import TopUpPaper
from leerbudget.papers.rules import Party, programme
from leerbudget.papers.top_ups import e_invoice_for, receipt_for, request_for
from leerbudget.papers.typesetting import pdf
from leerbudget.payments.choosing import own_account

BILLING_FIELDS = ("street", "postcode", "place", "register", "number", "buyer_reference")


def papers_of(reference: str, *, by_bank: bool, received: bool) -> list[tuple[str, str]]:
    """What can be taken along of a top-up: words and address."""
    found = [("Verzoek tot storting (pdf)", "verzoek.pdf")]
    if by_bank:
        found.append(("E-factuur voor uw boekhouding (xml)", "e-factuur.xml"))
    if received:
        found.append(("Ontvangstbewijs (pdf)", "ontvangstbewijs.pdf"))
    return [(words, f"/organisatie/stortingen/{reference}/{file}") for words, file in found]


class TopUpPaperPages(Controller):
    """For an organisation, and for who confirms what came in at the bank."""

    path = "/organisatie/stortingen/{reference:str}"
    include_in_schema = False

    @get("/verzoek.pdf")
    async def request_paper(self, request: HouseRequest, reference: FromPath[str]) -> Response[bytes]:
        """The request for a deposit."""
        found, settings = await _visible(request, reference), request.app.state.settings
        made = await pdf(request_for(found, programme(settings), own_account(settings)))
        return document(made, f"verzoek-{found.reference}.pdf", PDF)

    @get("/ontvangstbewijs.pdf")
    async def receipt(self, request: HouseRequest, reference: FromPath[str]) -> Response[bytes]:
        """What came in and when."""
        found, settings = await _visible(request, reference), request.app.state.settings
        made = await pdf(receipt_for(found, programme(settings), own_account(settings)))
        return document(made, f"ontvangst-{found.reference}.pdf", PDF)

    @get("/e-factuur.xml")
    async def e_invoice(self, request: HouseRequest, reference: FromPath[str]) -> Response[bytes]:
        """The request as an e-invoice."""
        found, settings = await _visible(request, reference), request.app.state.settings
        made = e_invoice_for(found, programme(settings), own_account(settings))
        return document(made, f"e-factuur-{found.reference}.xml", XML)


class BillingPages(Controller):
    """To whom an organisation's papers are addressed."""

    path = "/organisatie/factuurgegevens"
    include_in_schema = False

    @get()
    async def details(self, request: HouseRequest) -> Response[str]:
        """As they are now."""
        known = await queries.billing_of(own_organisation(request, "set_billing"))
        values = {} if known is None else {name: getattr(known, name) or "" for name in BILLING_FIELDS}
        return await page(request, "factuurgegevens.html", View(), form=Form(values=values))

    @post()
    async def change(self, request: HouseRequest) -> Response[str] | Response[None]:
        """As they are from now on."""
        organisation = own_organisation(request, "set_billing")
        form = await filled_in(request)
        street, postcode, place, register, number, reference = (form.value(name) for name in BILLING_FIELDS)
        address = Party("-", street, postcode, place, register, number)
        try:
            await actions.set_billing(organisation, address, reference or None, actor=request.actor.login)
        except InvalidInput as refusal:
            errors = {each["path"]: each["message"] for each in refusal.data.get("errors", ())}
            return await page(
                request, "factuurgegevens.html", View(), form=with_errors(form, errors), status=refusal.status
            )
        return moved("/organisatie/factuurgegevens", "opgeslagen")


async def _visible(request: HouseRequest, reference: str) -> TopUpPaper:
    whose: UUID | None = None
    if not may(request.user, "confirm_top_up"):
        whose = own_organisation(request, "see_pot")
    return await queries.top_up_paper(reference, whose)
