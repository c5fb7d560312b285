"""Importing bank statements: what belongs to a payment goes there once; the rest waits for a person."""

import asyncio
import random

import pytest

from ledger.bookkeeping import CLERK, COLLEAGUE, TODAY, an_organisation
from leerbudget.budgets.queries import pot
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import execute, fetch_all, fetch_value
from leerbudget.foundation.errors import InvalidInput, LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments.actions import confirm_top_up, request_top_up
from leerbudget.payments.bank_errors import (
    EntryChanged,
    EntryDecided,
    EntryUnknown,
    OtherBankAccount,
    PayerAccountUnknown,
    PaymentTakesNothing,
    StatementChanged,
)
from leerbudget.payments.bank_queries import unmatched
from leerbudget.payments.errors import SecondPersonNeeded, TopUpUnknown
from leerbudget.payments.explaining import assign, bank_costs, from_gateway, known_by_hand, send_back
from leerbudget.payments.payables import lines_back
from leerbudget.payments.queries import check, top_ups_of
from leerbudget.payments.rules import readable, reference_of
from leerbudget.payments.statements import import_statements
from payments.bank_world import OWN_IBAN, Line, books, camt, one, statement, states, sums
from payments.paying import a_payment
from payments.test_camt import HOSTILE


@pytest.fixture
async def organisation(world_db):
    """A fictional organisation; afterwards bank, payments and books must fit."""
    with travelling(TODAY):
        yield await an_organisation()
    assert [*await check(), *await check_books()] == []


async def asked(organisation, cents=500_000):
    """A payment that waits for its money: its id and its reference."""
    made = new_id()
    with travelling(TODAY):
        return made, await request_top_up(made, organisation, cents, None, actor=CLERK)


async def taken_in(file):
    """Import a file into our account at the tests' moment."""
    with travelling(TODAY):
        return await import_statements(file, [OWN_IBAN], actor=None)


async def waiting(bank_ref):
    """The id of an entry."""
    return await fetch_value("SELECT id FROM bank_entry WHERE bank_ref = $1", bank_ref)


async def test_money_with_its_reference_is_credited_and_the_rest_waits(organisation):
    """Scenario 9: exact is credited; short leaves the rest open; over leaves the rest in suspense; an amount alone is nothing."""
    (_, exact), (_, short), (over_payment, over) = [
        await asked(organisation, cents) for cents in (500_000, 7_000, 6_000)
    ]
    await asked(organisation, 8_000)
    done = await taken_in(
        one(
            Line(500_000, "A", structured=exact),
            Line(5_000, "B", note=f"storting {readable(short)} dank"),
            Line(6_400, "C", note=over),
            Line(8_000, "D", note="storting"),
            Line(9_000, "E", note=reference_of(new_id())),
            Line(-1_250, "F", note="kosten"),
        )
    )
    assert (done.entries, done.known) == (6, 0)
    assert done.placed == {"matched": 2, "payout": 0, "payout_returned": 0, "suspense": 4}
    assert (await pot(organisation)).free_cents == 511_000
    assert await sums() == {"bank": -(511_000 + 17_400 - 1_250), "suspense": 17_400 - 1_250}
    waits = [(each.bank_ref, each.direction, each.suspense_cents) for each in await unmatched()]
    assert waits == [("C", "in", 400), ("D", "in", 8_000), ("E", "in", 9_000), ("F", "out", 1_250)]
    tasks = await fetch_all("SELECT kind FROM finance_task WHERE closed_at IS NULL ORDER BY kind")
    assert [row["kind"] for row in tasks] == ["not_as_asked", "unmatched", "unmatched", "unmatched"]
    await taken_in(one(Line(2_000, "G", note=short), number="2"))
    assert {each.id: each.state for each in await top_ups_of(organisation)}[over_payment] == "succeeded"
    assert (await pot(organisation)).free_cents == 513_000


async def test_the_same_file_and_an_overlapping_one_post_nothing_again(organisation):
    """Scenario 10: twice, twenty times at once, and with the next day after it: every entry is in the books once."""
    _, reference = await asked(organisation)
    lines = [Line(500_000, "A", structured=reference), Line(3_000, note="wie?"), Line(3_000, note="wie?")]
    file = one(*lines)
    await asyncio.gather(*(taken_in(file) for _ in range(20)))
    before = await books()
    again = await taken_in(file)
    assert (again.known, sum(again.placed.values()), await books()) == (3, 0, before)
    longer = await taken_in(one(*lines, Line(10, "N", day="2027-01-16"), number="2", day="2027-01-16"))
    assert (longer.known, longer.placed["suspense"]) == (3, 1)
    assert (await pot(organisation)).free_cents == 500_000
    assert await sums() == {"bank": -506_010, "suspense": 6_010}


