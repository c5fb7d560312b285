"""A refund that could not go back by itself and that a person paid at the bank: the statement's debit ends what is owed."""

import asyncio
from datetime import timedelta

import pytest

import world
from ledger.bookkeeping import CLERK, COLLEAGUE, an_organisation
from leerbudget.bookings import actions
from leerbudget.foundation.clock import now, travelling
from leerbudget.foundation.database import execute, fetch_all, fetch_one, fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import give_login
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments import explaining, facts, inbox, own_shares
from leerbudget.payments.actions import request_top_up
from leerbudget.payments.asking import ASK_FOR, ask_again, refund_top_up
from leerbudget.payments.bank_errors import EntryDecided, NothingToPay, PayableChanged, RefundNotOwed
from leerbudget.payments.errors import TopUpUnknown
from leerbudget.payments.explaining import assign_by_reference, paid_back
from leerbudget.payments.facts import PAYMENT
from leerbudget.payments.pain import OwnAccount
from leerbudget.payments.payouts import approve_payout, draft_payout
from leerbudget.payments.queries import check
from leerbudget.payments.queries import open_tasks as finance_tasks
from leerbudget.payments.statements import import_statements
from payments.bank_world import OWN_IBAN, PAYER_IBAN, Line, one, sums
from payments.own_share_world import OWN, PRICE, a_family, a_request, asked, standing
from payments.pretend import PretendGateway

OTHER_IBAN = "NL30MOCK0000000005"
OFFICER = "financien@fictief.example"
BY_HAND = "Gebeld met het gezin, en overgemaakt"


@pytest.fixture(autouse=True)
async def books_fit(world_db):
    """Whatever happened, payments, bank and books fit afterwards."""
    yield
    assert [*await check(), *await check_books()] == []


async def imported(*lines, number="1"):
    """The entries of a statement, by the bank's reference."""
    await import_statements(one(*lines, number=number), [OWN_IBAN], actor=CLERK)
    return {row["bank_ref"]: row["id"] for row in await fetch_all("SELECT bank_ref, id FROM bank_entry")}


async def open_tasks():
    """The kinds of what a person must still look at."""
    return [
        row["kind"] for row in await fetch_all("SELECT kind FROM finance_task WHERE closed_at IS NULL ORDER BY kind")
    ]


async def own_money_that_could_not_go_back():
    """A family cancelled, and its bank sent its own EUR 30 back to us; the reference of its payment."""
    gateway = PretendGateway()
    request = await a_request(await a_family(), await world.a_session(price_cents=PRICE))
    await asked(gateway, request)
    row = await fetch_one("SELECT gateway_ref, reference FROM payment")
    gateway.tell(row["gateway_ref"], "received", OWN)
    await inbox.look_at(gateway, row["gateway_ref"])
    await own_shares.place_all()
    await actions.cancel(request.id, actor=None)
    await own_shares.place_all()
    refund = await fetch_value(
        "UPDATE payment_attempt SET state = 'done', ended_at = now() WHERE kind = 'refund' RETURNING id"
    )
    for kind in ("refunded", "refund_failed"):
        gateway.tell(row["gateway_ref"], kind, OWN, ref=f"re_{refund}")
        await inbox.look_at(gateway, row["gateway_ref"])
    return row["reference"]


async def paid_from_two_accounts():
    """A top-up that came from two accounts and of which EUR 30 is to go back: nobody can know to which."""
    organisation = await an_organisation()
    await give_login(OFFICER, None, [("organisation_finance", organisation)])
    reference = await request_top_up(new_id(), organisation, 10_000, None, actor=None)
    await imported(
        Line(6_000, "A", structured=reference), Line(4_000, "B", structured=reference, iban=OTHER_IBAN), number="0"
    )
    payment, refund = await fetch_value("SELECT id FROM payment"), new_id()
    await refund_top_up(payment, 3_000, id=refund, gateways={}, actor=CLERK)
    return reference, refund


