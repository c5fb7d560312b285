"""Bank statements through the page: four outcomes, files that are refused whole, and saying what money is for."""

import asyncio
from dataclasses import replace

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count, forms_in
from leerbudget.budgets import queries as budgets
from leerbudget.entrypoints.web.bank import UPLOAD_BYTES_MAX
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.payments import actions as payments
from leerbudget.payments import bank_queries, queries
from leerbudget.payments.asking import refund_top_up
from leerbudget.payments.choosing import EXAMPLE
from leerbudget.payments.iso20022 import BANK_FILE_BYTES_MAX
from payments.bank_world import OWN_IBAN, Line, books, one, sums


@pytest.fixture
async def coordinator(app):
    """Who sees the bank account; afterwards payments and books fit."""
    async with visiting.coordinator(app) as made:
        yield made
    assert [*await queries.check(), *await ledger.check()] == []


def a_file(*lines, **more):
    """A statement of the account of this installation."""
    return one(*lines, iban=EXAMPLE.iban, **more)


async def announced(cents=118_000, actor=None):
    """An organisation and the reference of the transfer that it announced."""
    organisation = await world.an_organisation()
    return organisation, await payments.request_top_up(new_id(), organisation, cents, None, actor=actor)


async def test_a_file_is_placed_known_or_waits_and_the_page_says_how_many(coordinator):
    """Money with a reference reaches the pot, other money waits; the same file again is known; reloading imports nothing."""
    organisation, reference = await announced()
    file = a_file(Line(118_000, "A", structured=reference), Line(7_000, "B", note="contributie"))
    answer = await coordinator.upload("/bank", file)
    assert answer.headers["location"] == "/bank?regels=2&geplaatst=1&bekend=0&wacht=1"
    told = await coordinator.page(answer.headers["location"])
    assert "contributie" in told
    assert "Het bestand is verwerkt." in told
    before = await books()
    assert (await coordinator.upload("/bank", file)).headers[
        "location"
    ] == "/bank?regels=2&geplaatst=0&bekend=2&wacht=0"
    assert await books() == before
    assert (await budgets.pot(organisation)).free_cents == 118_000
    for odd in (
        "?regels=x&geplaatst=1&bekend=0&wacht=1",
        "?regels=2",
        "?regels=99999999999&geplaatst=1&bekend=0&wacht=1",
    ):
        assert "Het bestand is verwerkt." not in await coordinator.page(f"/bank{odd}")


async def test_the_same_file_twice_at_once_is_taken_in_once(coordinator):
    """Two people, or two clicks: both are told, the money is there once."""
    organisation, reference = await announced()
    file = a_file(Line(118_000, "A", structured=reference), Line(7_000, "B"))
    answers = await asyncio.gather(*(coordinator.upload("/bank", file) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {303}
    assert (await budgets.pot(organisation)).free_cents == 118_000
    assert await sums() == {"bank": -125_000, "suspense": 7_000}
    assert await count("SELECT count(*) FROM bank_entry") == 2


async def test_a_gap_between_statements_is_told(coordinator):
    """One that does not open where the one before closed: taken in, and somebody should look for the one between."""
    await coordinator.upload("/bank", a_file(Line(7_000, "A"), day="2027-01-15"))
    later = a_file(Line(100, "B", day="2027-01-17"), number="3", opening=9_000, day="2027-01-17")
    answer = await coordinator.upload("/bank", later)
    assert "Misschien ontbreekt er een." in await coordinator.page(answer.headers["location"])


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 422, "Kies het bestand van de bank."),
        (b"%PDF-1.7 afschrift", 422, "geen XML"),
        (b"PK\x03\x04\xff", 422, "UTF-8"),
        (b"<?xml version='1.0'?><!DOCTYPE x><x/>", 422, "DTD"),
        (b"<html/>", 422, "camt.053.001.02 t/m camt.053.001.12"),
        (a_file(Line(7_000, "A"), closing=1), 422, "telt niet op"),
        (a_file(Line(7_000, "A", currency="USD")), 422, "andere munt"),
        (one(Line(7_000, "A")), 422, OWN_IBAN),
        (a_file(Line(7_000, "A"), Line(8_000, "A")), 422, "staat twee keer"),
        (b" " * (BANK_FILE_BYTES_MAX + 1), 413, "te groot"),
    ],
    ids=["none", "pdf", "zip", "dtd", "html", "sum", "dollars", "another account", "twice", "too large"],
)
async def test_a_file_that_is_not_right_is_refused_whole_with_the_reason(coordinator, content, status, words):
    """Beside the field, in the summary, and nothing of it is stored."""
    answer = await coordinator.upload("/bank", content)
    assert answer.status_code == status
    assert answer.text.count(words) == 2
    assert (content == b"") is ("Er is niets van dit bestand verwerkt." not in answer.text)
    assert await count("SELECT count(*) FROM bank_entry") == 0


