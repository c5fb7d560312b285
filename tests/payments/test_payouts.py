"""Paying out: drafted by one, approved by another, and every cent is at the trainer, on its way or back."""

import asyncio
from datetime import timedelta

import pytest

from ledger.bookkeeping import CLERK, COLLEAGUE, an_organisation
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import balances
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments.actions import request_top_up
from leerbudget.payments.asking import refund_top_up
from leerbudget.payments.bank_errors import (
    AnotherPersonConfirms,
    BankFileDefines,
    NotAnIban,
    NothingToPay,
    PayableChanged,
    PayoutAccountKnown,
    PayoutAccountUnknown,
    PayoutEnded,
    PayoutKnown,
    PayoutUnknown,
    StatusOfAnother,
)
from leerbudget.payments.bank_queries import (
    file_of,
    lines_of,
    payout_accounts,
    payouts,
    unconfirmed_accounts,
    unmatched,
)
from leerbudget.payments.bank_rules import compact_iban, masked, message_id_of
from leerbudget.payments.explaining import send_back
from leerbudget.payments.iso20022 import message_in
from leerbudget.payments.pain import PAIN_001, OwnAccount
from leerbudget.payments.payees import confirm_account, end_account, propose_account
from leerbudget.payments.payouts import approve_payout, cancel_payout, draft_payout, import_status
from leerbudget.payments.queries import check
from leerbudget.payments.statements import import_statements
from payments.bank_world import Line, books, kept_schemas, one, rejecting, status_of, sums
from payments.mock_bank import CLOSED_IBAN, ELSEWHERE_IBAN, OWN_IBAN, running
from payments.settling_world import a_country, on

OWN = OwnAccount(OWN_IBAN, "Leerbudget (fictief)")
PAY_DAY = on("2027-02-02")


kept_schemas()


@pytest.fixture(scope="module")
def the_bank():
    """One bank for all these tests."""
    with running("2027-02-02T09:00") as found:
        yield found


@pytest.fixture
def bank(the_bank):
    """The bank as it was at the start."""
    the_bank.fresh()
    return the_bank


@pytest.fixture
async def country(world_db):
    """Two trainers who work for themselves and one who does not, each with € 180,00 earned in January."""
    made = await a_country(families=[3], employers=[None, None, 0])
    for place in range(3):
        await made.pays("2027-01-20", made.families[0][place], place, 18_000)
    yield made
    with travelling(PAY_DAY):
        assert [*await check(), *await check_books()] == []


async def has_account(trainer, iban=ELSEWHERE_IBAN, by=CLERK):
    """A trainer's account that a colleague confirmed."""
    made = new_id()
    with travelling(on("2027-01-21")):
        await propose_account(made, trainer, iban, "T. Voorbeeld (fictief)", actor=by)
        await confirm_account(made, actor=COLLEAGUE)
    return made


async def drafted(moment=PAY_DAY):
    """A draft of everything that can be paid."""
    made = new_id()
    with travelling(moment):
        await draft_payout(made, actor=CLERK)
    return made


async def approved(payout, by=COLLEAGUE):
    """The draft, approved; its file."""
    with travelling(PAY_DAY):
        await approve_payout(payout, OWN, actor=by)
        return await file_of(payout)


async def payable(country, *places):
    """What stands to the credit of trainers."""
    accounts = [country.accounts[place] for place in places]
    found = await balances(accounts)
    return [found[account].posted_cents for account in accounts]


async def statements_from(bank, days=2):
    """Days pass at the bank, and its statements are imported."""
    bank.days_pass(days)
    with travelling(PAY_DAY + timedelta(days=10)):
        return [await import_statements(file, [OWN_IBAN], actor=None) for file in bank.says("camt.053")]


async def test_paid_trainers_end_at_zero(country, bank):
    """Draft, approve, send, accepted, booked: the payables and the clearing account are empty, the bank has paid."""
    for place in (0, 1):
        await has_account(country.trainers[place])
    before = (await sums())["bank"]
    file = await approved(await drafted())
    assert await sums() == {"bank": before, "payout_clearing": 36_000}
    assert bank.orders(file) == 202
    (report,) = bank.says("pain.002")
    with travelling(PAY_DAY):
        assert (await import_status(report, actor=None)).accepted == 2
        assert (await import_status(report, actor=None)).unchanged == 2
    done = await statements_from(bank)
    assert sum(each.placed["payout"] for each in done) == 2
    assert await sums() == {"bank": before + 36_000}
    assert await payable(country, 0, 1, 2) == [0, 0, 18_000]
    (view,) = await payouts()
    assert (view.state, view.lines, view.amount_cents, view.open_cents) == ("approved", 2, 36_000, 0)
    with pytest.raises(NothingToPay):
        await drafted()