async def test_own_money_that_a_person_paid_back_is_owed_no_more():
    """The debit takes it from what is owed, closes the task and leaves nothing in suspense; the family hears of it; saying it again has no effect."""
    reference = await own_money_that_could_not_go_back()
    entry = (await imported(Line(-OWN, "OUT")))["OUT"]
    assert await open_tasks() == ["refund_failed", "unmatched"]
    for _ in "ab":
        await assign_by_reference(entry, reference, BY_HAND, actor=CLERK)
    assert await open_tasks() == []
    assert {kind: cents for kind, cents in (await sums()).items() if kind in {"refunds_owed", "suspense"}} == {}
    assert (await standing())["gateway_clearing"] == -OWN
    told = await fetch_all(
        "SELECT context ->> 'returned_cents' AS cents FROM outbox_message WHERE kind = 'own_money_paid'"
    )
    assert [row["cents"] for row in told] == [str(OWN)]
    second = (await imported(Line(-OWN, "OUT2"), number="2"))["OUT2"]
    with pytest.raises(RefundNotOwed):
        await assign_by_reference(second, reference, BY_HAND, actor=CLERK)


async def test_who_must_ask_a_family_for_its_account_sees_whom_to_ask():
    """The parents of the family that paid, with their addresses."""
    await own_money_that_could_not_go_back()
    parents = await fetch_all("SELECT name, email FROM person WHERE family IS NOT NULL ORDER BY name, id")
    (task,) = await finance_tasks()
    assert task.contacts == [", ".join(filter(None, (row["name"], row["email"]))) for row in parents]
    assert any("@" in contact for contact in task.contacts)


async def test_of_money_of_an_organisation_no_family_is_seen():
    """The organisation is named, and nobody else."""
    await paid_from_two_accounts()
    (task,) = await finance_tasks()
    assert (task.contacts, task.organisation_name is None) == ([], False)


async def test_a_refund_paid_by_hand_is_in_no_payout():
    """No draft takes it any more, and the organisation hears that it was paid."""
    reference, refund = await paid_from_two_accounts()
    entry = (await imported(Line(-3_000, "OUT")))["OUT"]
    await assign_by_reference(entry, reference, BY_HAND, actor=CLERK)
    assert await fetch_value("SELECT state FROM payment_attempt WHERE id = $1", refund) == "done"
    assert "refunds_owed" not in await sums()
    told = await fetch_all(_TOLD)
    assert [tuple(row) for row in told] == [(OFFICER, 3_000)]
    with pytest.raises(NothingToPay):
        await draft_payout(new_id(), actor=CLERK)
    assert await fetch_value("SELECT reason FROM bank_entry WHERE id = $1", entry) == BY_HAND


_TOLD = "SELECT address, (context ->> 'amount_cents')::int FROM outbox_message WHERE kind = 'refund_paid'"


async def one_account_drafted():
    """A refund to the one account that the money came from, in a draft; the reference, the refund and the payout."""
    organisation, payout = await an_organisation(), new_id()
    reference = await request_top_up(new_id(), organisation, 10_000, None, actor=None)
    await imported(Line(10_000, "A", structured=reference), number="0")
    refund = new_id()
    await refund_top_up(await fetch_value("SELECT id FROM payment"), 3_000, id=refund, gateways={}, actor=CLERK)
    await draft_payout(payout, actor=CLERK)
    return reference, refund, payout


async def test_what_a_payout_pays_was_not_paid_by_hand():
    """While a draft or an order has it, a debit is not said to be it: it would be paid twice."""
    reference, _, _ = await one_account_drafted()
    entry = (await imported(Line(-3_000, "OUT")))["OUT"]
    with pytest.raises(RefundNotOwed):
        await assign_by_reference(entry, reference, BY_HAND, actor=CLERK)


async def test_a_draft_of_what_was_paid_by_hand_is_not_approved():
    """Drafted at the very moment at which somebody said that it was paid: the approval looks once more."""
    _, refund, payout = await one_account_drafted()
    await execute("UPDATE payment_attempt SET state = 'done' WHERE id = $1", refund)
    with pytest.raises(PayableChanged):
        await approve_payout(payout, OwnAccount(OWN_IBAN, "Leerbudget (fictief)"), actor=COLLEAGUE)
    assert "payout_clearing" not in await sums()