async def test_one_name_for_an_entry_is_what_keeps_it_single(organisation, admin):
    """Negative control: without the guard, imports at the same moment store an entry several times; the books stand."""
    await admin.execute("ALTER TABLE bank_entry DROP CONSTRAINT bank_entry_once")
    await admin.execute("ALTER TABLE bank_statement DROP CONSTRAINT statement_once")
    await asyncio.gather(*(taken_in(one(Line(3_000, "A"))) for _ in range(10)))
    assert await fetch_value("SELECT count(*) FROM bank_entry") > 1
    assert await sums() == {"bank": -3_000, "suspense": 3_000}


async def test_a_file_that_changes_history_is_refused_whole(organisation):
    """The same statement or entry with other content, or a stranger's account: refused, and nothing of it is kept."""
    await taken_in(one(Line(3_000, "A"), Line(2_000, "B")))
    before = await books()
    refused = {
        "an entry was removed": (one(Line(3_000, "A")), StatementChanged),
        "another amount": (one(Line(1_000, "Z"), Line(3_001, "A"), number="2"), EntryChanged),
        "another note": (one(Line(1_000, "Z"), Line(3_000, "A", note="anders"), number="2"), EntryChanged),
        "another account": (
            camt(statement(Line(1_000, "Z"), number="2"), statement(number="3", iban="NL14MOCK0000000002")),
            OtherBankAccount,
        ),
    }
    for name, (file, error) in refused.items():
        with pytest.raises(error):
            await taken_in(file)
        assert (name, await states(), await books()) == (name, {"A": "suspense", "B": "suspense"}, before)
        assert await fetch_value("SELECT count(*) FROM bank_statement") == 1


async def test_hostile_files_leave_no_trace(organisation):
    """Whatever is wrong with a file: the books stay what they were, and nothing of it is stored."""
    await taken_in(one(Line(3_000, "OLD")))
    before = await books()
    for file, error in HOSTILE.values():
        with pytest.raises(error):
            await taken_in(file)
    assert (await books(), await states()) == (before, {"OLD": "suspense"})


async def test_what_was_stored_and_not_placed_is_placed_by_the_next_import(organisation):
    """A program that dies between storing and placing loses nothing: the next import goes on where it stopped."""
    _, reference = await asked(organisation)
    await taken_in(one(Line(1, "A")))
    await execute("UPDATE bank_entry SET state = 'read', suspense_cents = 0, decided_at = NULL")
    await taken_in(one(Line(500_000, "B", structured=reference), number="2", opening=1))
    assert await states() == {"A": "suspense", "B": "matched"}
    assert await sums() == {"bank": -500_001, "suspense": 1}


async def test_files_in_any_order_give_the_same_balances(organisation):
    """Statements of five days, in any order and some twice: the same cents in the same places."""
    _, reference = await asked(organisation)
    lines = [Line(500_000, "P", structured=reference), *(Line(100 + n, f"S{n}") for n in range(4))]
    files = [one(line, number=line.ref, opening=10 * n) for n, line in enumerate(lines)]
    order = [*files, *files[:2]]
    random.Random(7).shuffle(order)  # noqa: S311 - not a secret
    for file in order:
        await taken_in(file)
    assert await sums() == {"bank": -500_406, "suspense": 406}


async def test_a_gap_between_statements_is_told(organisation):
    """A statement that does not open where the one before closed is taken in, and said."""
    assert (await taken_in(one(Line(100, "A", day="2027-01-12"), day="2027-01-12"))).gaps == ()
    assert (await taken_in(one(Line(100, "B"), number="2", opening=100))).gaps == ()
    late = Line(100, "C", day="2027-01-20")
    assert (await taken_in(one(late, number="3", opening=300, day="2027-01-20"))).gaps == (OWN_IBAN,)


async def test_a_person_says_what_money_is_for(organisation):
    """Assigned to its payment, known by hand, costs, or sent back: each leaves the list once, with its reason."""
    payment, _ = await asked(organisation)
    by_hand, by_hand_reference = await asked(organisation, 6_000)
    with travelling(TODAY):
        await confirm_top_up(by_hand, TODAY.date(), actor=None)
    lines = (Line(500_000, "A"), Line(6_000, "B", note=by_hand_reference), Line(-12_50, "C"), Line(7_000, "D"))
    await taken_in(one(*lines, Line(8_000, "E")))
    ids = {ref: await waiting(ref) for ref in "ABCDE"}
    with travelling(TODAY):
        for _ in "ab":
            await assign(ids["A"], payment, "Gebeld met de afzender", actor=COLLEAGUE)
            await known_by_hand(ids["B"], "Was al bevestigd", actor=CLERK)
            await bank_costs(ids["C"], "Kosten van de bank", actor=CLERK)
            await send_back(ids["D"], "Niet voor ons", actor=CLERK)
            await from_gateway(ids["E"], "Van de betaaldienst", actor=CLERK)
    assert await states() == {"A": "matched", "B": "known", "C": "cost", "D": "sent_back", "E": "gateway"}
    assert (await pot(organisation)).free_cents == 506_000
    assert await sums() == {"bank": -(506_000 + 15_000 - 1_250), "suspense": 15_000, "bank_costs": -1_250}
    said = await fetch_all("SELECT DISTINCT verb FROM audit_entry WHERE subject_kind = 'bank_entry'")
    assert len(said) == 5
    assert await fetch_value("SELECT count(*) FROM finance_task WHERE closed_at IS NULL") == 0