async def test_an_order_names_accounts_by_iban_alone(country):
    """No bank of a payee, and for our own bank the word for none: what banks of the euro area want without a BIC."""
    for place in (0, 1):
        await has_account(country.trainers[place])
    order = message_in(await approved(await drafted()), [PAIN_001])
    assert [each.text for each in order.iter("IBAN")] == [OWN_IBAN, ELSEWHERE_IBAN] * 2
    assert [each.text for each in order.findall(".//DbtrAgt/FinInstnId/Othr/Id")] == ["NOTPROVIDED"] * 2
    assert not [*order.iter("CdtrAgt"), *order.iter("BICFI")]


async def test_what_the_bank_rejects_is_payable_again_once(country, bank):
    """One account is closed: that line comes back, once, and the other is paid. The account is used no more.

    Nor is the one before it, which the trainer left: the next payout waits for an account that somebody confirmed since.
    """
    await has_account(country.trainers[0])
    await has_account(country.trainers[0], CLOSED_IBAN)
    await has_account(country.trainers[1])
    payout = await drafted()
    assert bank.orders(await approved(payout)) == 202
    (report,) = bank.says("pain.002")
    with travelling(PAY_DAY):
        done = [await import_status(report, actor=None) for _ in "ab"]
    assert [(each.accepted, each.rejected) for each in done] == [(1, 1), (0, 0)]
    assert await payable(country, 0, 1) == [18_000, 0]
    assert {(line.state, line.bank_reason) for line in await lines_of(payout)} == {
        ("accepted", None),
        ("rejected", "AC04"),
    }
    await statements_from(bank)
    assert "payout_clearing" not in await sums()
    assert await payout_accounts(country.trainers[0]) == []
    with pytest.raises(NothingToPay):
        await drafted()
    await has_account(country.trainers[0])
    again = await drafted()
    assert [(line.amount_cents, line.iban) for line in await lines_of(again)] == [(18_000, ELSEWHERE_IBAN)]


async def test_a_whole_file_that_the_bank_rejects_comes_back_whole(country, bank):
    """The bank refuses the file: every line is payable again."""
    await has_account(country.trainers[0])
    bank.behaves("ACME", "reject-file")
    assert bank.orders(await approved(await drafted())) == 422
    (report,) = bank.says("pain.002")
    with travelling(PAY_DAY):
        assert (await import_status(report, actor=None)).rejected == 1
    assert await payable(country, 0) == [18_000]
    assert "payout_clearing" not in await sums()


async def test_a_payment_that_comes_back_days_later_is_payable_again(country, bank):
    """Paid, booked, and returned by the payee's bank: what the books say is what the bank says, all the way."""
    await has_account(country.trainers[0])
    bank.behaves("ACME", "return-later", days=2, reason="AC04")
    before = (await sums())["bank"]
    bank.orders(await approved(await drafted()))
    done = await statements_from(bank, days=8)
    assert sum(each.placed["payout"] for each in done) == sum(each.placed["payout_returned"] for each in done) == 1
    assert await sums() == {"bank": before}
    assert await payable(country, 0) == [18_000]
    assert await payout_accounts(country.trainers[0]) == []


async def test_an_account_stays_when_it_is_not_what_was_wrong(country):
    """A whole file that is refused for our own account, or a line for another reason, says nothing of the trainer's."""
    await has_account(country.trainers[0])
    for said in (lambda message, _: rejecting(message), lambda *of: status_of(of[0], (of[1], "RJCT", "MS03"))):
        payout = await drafted()
        await approved(payout)
        with travelling(PAY_DAY):
            report = said(message_id_of(payout), (await lines_of(payout))[0].id.hex).replace(b"FF01", b"AC04")
            assert (await import_status(report, actor=None)).rejected == 1
    assert [line.iban for line in await lines_of(await drafted())] == [ELSEWHERE_IBAN]


async def test_money_for_nothing_goes_back_to_its_sender(country, bank):
    """A stranger's transfer waits in suspense; a person sends it back; the bank account is as before."""
    bank.pays_us(7_000, note="voor de contributie")
    before = (await sums())["bank"]
    await statements_from(bank)
    (entry,) = await unmatched()
    with travelling(PAY_DAY):
        await send_back(entry.id, "Hoort niet bij ons", actor=CLERK)
    payout = await drafted()
    (line,) = await lines_of(payout)
    assert (line.purpose, line.iban, line.amount_cents) == ("send_back", "NL14MOCK0000000002", 7_000)
    bank.orders(await approved(payout))
    await statements_from(bank)
    assert await sums() == {"bank": before}
    with pytest.raises(NothingToPay):
        await drafted()