async def test_only_a_debit_of_just_that_amount_is_a_refund_that_was_owed():
    """Another amount, another payment, no payment, or money that came in: refused, and it waits on."""
    reference, _ = await paid_from_two_accounts()
    other = await request_top_up(new_id(), await an_organisation(), 10_000, None, actor=None)
    entries = await imported(Line(-2_999, "LESS"), Line(-3_000, "OUT"), Line(3_000, "IN", iban=PAYER_IBAN))
    payment = await fetch_value("SELECT id FROM payment WHERE reference = $1", reference)
    for bank_ref, named, error in (
        ("LESS", reference, RefundNotOwed),
        ("OUT", other, RefundNotOwed),
        ("OUT", "RF18539007547034", TopUpUnknown),
    ):
        with pytest.raises(error):
            await assign_by_reference(entries[bank_ref], named, BY_HAND, actor=CLERK)
    with pytest.raises(EntryDecided):
        await paid_back(entries["IN"], payment, BY_HAND, actor=CLERK)
    assert (await sums())["suspense"] == 3_000 - 3_000 - 2_999
    assert await open_tasks() == ["refund_failed", "unmatched", "unmatched", "unmatched"]


@pytest.mark.parametrize(("guarded", "refused"), [(True, 1), (False, 0)])
async def test_two_debits_that_two_people_explain_at_once_end_one_refund(monkeypatch, guarded, refused):
    """Both say that theirs was it: one is right, the other waits on. Without the payment's lock both are, and it was paid twice."""
    reference, _ = await paid_from_two_accounts()
    entries = await imported(Line(-3_000, "ONE"), Line(-3_000, "TWO"))
    if not guarded:
        both, go_on = asyncio.Barrier(2), explaining._out_of_suspense

        async def at_once(*args):
            await both.wait()
            await go_on(*args)

        monkeypatch.setattr(explaining, "lock_payment", _no_lock)
        monkeypatch.setattr(explaining, "_out_of_suspense", at_once)
    said = [
        assign_by_reference(entries[ref], reference, BY_HAND, actor=who)
        for ref, who in (("ONE", CLERK), ("TWO", COLLEAGUE))
    ]
    answers = await asyncio.gather(*said, return_exceptions=True)
    assert [type(answer) for answer in answers if answer is not None] == [RefundNotOwed] * refused
    assert (await sums()).get("refunds_owed", 0) == (0 if guarded else -3_000)


async def _no_lock(payment):
    """The payment's row, which nobody keeps."""
    return await fetch_one(PAYMENT + "WHERE id = $1", payment)


@pytest.mark.parametrize(("recognised", "owed_cents"), [(True, 0), (False, -OWN)])
@pytest.mark.parametrize("at_once", [True, False])
async def test_what_went_without_an_answer_and_was_paid_by_hand_too_is_never_owed_below_zero(
    monkeypatch, recognised, owed_cents, at_once
):
    """A person explains the debit while the service shows that the refund went: one ends what is owed. Not recognised, both do."""
    gateway, row = await given_up()
    entry = (await imported(Line(-OWN, "OUT")))["OUT"]
    if not recognised:
        monkeypatch.setattr(facts, "_went_after_all", _forgotten)
        monkeypatch.setattr(facts, "_ASKED_BACK", "SELECT 1000000::bigint WHERE $1::uuid IS NOT NULL")
    steps = [
        inbox.look_at(gateway, row["gateway_ref"]),
        assign_by_reference(entry, row["reference"], BY_HAND, actor=CLERK),
    ]
    if at_once:
        answers = await asyncio.gather(*steps, return_exceptions=True)
    else:
        answers = [await steps[0], (await asyncio.gather(steps[1], return_exceptions=True))[0]]
    assert {type(each) for each in answers if isinstance(each, Exception)} <= {RefundNotOwed}
    assert (await sums()).get("refunds_owed", 0) == owed_cents
    left = await open_tasks()
    assert left in ((["unmatched"], ["refund_unasked"]) if recognised else ([],))


async def given_up():
    """A family cancelled, and nobody heard an answer to the refund for a day; the gateway, which did it, and the payment."""
    gateway = PretendGateway()
    request = await a_request(await a_family(), await world.a_session(price_cents=PRICE))
    await asked(gateway, request)
    row = await fetch_one("SELECT gateway_ref, reference FROM payment")
    gateway.tell(row["gateway_ref"], "received", OWN)
    await inbox.look_at(gateway, row["gateway_ref"])
    await own_shares.place_all()
    await actions.cancel(request.id, actor=None)
    await own_shares.place_all()
    gateway.moods.append("lost")
    for later in (timedelta(minutes=2), ASK_FOR):
        with travelling(now() + later):
            await ask_again({"stripe": gateway})
    assert await open_tasks() == ["refund_failed"]
    return gateway, row


async def _forgotten(fact):
    """Nobody looks whether it went."""