async def test_what_a_payment_does_not_take_waits_on(organisation):
    """Money of € 90,00 assigned to a payment of € 70,00: € 20,00 waits on, and goes back; nothing goes to it again."""
    (payment, _), (other, _) = await asked(organisation, 7_000), await asked(organisation, 7_000)
    await taken_in(one(Line(9_000, "A"), Line(7_000, "B")))
    with travelling(TODAY):
        await assign(await waiting("A"), payment, "Gebeld", actor=COLLEAGUE)
        for error, verb in [
            (EntryDecided, assign(await waiting("A"), other, "De rest", actor=COLLEAGUE)),
            (PaymentTakesNothing, assign(await waiting("B"), payment, "Ook", actor=COLLEAGUE)),
        ]:
            with pytest.raises(error):
                await verb
        assert await sums() == {"bank": -16_000, "suspense": 9_000}
        await send_back(await waiting("A"), "Te veel", actor=COLLEAGUE)
    assert await states() == {"A": "sent_back", "B": "suspense"}
    assert [line.amount_cents for line in await lines_back()] == [2_000]
    assert (await pot(organisation)).free_cents == 7_000


async def test_what_cannot_be_said_of_money_is_refused(organisation):
    """No reason, no such entry, decided before, no payment, a payment that will not have it, no account to return to."""
    payment, _ = await asked(organisation)
    elsewhere = await a_payment(organisation, 9_000)
    note = reference_of(elsewhere)
    await taken_in(one(Line(500, "A", iban=None, note=note), Line(-5, "OUT"), Line(6, "DONE")))
    ids = {ref: await waiting(ref) for ref in ("A", "OUT", "DONE")}
    with travelling(TODAY):
        await bank_costs(ids["DONE"], "Rente", actor=CLERK)
        before = await books()
        refused = [
            (InvalidInput, assign(ids["A"], payment, " ", actor=CLERK)),
            (EntryUnknown, send_back(new_id(), "x", actor=CLERK)),
            (EntryDecided, bank_costs(ids["DONE"], "Toch niet", actor=CLERK)),
            (EntryDecided, send_back(ids["OUT"], "x", actor=CLERK)),
            (SecondPersonNeeded, assign(ids["A"], payment, "x", actor=CLERK)),
            (TopUpUnknown, assign(ids["A"], new_id(), "x", actor=CLERK)),
            (TopUpUnknown, assign(ids["A"], elsewhere, "x", actor=COLLEAGUE)),
            (PayerAccountUnknown, send_back(ids["A"], "x", actor=CLERK)),
        ]
        for error, verb in refused:
            with pytest.raises(error):
                await verb
    assert await states() == {"A": "suspense", "OUT": "suspense", "DONE": "cost"}
    assert await books() == before


async def test_two_people_at_once_decide_one_thing(organisation):
    """Assigned and sent back at the same moment: one of both, and the cents are in one place."""
    payment, _ = await asked(organisation)
    await taken_in(one(Line(500_000, "A")))
    entry = await waiting("A")
    with travelling(TODAY):
        verbs = [assign(entry, payment, "a", actor=COLLEAGUE), send_back(entry, "b", actor=CLERK)]
        done = await asyncio.gather(*verbs, return_exceptions=True)
    assert [type(each) for each in done if each is not None] == [EntryDecided]
    assert all(each is None or isinstance(each, LeerbudgetError) for each in done)


async def test_the_check_finds_an_entry_without_its_transfer_and_the_other_way_round(organisation, admin):
    """A planted transfer without an entry, a planted entry without a transfer, and a wrong amount are each reported."""
    await taken_in(one(Line(500, "A"), Line(600, "B")))
    await admin.execute("UPDATE bank_entry SET bank_ref = 'GONE' WHERE bank_ref = 'A'")
    await admin.execute("UPDATE bank_entry SET amount_cents = 601 WHERE bank_ref = 'B'")
    found = " ".join(await check())
    assert f"bank:{OWN_IBAN}:A staat in de boeken, maar op geen afschrift" in found
    assert f"bank:{OWN_IBAN}:GONE staat op een afschrift, maar niet in de boeken" in found
    assert f"bank:{OWN_IBAN}:B heeft in de boeken een ander bedrag" in found
    await admin.execute("UPDATE bank_entry SET bank_ref = 'A' WHERE bank_ref = 'GONE'")
    await admin.execute("UPDATE bank_entry SET amount_cents = 600 WHERE bank_ref = 'B'")