async def test_a_refund_of_a_transfer_goes_back_to_the_account_it_came_from(country, bank):
    """Asked for by the organisation, owed, paid by bank, once: nothing is owed and no task is left."""
    organisation, payment = await an_organisation(), new_id()
    with travelling(on("2027-01-21")):
        reference = await request_top_up(payment, organisation, 118_000, None, actor=CLERK)
    bank.pays_us(118_000, reference=reference)
    await statements_from(bank)
    with travelling(PAY_DAY + timedelta(days=10)):
        await refund_top_up(payment, 18_000, id=new_id(), gateways={}, actor=CLERK)
    assert (await sums())["refunds_owed"] == 18_000
    payout = await drafted()
    (line,) = await lines_of(payout)
    assert (line.purpose, line.iban, line.amount_cents) == ("refund", "NL14MOCK0000000002", 18_000)
    bank.orders(await approved(payout))
    await statements_from(bank)
    assert not {"refunds_owed", "payout_clearing", "suspense"} & set(await sums())
    assert await fetch_value("SELECT count(*) FROM finance_task WHERE closed_at IS NULL") == 0
    with pytest.raises(NothingToPay):
        await drafted()


async def test_a_transfer_with_a_reference_is_credited_from_a_real_statement(country, bank):
    """The reference in the note, cut by the bank into lines of 35 signs: in the pot once."""
    with travelling(on("2027-01-21")):
        reference = await request_top_up(new_id(), await an_organisation(), 118_000, None, actor=CLERK)
    note = f"Storting leerbudget volgens afspraak kenmerk {reference[:4]} {reference[4:]}"
    bank.pays_us(118_000, note=note, wrap=35)
    assert [each.placed["matched"] for each in await statements_from(bank)].count(1) == 1
    assert "suspense" not in await sums()


async def test_only_months_that_are_over_are_paid(country):
    """What was earned this month waits; what came back this month is not paid."""
    await has_account(country.trainers[0])
    seat = await country.pays("2027-02-01", country.families[0][0], 0, 5_000)
    assert [line.amount_cents for line in await lines_of(await drafted())] == [18_000]
    await country.gets_back("2027-02-01", seat)
    payout = (await payouts())[0].id
    with travelling(PAY_DAY):
        await cancel_payout(payout, actor=CLERK)
    other_seat = await country.pays("2027-01-28", country.families[0][0], 0, 1_000)
    await country.gets_back("2027-02-01", other_seat)
    assert [line.amount_cents for line in await lines_of(await drafted())] == [18_000]
    with pytest.raises(NothingToPay):
        await drafted(on("2027-01-31"))


async def test_a_trainer_without_a_confirmed_account_waits(country):
    """No account, or one that nobody else confirmed: nothing is paid on it, and the one before counts."""
    trainer, made = country.trainers[0], new_id()
    with travelling(on("2027-01-21")):
        await propose_account(made, trainer, ELSEWHERE_IBAN.lower(), "T. Voorbeeld", actor=CLERK)
        await propose_account(made, trainer, "NL30 MOCK 0000 0000 05", "T. Voorbeeld", actor=CLERK)
        with pytest.raises(AnotherPersonConfirms):
            await confirm_account(made, actor=CLERK)
    with pytest.raises(NothingToPay):
        await drafted()
    assert [each.id for each in await unconfirmed_accounts()] == [made]
    with travelling(on("2027-01-22")):
        for _ in "ab":
            await confirm_account(made, actor=COLLEAGUE)
        await propose_account(new_id(), trainer, CLOSED_IBAN, "Dief", actor=CLERK)
    assert [line.iban for line in await lines_of(await drafted())] == [ELSEWHERE_IBAN]
    assert [each.confirmed_at is None for each in await payout_accounts(trainer)] == [True, False]


@pytest.mark.usefixtures("country")
async def test_an_account_that_cannot_be_is_refused(country):
    """Wrong check digits, a country outside SEPA, letters of another script, no name, an unknown trainer, other content."""
    trainer = country.trainers[0]
    for iban in ("NL42MOCK0000000001", "TR330006100519786457841326", "", "NL4１MOCK0000000001"):  # noqa: RUF001
        with pytest.raises(NotAnIban):
            await propose_account(new_id(), trainer, iban, "T.", actor=CLERK)
    with pytest.raises(InvalidInput):
        await propose_account(new_id(), trainer, ELSEWHERE_IBAN, " ", actor=CLERK)
    with pytest.raises(PayoutAccountUnknown):
        await propose_account(new_id(), new_id(), ELSEWHERE_IBAN, "T.", actor=CLERK)
    made = await has_account(trainer)
    with pytest.raises(PayoutAccountKnown):
        await propose_account(made, trainer, CLOSED_IBAN, "T.", actor=CLERK)
    for verb in (confirm_account, end_account):
        with pytest.raises(PayoutAccountUnknown):
            await verb(new_id(), actor=CLERK)
    assert (compact_iban(None), masked(ELSEWHERE_IBAN)) == (None, "NL•• … 0005")