async def test_a_changed_file_under_a_known_number_is_refused(coordinator):
    """What the bank said before is not said otherwise later."""
    await coordinator.upload("/bank", a_file(Line(7_000, "A")))
    answer = await coordinator.upload("/bank", a_file(Line(8_000, "A")))
    assert answer.status_code == 422
    assert "eerder gelezen, met een andere inhoud" in answer.text


async def test_a_body_far_beyond_any_file_is_not_even_read(coordinator):
    """Above the limit of the form itself: 413, in the frame of the site."""
    answer = await coordinator.upload("/bank", b" " * (UPLOAD_BYTES_MAX + 1))
    assert answer.status_code == 413
    assert '<html lang="nl">' in answer.text


async def test_without_an_account_of_our_own_nothing_is_taken_in(coordinator, monkeypatch):
    """In production no example stands in for it."""
    monkeypatch.setattr("leerbudget.entrypoints.web.bank.own_account", lambda _: None)
    assert "nog niet ingesteld" in await coordinator.page("/bank")
    answer = await coordinator.upload("/bank", a_file(Line(7_000, "A")))
    assert (answer.status_code, "LEERBUDGET_BANK_IBAN" in answer.text) == (422, True)


async def waiting(coordinator, *lines):
    """The addresses of entries that wait, by what the bank calls them."""
    await coordinator.upload("/bank", a_file(*lines))
    return {each.bank_ref: f"/bank/regels/{each.id}" for each in await bank_queries.unmatched()}


async def test_money_is_said_to_be_for_a_top_up(coordinator):
    """By its reference, with a reason; as if the reference had been on it. What is wrong keeps what was filled in."""
    organisation, reference = await announced(50_000)
    place = (await waiting(coordinator, Line(50_000, "A", note="bijdrage")))["A"]
    filled = {"what": "payment", "reason": "Gebeld met de afzender"}
    for wrong, words in (("RF18539007547035", "controleer elk cijfer"), ("RF18539007547034", "geen storting per bank")):
        answer = await coordinator.submit(place, place, **filled, reference=wrong)
        assert answer.status_code == 422
        assert words in answer.text
        (form,) = (each for each in forms_in(answer.text) if each.action == place)
        assert form.values["reason"] == ["Gebeld met de afzender"]
        assert form.values["what"] == ["payment"]
        assert form.values["reference"] == [wrong]
    assert (await coordinator.submit(place, place, reference=reference, what="payment", reason="")).status_code == 422
    done = await coordinator.submit(place, place, **filled, reference=reference)
    assert done.headers["location"] == "/bank?melding=bankregel-verklaard"
    told = await coordinator.page(place)
    assert "Geplaatst bij een betaling" in told
    assert reference in told
    assert (await budgets.pot(organisation)).free_cents == 50_000
    again = await coordinator.post(place, {"what": "cost", "reason": "Toch kosten"})
    assert (again.status_code, "al beslist" in again.text, "Toch kosten" in again.text) == (409, True, True)
    assert await queries.open_tasks() == []


@pytest.mark.parametrize(
    ("what", "state"),
    [
        ("send-back", "Gaat terug naar de afzender"),
        ("cost", "Bankkosten of rente"),
        ("known", "Al met de hand bevestigd"),
        ("gateway", "Van de betaaldienst"),
    ],
)
async def test_money_is_said_to_be_something_else(coordinator, what, state):
    """Each way has its own state, the reason stands on the page, and nothing waits any more."""
    place = (await waiting(coordinator, Line(7_000, "A")))["A"]
    assert (await coordinator.submit(place, place, reason="Gebeld")).status_code == 422
    assert (await coordinator.submit(place, place, what=what, reason="Gebeld")).status_code == 303
    told = await coordinator.page(place)
    assert state in told
    assert "Gebeld" in told
    assert await bank_queries.unmatched() == []


