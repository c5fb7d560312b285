"""Bank statements: taking them in, and saying of money that nobody expected what it is."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from stdnum import iban

from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.organisations import first
from leerbudget.entrypoints.web.pages import View, filled_in, moved, page, uploaded, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.fictional.bank_file import Entry, statement_file
from leerbudget.foundation.clock import AMSTERDAM, now, today
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import IdempotencyMismatch, InvalidInput, LeerbudgetError, NotFound
from leerbudget.identity.permissions import require
from leerbudget.payments import bank_queries, desk, explaining, queries
from leerbudget.payments.bank_errors import (
    EntryDecided,
    NoOwnAccount,
    PayerAccountUnknown,
    PaymentTakesNothing,
    RefundNotOwed,
)
from leerbudget.payments.bank_queries import UnmatchedEntry
from leerbudget.payments.choosing import own_account
from leerbudget.payments.desk import EntryView, StatementView
from leerbudget.payments.errors import SecondPersonNeeded, TopUpUnknown
from leerbudget.payments.iso20022 import BANK_FILE_BYTES_MAX
from leerbudget.payments.statements import ImportSummary, import_statements

UPLOAD_BYTES_MAX = BANK_FILE_BYTES_MAX * 3 // 2
"""More than any file that is read: one that is a little too large is told so in its own form."""

NOTHING_DONE = "Er is niets van dit bestand verwerkt."
COUNTS = ("regels", "geplaatst", "bekend", "wacht")

WHAT = (
    ("payment", "Een storting, en het kenmerk stond er niet bij"),
    ("send-back", "Hoort niet bij ons", "De volgende uitbetaling stuurt het terug naar de afzender."),
    ("known", "Al eerder met de hand bevestigd"),
    ("cost", "Kosten of rente van de bank"),
    ("gateway", "Van of naar de betaaldienst"),
)
REFUSALS = (InvalidInput, EntryDecided, PayerAccountUnknown, PaymentTakesNothing, RefundNotOwed, SecondPersonNeeded)
PAID_BACK = ("payment", "Een terugbetaling die wij zelf deden")


class BankPages(Controller):
    """For who sees the bank account of the programme."""

    path = "/bank"
    include_in_schema = False

    @get("/")
    async def desk(self, request: HouseRequest) -> Response[str]:
        """Taking in a statement, what waits for somebody, and what was taken in."""
        require(request.user, "see_bank")
        return await _desk_page(request)

    @post("/", request_max_body_size=UPLOAD_BYTES_MAX)
    async def take_in(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Take in a camt.053 file: all of it, or nothing. The same file again changes nothing."""
        login = require(request.user, "import_bank_file").login
        own, file = own_account(request.app.state.settings), await uploaded(request, "file")
        if own is None or not file:
            told = NoOwnAccount.message_nl if own is None else "Kies het bestand van de bank."
            return await _desk_page(request, Form(errors={"file": told}), 422)
        try:
            done = await again(lambda: import_statements(file, [own.iban], actor=login))
        except (InvalidInput, IdempotencyMismatch) as refusal:
            wrong = Form(errors={"file": f"{first(refusal)} {NOTHING_DONE}"})
            return await _desk_page(request, wrong, refusal.status)
        return moved(f"/bank?{_told(done)}")

    @get("/voorbeeld")
    async def example(self, request: HouseRequest) -> Response[bytes]:
        """In the demonstration: a made-up statement that brings every transfer that was announced."""
        require(request.user, "see_bank")
        own = own_account(request.app.state.settings)
        if own is None or not _is_demo(request):
            raise NotFound
        known = await desk.statements()
        opening_cents = known[0].closing_cents if known else 0
        entries = [
            Entry(each.amount_cents - each.received_cents, each.organisation_name, f"Storting {each.reference}")
            for each in await queries.open_top_ups()
        ]
        number = f"VOORBEELD-{now():%Y%m%d%H%M%S}"
        content = statement_file(own.iban, number, today(), opening_cents=opening_cents, entries=entries)
        headers = {"Content-Disposition": f'attachment; filename="{number}.xml"'}
        return Response(content, media_type="application/xml", headers=headers)

    @get("/regels/{entry_id:uuid}")
    async def one_entry(self, request: HouseRequest, entry_id: FromPath[UUID]) -> Response[str]:
        """What the bank says of it, and what became of it."""
        require(request.user, "see_bank")
        return await _entry_page(request, await desk.entry(entry_id))

    @post("/regels/{entry_id:uuid}")
    async def explain(self, request: HouseRequest, entry_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Say what it is for, and why."""
        login = require(request.user, "explain_bank_entry").login
        form, found = await filled_in(request), await desk.entry(entry_id)
        what, reason = form.value("what"), " ".join(form.value("reason").split())
        if what not in {each[0] for each in _choices(found)}:
            return await _entry_page(request, found, with_errors(form, {"what": "Kies wat dit is."}), 422)
        try:
            if what == "payment":
                await explaining.assign_by_reference(entry_id, form.value("reference"), reason, actor=login)
            else:
                await explaining.EXPLANATIONS[what](entry_id, reason, actor=login)
        except REFUSALS as refusal:
            return await _entry_page(
                request, found, with_errors(form, {_field(refusal): first(refusal)}), refusal.status
            )
        except TopUpUnknown:
            kind = "betaling" if found.direction == "out" else "storting per bank"
            wrong = with_errors(form, {"reference": f"Er is geen {kind} met dit kenmerk."})
            return await _entry_page(request, found, wrong, 422)
        return moved("/bank", "bankregel-verklaard")


def _is_demo(request: HouseRequest) -> bool:
    return bool(request.app.state.settings.environment == "demo")


def _field(refusal: LeerbudgetError) -> str:
    """Which field of the form a refusal is about."""
    if isinstance(refusal, PaymentTakesNothing | RefundNotOwed | SecondPersonNeeded):
        return "reference"
    return next((str(place["path"]) for place in refusal.data.get("errors", ())), "what")


def _told(done: ImportSummary) -> str:
    """What an import did, for the address after it: reloading that page imports nothing."""
    waits = done.placed["suspense"]
    numbers = (done.entries, sum(done.placed.values()) - waits, done.known, waits)
    gap = "&gat=ja" if done.gaps else ""
    return "&".join(f"{name}={number}" for name, number in zip(COUNTS, numbers, strict=True)) + gap


def _result(request: HouseRequest) -> View | None:
    asked = [request.query_params.get(name, "") for name in COUNTS]
    if not all(text.isascii() and text.isdigit() and len(text) < 8 for text in asked):
        return None
    entries, placed, known, waiting = map(int, asked)
    gap = "gat" in request.query_params
    return View(entries=entries, placed=placed, known=known, waiting=waiting, gap=gap)


async def _desk_page(request: HouseRequest, form: Form | None = None, status: int = 200) -> Response[str]:
    own = own_account(request.app.state.settings)
    view = View(
        own_iban=None if own is None else iban.format(own.iban),
        example=_is_demo(request) and bool(await queries.open_top_ups()),
        result=_result(request) if form is None else None,
        waiting=[_waiting(each) for each in await bank_queries.unmatched()],
        statements=[_statement(each) for each in await desk.statements()],
    )
    return await page(request, "bank.html", view, form=form, status=status)


def _waiting(each: UnmatchedEntry) -> View:
    return View(
        id=each.id,
        booked_on=each.booked_on,
        outgoing=each.direction == "out",
        cents=each.suspense_cents,
        party_name=each.party_name,
        note=each.note,
    )


def _statement(each: StatementView) -> View:
    return View(
        number=each.number,
        closing_on=each.closing_on,
        closing_cents=each.closing_cents,
        imported_on=each.imported_at.astimezone(AMSTERDAM).date(),
        entries=each.entries,
        waiting=each.waiting,
    )


def _choices(found: EntryView) -> list[tuple[str, ...]]:
    """What can be said of an entry, as the options of the form."""
    if found.direction == "in":
        return list(WHAT)
    return [PAID_BACK, *(each for each in WHAT if each[0] in explaining.FOR_OUTGOING)]


async def _entry_page(
    request: HouseRequest, found: EntryView, form: Form | None = None, status: int = 200
) -> Response[str]:
    view = View(
        id=found.id,
        state=found.state,
        outgoing=found.direction == "out",
        amount_cents=found.amount_cents,
        suspense_cents=found.suspense_cents,
        booked_on=found.booked_on,
        party_name=found.party_name,
        party_iban=iban.format(found.party_iban) if found.party_iban else None,
        note=found.note,
        reference=found.reference,
        bank_ref=found.bank_ref,
        return_reason=found.return_reason,
        payment_reference=found.payment_reference,
        reason=found.reason,
        choices=_choices(found) if found.state == "suspense" or form is not None else [],
    )
    return await page(request, "bank_regel.html", view, form=form, status=status)