async def test_two_drafts_at_once_never_pay_twice(country, admin):
    """Twenty drafts at the same moment: one has the line. Without the guard it would be in several."""
    await has_account(country.trainers[0])

    async def rush():
        done = await asyncio.gather(*(drafted() for _ in range(20)), return_exceptions=True)
        assert all(isinstance(each, NothingToPay) for each in done if isinstance(each, Exception))
        return await fetch_value("SELECT count(*) FROM payout_line WHERE state = 'drafted'")

    assert await rush() == 1
    await admin.execute("UPDATE payout SET state = 'cancelled'; UPDATE payout_line SET state = 'cancelled'")
    await admin.execute("DROP INDEX one_open_line_per_subject")
    assert await rush() > 1


async def test_who_drafted_cannot_approve_and_approving_happens_once(country):
    """Four eyes by the database; approvals at once order the payment once; a cancelled draft stays so."""
    await has_account(country.trainers[0])
    payout = await drafted()
    before = await books()
    with pytest.raises(AnotherPersonConfirms):
        await approved(payout, by=CLERK)
    assert await books() == before
    files = await asyncio.gather(*(approved(payout) for _ in range(3)), return_exceptions=True)
    assert {type(each) for each in files} <= {bytes, PayoutEnded}
    assert (await sums())["payout_clearing"] == 18_000
    assert await payable(country, 0) == [0]
    third = new_id()
    with travelling(PAY_DAY):
        for error, verb in [
            (PayoutEnded, cancel_payout(payout, actor=CLERK)),
            (PayoutEnded, approve_payout(payout, OWN, actor=third)),
            (PayoutUnknown, cancel_payout(new_id(), actor=CLERK)),
            (PayoutUnknown, approve_payout(new_id(), OWN, actor=third)),
            (PayoutUnknown, file_of(new_id())),
            (PayoutUnknown, lines_of(new_id())),
            (PayoutKnown, draft_payout(payout, actor=COLLEAGUE)),
        ]:
            with pytest.raises(error):
                await verb
        assert await draft_payout(payout, actor=CLERK) == 1


async def test_less_to_pay_than_was_drafted_is_not_paid(country):
    """A fee that went back, or another account, between drafting and approving: nothing moves, a fresh draft is right."""
    await has_account(country.trainers[0])
    seat = await country.pays("2027-01-25", country.families[0][0], 0, 2_000)
    payout = await drafted()
    await country.gets_back("2027-02-02", seat)
    with pytest.raises(PayableChanged):
        await approved(payout)
    with travelling(PAY_DAY):
        for _ in "ab":
            await cancel_payout(payout, actor=CLERK)
        with pytest.raises(PayoutEnded):
            await file_of(payout)
    payout = await drafted()
    assert [line.amount_cents for line in await lines_of(payout)] == [18_000]
    account = (await payout_accounts(country.trainers[0]))[0].id
    await end_account(account, actor=CLERK)
    with pytest.raises(PayableChanged):
        await approved(payout)


async def test_a_report_about_somebody_elses_file_is_refused(country, bank):
    """Another file, a line that is not ours, a DTD: nothing of it is taken in."""
    await has_account(country.trainers[0])
    payout = await drafted()
    bank.orders(await approved(payout))
    (report,) = bank.says("pain.002")
    line = (await lines_of(payout))[0].id.hex.encode()
    before = await books()
    wrong = {
        "another file": (report.replace(b"LB-", b"XX-"), StatusOfAnother),
        "another line": (report.replace(line, b"f" * 32), StatusOfAnother),
        "a DTD": (report.replace(b"<Document", b"<!DOCTYPE x><Document", 1), BankFileDefines),
    }
    for file, error in wrong.values():
        with pytest.raises(error):
            await import_status(file, actor=None)
    assert await books() == before


async def test_a_stranger_cannot_pretend_to_be_our_payout(country):
    """Money in with our own name of a payment, and a debit of another amount, are not about it: a person looks."""
    await has_account(country.trainers[0])
    payout = await drafted()
    await approved(payout)
    line = (await lines_of(payout))[0].id.hex
    day = "2027-02-03"
    file = one(
        Line(18_000, "IN", end_to_end=line, day=day),
        Line(18_000, "BACK", end_to_end=line, returned="AC04", day=day),
        Line(-17_999, "OUT", end_to_end=line, day=day),
        day=day,
    )
    with travelling(on("2027-02-04")):
        done = await import_statements(file, [OWN_IBAN], actor=None)
    assert done.placed == {"matched": 0, "payout": 0, "payout_returned": 0, "suspense": 3}
    assert (await sums())["payout_clearing"] == 18_000