async def test_of_money_that_went_out_less_can_be_said(coordinator):
    """Costs, the payment service, or a refund that was owed; nothing that only money that came in can be."""
    place = (await waiting(coordinator, Line(-125, "K", note="kosten januari")))["K"]
    assert "ging van onze rekening" in await coordinator.page(place)
    assert (await coordinator.post(place, {"what": "send-back", "reason": "x"})).status_code == 422
    assert (await coordinator.submit(place, place, what="cost", reason="Kosten")).status_code == 303


async def test_a_refund_that_was_paid_by_hand_is_found_by_its_reference(coordinator):
    """What is not owed is refused beside its reference, and the form keeps its values; what is owed is owed no more."""
    _, reference = await announced(10_000)
    await coordinator.upload(
        "/bank", a_file(*(Line(5_000, ref, structured=reference, iban=account) for ref, account in OF_TWO))
    )
    payment = await fetch_value("SELECT id FROM payment")
    await refund_top_up(payment, 3_000, id=new_id(), gateways={}, actor=new_id())
    await coordinator.upload("/bank", a_file(Line(-3_000, "OUT"), Line(-2_999, "LESS"), number="2"))
    places = {each.bank_ref: f"/bank/regels/{each.id}" for each in await bank_queries.unmatched()}
    filled = {"what": "payment", "reason": "Overgemaakt op het opgegeven nummer"}
    for bank_ref, named, status, words in (
        ("LESS", reference, 409, "niet meer terug te betalen"),
        ("OUT", "RF18539007547034", 422, "Er is geen betaling met dit kenmerk"),
    ):
        answer = await coordinator.submit(places[bank_ref], places[bank_ref], **filled, reference=named)
        assert (answer.status_code, words in answer.text, named in answer.text) == (status, True, True)
    answer = await coordinator.submit(places["OUT"], places["OUT"], **filled, reference=reference)
    assert answer.headers["location"] == "/bank?melding=bankregel-verklaard"
    told = await coordinator.page(places["OUT"])
    assert "Overgemaakt op het opgegeven nummer" in told
    assert reference in told
    assert (await sums()).get("refunds_owed") is None


OF_TWO = (("A", OWN_IBAN), ("B", "NL30MOCK0000000005"))


async def test_who_asked_for_a_top_up_cannot_say_that_its_money_is_here(app, coordinator):
    """Four eyes, beside the reference; and without a known account nothing can be sent back."""
    me = await visiting.count("SELECT id FROM login WHERE email = 'coordinator@fictief.example'")
    _, reference = await announced(50_000, actor=me)
    places = await waiting(coordinator, Line(50_000, "A"), Line(700, "B", iban=None))
    refused = await coordinator.submit(places["A"], places["A"], what="payment", reference=reference, reason="Zelf")
    assert (refused.status_code, "Iemand anders moet bevestigen" in refused.text) == (403, True)
    refused = await coordinator.submit(places["B"], places["B"], what="send-back", reason="Hoort niet bij ons")
    assert (refused.status_code, "van welke rekening" in refused.text) == (409, True)


async def test_the_demonstration_has_a_statement_to_read_in(app, coordinator):
    """It brings what was announced and fits on the one before; elsewhere there is no such thing."""
    first, _ = await announced(118_000)
    assert (await coordinator.get("/bank/voorbeeld")).status_code == 404
    usual = app.state.settings
    app.state.settings = replace(usual, environment="demo")
    try:
        assert 'href="/bank/voorbeeld"' in await coordinator.page("/bank")
        file = await coordinator.get("/bank/voorbeeld")
        assert file.headers["content-type"].startswith("application/xml")
        answer = await coordinator.upload("/bank", file.content)
        assert answer.headers["location"] == "/bank?regels=1&geplaatst=1&bekend=0&wacht=0"
        assert 'href="/bank/voorbeeld"' not in await coordinator.page("/bank")
    finally:
        app.state.settings = usual
    assert (await budgets.pot(first)).free_cents == 118_000
