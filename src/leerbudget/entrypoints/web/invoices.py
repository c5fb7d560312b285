"""What a trainer who works for oneself earned: invoices that we make out, or what to put on one's own."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.entrypoints.http.documents import PDF, XML, document
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, paged, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.foundation.errors import InvalidInput, NotFound
from leerbudget.foundation.ids import new_id
from leerbudget.identity.permissions import require
from leerbudget.papers import actions, invoices, queries
from leerbudget.papers.errors import SelfBillingKnown, SelfBillingOpen
from leerbudget.papers.queries import MonthEarned, SelfBillingView
from leerbudget.papers.rules import PERCENT, Party, number_of, vat_sums
from leerbudget.papers.typesetting import pdf
from leerbudget.people import queries as people

MONTHS_ON_PAGE = 12
FIELDS = ("name", "street", "postcode", "place", "number", "vat_id")


class TrainerPaperPages(Controller):
    """A trainer's own papers."""

    path = "/trainer/facturen"
    include_in_schema = False

    @get()
    async def overview(self, request: HouseRequest) -> Response[str]:
        """Invoices, months to invoice oneself, and the agreement."""
        return await _overview(request, _trainer(request, "see_invoices"))

    @get("/{invoice_id:uuid}/factuur.pdf")
    async def paper(self, request: HouseRequest, invoice_id: FromPath[UUID]) -> Response[bytes]:
        """An invoice as a paper."""
        found = await queries.invoice(invoice_id, _trainer(request, "see_invoices"))
        made = await pdf(invoices.invoice_paper(found))
        return document(made, f"factuur-{number_of(found.head.number)}.pdf", PDF)

    @get("/{invoice_id:uuid}/factuur.xml")
    async def e_invoice(self, request: HouseRequest, invoice_id: FromPath[UUID]) -> Response[bytes]:
        """An invoice for a bookkeeping program."""
        found = await queries.invoice(invoice_id, _trainer(request, "see_invoices"))
        return document(invoices.e_invoice(found), f"factuur-{number_of(found.head.number)}.xml", XML)

    @get(["/afspraak", "/stoppen"])
    async def form_address(self, request: HouseRequest) -> Response[None]:
        """The forms' own addresses, opened again: back to where they stand."""
        _trainer(request, "agree_self_billing")
        return moved("/trainer/facturen")

    @post("/afspraak")
    async def agree(self, request: HouseRequest) -> Response[str] | Response[None]:
        """From this month on we make out the invoices."""
        trainer = _trainer(request, "agree_self_billing")
        form = await filled_in(request)
        made = an_id(form.value("agreement_id"))
        name, street, postcode, place, number, vat_id = (form.value(field) for field in FIELDS)
        errors = {} if form.value("agree") == "ja" else {"agree": "Zet een vinkje als u het hiermee eens bent."}
        try:
            if made is not None and not errors:
                supplier = Party(name, street, postcode, place, "kvk", number, vat_id)
                await actions.agree_self_billing(made, trainer, supplier, actor=request.actor.login)
                return moved("/trainer/facturen", "facturen-afgesproken")
        except InvalidInput as refusal:
            errors = {each["path"]: each["message"] for each in refusal.data.get("errors", ())}
        except (SelfBillingKnown, SelfBillingOpen) as refusal:
            errors = {"agree": str(refusal)}
        return await _overview(request, trainer, form=with_errors(form, errors), status=422)

    @post("/stoppen")
    async def end(self, request: HouseRequest) -> Response[None]:
        """From this month on the trainer makes out the own invoices."""
        await actions.end_self_billing(_trainer(request, "agree_self_billing"), actor=request.actor.login)
        return moved("/trainer/facturen", "facturen-gestopt")


async def _overview(
    request: HouseRequest, trainer: UUID, *, form: Form | None = None, status: int = 200
) -> Response[str]:
    agreements = await queries.agreements_of(trainer)
    open_now = next((each for each in agreements if each.ended_at is None), None)
    found, number, last = paged(
        await queries.invoices_of(trainer), request.query_params.get("pagina", ""), MONTHS_ON_PAGE
    )
    view = View(
        agreement=open_now,
        invoices=[
            View(
                id=each.id,
                number=number_of(each.number),
                month=each.month,
                issued_on=each.issued_on,
                gross_cents=each.gross_cents,
                credit=each.kind == "credit_note",
            )
            for each in found
        ],
        page=number,
        last_page=last,
        months=[_month(each) for each in await queries.to_invoice_oneself(trainer)],
    )
    shown = form or Form(values=await _known(request, agreements))
    return await page(request, "trainer_facturen.html", view, form=shown, status=status)


async def _known(request: HouseRequest, agreements: list[SelfBillingView]) -> dict[str, str | list[str]]:
    """What the form starts with: the details of the agreement before, or the trainer's name."""
    values: dict[str, str | list[str]] = {"agreement_id": str(new_id())}
    if agreements:
        before = agreements[0]
        told = (before.name, before.street, before.postcode, before.place, before.kvk, before.vat_id)
        return values | dict(zip(FIELDS, told, strict=True))
    if request.actor.person is not None:
        values["name"] = (await people.person(request.actor.person)).name
    return values


def _month(each: MonthEarned) -> View:
    lines = [
        View(
            what=invoices.line_text(line),
            when=invoices.when(line),
            rate=invoices.rate_text(line.treatment),
            session=line.session,
            gross_cents=line.gross_cents,
        )
        for line in each.lines
    ]
    sums = [
        View(
            percent=PERCENT[part.treatment],
            legal_basis=part.legal_basis,
            net_cents=part.net_cents,
            vat_cents=part.vat_cents,
        )
        for part in vat_sums(each.lines)
    ]
    total = sum(line.gross_cents for line in each.lines)
    return View(first_day=each.month, lines=lines, sums=sums, gross_cents=total)


def _trainer(request: HouseRequest, verb: str) -> UUID:
    own = sorted(request.actor.scopes("trainer"), key=str)
    if not own:
        raise NotFound
    require(request.user, verb, trainer=own[0])
    return own[0]
