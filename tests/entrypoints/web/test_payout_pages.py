"""Paying out through the pages: an account given and confirmed, two people, a file out, an answer in."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from entrypoints.web import visiting
from entrypoints.web.visiting import count, forms_in
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.payments import actions, bank_queries, queries
from leerbudget.payments.bank_rules import message_id_of
from leerbudget.payments.choosing import EXAMPLE
from leerbudget.people import queries as persons
from leerbudget.trainers import queries as trainers
from payments.bank_world import OWN_IBAN, PAYER_IBAN, Line, one, rejecting, sums
from payments.settling_world import a_country, on

PAY_DAY = on("2027-02-02")
DRAFT = "/uitbetalingen"


@pytest.fixture
async def country(world_db):
    """Two trainers who work for themselves, each with € 180,00 earned in January."""
    made = await a_country(families=[2], employers=[None, None])
    for place in range(2):
        await made.pays("2027-01-20", made.families[0][place], place, 18_000)
    yield made
    with travelling(PAY_DAY):
        assert [*await queries.check(), *await ledger.check()] == []


@asynccontextmanager
async def two_people(app):
    """On the day of paying: two coordinators."""
    with travelling(PAY_DAY):
        async with (
            visiting.somebody(app, "an@fictief.example", None, [("coordinator", None)]) as an,
            visiting.somebody(app, "bo@fictief.example", None, [("coordinator", None)]) as bo,
        ):
            yield an, bo


@asynccontextmanager
async def as_trainer(app, country, place=0):
    """A trainer, logged in."""
    member = country.trainers[place]
    async with visiting.trainer(app, member, (await trainers.trainer(member)).person) as made:
        yield made


async def has_account(app, country, confirmer, place=0, iban=OWN_IBAN):
    """A trainer gives an account and a coordinator confirms it."""
    async with as_trainer(app, country, place) as trainer:
        given = await trainer.submit("/mijn-rekening", "/mijn-rekening", iban=iban, holder_name="T. Voorbeeld")
        assert given.headers["location"] == "/mijn-rekening?melding=rekening-gegeven"
    (waits,) = await bank_queries.unconfirmed_accounts()
    page = f"/uitbetalingen/rekeningen/{waits.id}"
    assert (await confirmer.submit(page, f"{page}/bevestigen", asked="ja")).status_code == 303


async def drafted(person):
    """A draft of everything that can be paid; its address."""
    answer = await person.submit(DRAFT, DRAFT)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


async def told(kind):
    """To whom and about how much a kind of notice was posted."""
    rows = await fetch_all(
        "SELECT address, context->>'amount_cents' AS cents FROM outbox_message WHERE kind = $1", kind
    )
    return sorted((row["address"], int(row["cents"])) for row in rows)


async def email_of(country, place):
    """Where a trainer reads mail."""
    return (await persons.person((await trainers.trainer(country.trainers[place])).person)).email


async def test_a_trainer_gives_an_account_and_it_counts_once_somebody_else_confirmed_it(app, country):
    """Only its last signs are shown to the trainer; until it is confirmed the one before counts."""
    async with two_people(app) as (an, _), as_trainer(app, country) as trainer:
        assert "Er is nog geen rekening die geldt." in await trainer.page("/mijn-rekening")
        await has_account(app, country, an, iban="nl14 mock 0000 0000 02")
        shown = await trainer.page("/mijn-rekening")
        assert "NL•• … 0002" in shown
        assert PAYER_IBAN not in shown
        await trainer.submit("/mijn-rekening", "/mijn-rekening", iban=OWN_IBAN, holder_name="T. Voorbeeld")
        shown = await trainer.page("/mijn-rekening")
        assert shown.index("NL•• … 0002") < shown.index("Wacht op controle") < shown.index("NL•• … 0001")
        (waits,) = await bank_queries.unconfirmed_accounts()
        page = f"/uitbetalingen/rekeningen/{waits.id}"
        asks = await an.page(page)
        assert "NL41 MOCK 0000 0000 01" in asks
        assert "NL14 MOCK 0000 0000 02" in asks
        refused = await an.submit(page, f"{page}/bevestigen")
        assert (refused.status_code, "zet hier een vinkje" in refused.text) == (422, True)
        assert (await an.submit(page, f"{page}/afwijzen")).headers["location"] == f"{DRAFT}?melding=rekening-afgewezen"
        assert "Wacht op controle" not in await trainer.page("/mijn-rekening")
        assert "wordt niet meer gebruikt" in await an.page(page)


@pytest.mark.parametrize(
    ("iban", "holder", "words"),
    [
        ("NL41MOCK0000000002", "T. Voorbeeld", "Dit rekeningnummer klopt niet."),
        ("", "T. Voorbeeld", "Dit rekeningnummer klopt niet."),
        ("US12345678", "T. Voorbeeld", "Dit rekeningnummer klopt niet."),
        (OWN_IBAN, "", "Vul"),
    ],
)
async def test_an_account_that_is_not_right_keeps_the_form(app, country, iban, holder, words):
    """422 with the sentence at the field, and what was typed."""
    async with as_trainer(app, country) as trainer:
        answer = await trainer.submit("/mijn-rekening", "/mijn-rekening", iban=iban, holder_name=holder)
        assert answer.status_code == 422
        assert words in answer.text
        (form,) = (each for each in forms_in(answer.text) if each.action == "/mijn-rekening")
        assert (form.values["iban"], form.values["holder_name"]) == ([iban], [holder])
    assert await count("SELECT count(*) FROM payout_account") == 0


async def test_who_gave_an_account_cannot_confirm_it(app, country):
    """Somebody who is trainer and coordinator at once: refused, the tick is kept, nothing counts."""
    member = country.trainers[0]
    roles = [("trainer", member), ("coordinator", None)]
    async with visiting.somebody(app, "beide@fictief.example", None, roles) as both:
        await both.submit("/mijn-rekening", "/mijn-rekening", iban=OWN_IBAN, holder_name="T. Voorbeeld")
        (waits,) = await bank_queries.unconfirmed_accounts()
        page = f"/uitbetalingen/rekeningen/{waits.id}"
        refused = await both.submit(page, f"{page}/bevestigen", asked="ja")
        assert (refused.status_code, "U gaf deze rekening zelf op." in refused.text) == (403, True)
        (form,) = (each for each in forms_in(refused.text) if each.action == f"{page}/bevestigen")
        assert form.values["asked"] == ["ja"]
    assert len(await bank_queries.unconfirmed_accounts()) == 1


async def test_one_drafts_another_approves_and_the_bank_pays(app, country):
    """The list, the draft, four eyes, the file, the statement: the page says how each line stands, the trainer hears it."""
    async with two_people(app) as (an, bo):
        await has_account(app, country, an)
        assert "Wacht op een rekeningnummer" in await an.page(DRAFT)
        place = await drafted(an)
        assert "U stelde dit zelf voor." in await an.page(place)
        assert (await an.get(f"{place}/bestand")).status_code == 409
        own = await an.post(f"{place}/goedkeuren", {"checked": "ja"})
        assert (own.status_code, "U stelde deze uitbetaling zelf voor." in own.text) == (403, True)
        (form,) = (each for each in forms_in(own.text) if each.action == f"{place}/goedkeuren")
        assert form.values["checked"] == ["ja"]
        assert (await bo.submit(place, f"{place}/goedkeuren")).status_code == 422
        assert (await bo.submit(place, f"{place}/goedkeuren", checked="ja")).status_code == 303
        assert "bo@fictief.example" in await an.page(place)
        file = await an.get(f"{place}/bestand")
        assert file.headers["content-disposition"].startswith('attachment; filename="LB-')
        assert b"pain.001.001.09" in file.content
        assert (await an.get(f"{place}/bestand")).content == file.content
        assert await count("SELECT count(*) FROM audit_entry WHERE verb = 'read_payout_file'") == 2
        refused = await bo.post(f"{place}/intrekken")
        assert (refused.status_code, "Alleen de bank" in refused.text) == (409, True)
        (line,) = await bank_queries.lines_of((await bank_queries.payouts())[0].id)
        debit = one(Line(-18_000, "P", end_to_end=line.id.hex), iban=EXAMPLE.iban)
        assert (await bo.upload("/bank", debit)).headers["location"] == "/bank?regels=1&geplaatst=1&bekend=0&wacht=0"
        assert "Betaald" in await an.page(place)
    assert await told("payout_paid") == [(await email_of(country, 0), 18_000)]
    assert "payout_clearing" not in await sums()


async def test_a_return_that_is_read_first_is_the_only_news(app, country):
    """Statements in the wrong order: the trainer hears that the money could not be paid, and never that it was."""
    async with two_people(app) as (an, bo):
        await has_account(app, country, an)
        place = await drafted(an)
        await bo.submit(place, f"{place}/goedkeuren", checked="ja")
        (line,) = await bank_queries.lines_of((await bank_queries.payouts())[0].id)
        back = Line(18_000, "R", end_to_end=line.id.hex, returned="AC04")
        for number, each in enumerate((back, Line(-18_000, "P", end_to_end=line.id.hex))):
            assert (await bo.upload("/bank", one(each, iban=EXAMPLE.iban, number=str(number)))).status_code == 303
    assert await told("payout_paid") == []
    assert await told("payout_rejected") == [(await email_of(country, 0), 18_000)]


async def test_two_people_who_draft_at_once_make_one_payout(app, country):
    """What a line pays is in one open line: one gets the draft, the others hear that there is nothing left."""
    async with two_people(app) as (an, bo):
        await has_account(app, country, an)
        await has_account(app, country, an, 1)
        people = (an, bo, an, bo)
        forms = [await person.form(DRAFT, DRAFT) for person in people]
        sent = [person.post(DRAFT, form.values) for person, form in zip(people, forms, strict=True)]
        answers = await asyncio.gather(*sent)
        assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
        assert all("Er is nu niets om uit te betalen." in each.text for each in answers if each.status_code == 409)
        first = [answer.status_code for answer in answers].index(303)
        again = await people[first].post(DRAFT, forms[first].values)
        assert again.headers["location"] == answers[first].headers["location"]
    (payout,) = await bank_queries.payouts()
    assert (payout.lines, payout.amount_cents) == (2, 36_000)


async def test_what_the_bank_rejects_is_told_and_can_be_paid_again(app, country):
    """The answer of the bank: its numbers, its reason at the line, the money payable again, a mail to the trainer."""
    async with two_people(app) as (an, bo):
        await has_account(app, country, an)
        place = await drafted(an)
        await bo.submit(place, f"{place}/goedkeuren", checked="ja")
        report = rejecting(message_id_of((await bank_queries.payouts())[0].id))
        answer = await an.upload(f"{DRAFT}/antwoord", report)
        assert answer.headers["location"] == f"{DRAFT}?aangenomen=0&geweigerd=1&gelijk=0"
        assert "1 geweigerd" in await an.page(answer.headers["location"])
        again = await an.upload(f"{DRAFT}/antwoord", report)
        assert again.headers["location"] == f"{DRAFT}?aangenomen=0&geweigerd=0&gelijk=1"
        shown = await an.page(place)
        assert "Geweigerd door de bank" in shown
        assert "FF01" in shown
        assert "Het antwoord" not in await an.page(f"{DRAFT}?aangenomen=x&geweigerd=0&gelijk=1")
    assert await told("payout_rejected") == [(await email_of(country, 0), 18_000)]
    assert "payout_clearing" not in await sums()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "Kies het bestand"), (b"x", "geen XML"), (one(), "pain.002"), (rejecting("LB-1"), "niet van ons")],
    ids=["none", "text", "statement", "of another"],
)
async def test_an_answer_that_is_not_right_is_refused_whole(app, country, content, words):
    """Beside the field and in the summary; nothing is taken in."""
    async with two_people(app) as (an, _):
        answer = await an.upload(f"{DRAFT}/antwoord", content)
        assert (answer.status_code, answer.text.count(words) >= 2) == (422, True)


async def test_a_draft_that_is_dropped_or_outdated_is_not_paid(app, country, monkeypatch):
    """Cancelled: approving says so. Without an account of our own nothing is approved."""
    async with two_people(app) as (an, bo):
        await has_account(app, country, an)
        place = await drafted(an)
        with monkeypatch.context() as patched:
            patched.setattr("leerbudget.entrypoints.web.payouts.own_account", lambda _: None)
            refused = await bo.submit(place, f"{place}/goedkeuren", checked="ja")
            assert (refused.status_code, "LEERBUDGET_BANK_IBAN" in refused.text) == (422, True)
        assert (await an.submit(place, f"{place}/intrekken")).status_code == 303
        refused = await bo.post(f"{place}/goedkeuren", {"checked": "ja"})
        assert (refused.status_code, "al beslist" in refused.text) == (409, True)
        assert "Ingetrokken" in await bo.page(place)
        assert "Uitbetaling voorstellen" in await an.page(DRAFT)


async def test_a_refund_of_a_transfer_goes_along_and_its_payer_hears_when_it_is_gone(app, country):
    """From the top-up's page into the next payout, to the account that it came from; told when the bank paid it."""
    organisation, top_up = country.organisations[0], new_id()
    async with two_people(app) as (an, bo), visiting.finance(app, organisation):
        reference = await actions.request_top_up(top_up, organisation, 50_000, None, actor=None)
        await an.upload("/bank", one(Line(50_000, "A", structured=reference), iban=EXAMPLE.iban))
        place = f"/stortingen/{top_up}/terugbetalen"
        seen = await an.submit(place, place, amount="180")
        assert "met de volgende uitbetaling" in seen.text
        (form,) = (each for each in forms_in(seen.text) if each.action == place)
        assert (await an.post(place, form.values)).status_code == 303
        assert await told("refund_paid") == []
        payout = await drafted(an)
        await bo.submit(payout, f"{payout}/goedkeuren", checked="ja")
        (line,) = await bank_queries.lines_of((await bank_queries.payouts())[0].id)
        assert (line.purpose, line.iban) == ("refund", PAYER_IBAN)
        debit = one(Line(-18_000, "P", end_to_end=line.id.hex), iban=EXAMPLE.iban, number="2", opening=50_000)
        await bo.upload("/bank", debit)
    assert await told("refund_paid") == [(f"organisation_finance-{organisation}@fictief.example", 18_000)]
