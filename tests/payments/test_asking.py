"""What is asked of a gateway is asked once, whatever happens on the way; what it tells is noted once."""

import asyncio
from contextlib import nullcontext
from datetime import timedelta

import pytest

from ledger.bookkeeping import CLERK, COLLEAGUE, a_family, a_grant, an_organisation
from leerbudget.budgets.actions import grant
from leerbudget.budgets.queries import pot
from leerbudget.foundation import clock
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import execute, fetch_all, fetch_value
from leerbudget.foundation.errors import Busy, InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments import asking, inbox
from leerbudget.payments.errors import (
    AttemptKnown,
    EventRefused,
    GatewayRefused,
    GatewaySilent,
    GatewayUnknown,
    MethodUnavailable,
    RefundTooLarge,
    TopUpEnded,
    TopUpKnown,
    TopUpUnknown,
)
from leerbudget.payments.facts import apply_facts
from leerbudget.payments.queries import check
from leerbudget.payments.reconciling import reconcile
from payments.paying import NOON, of, standing, told
from payments.pretend import PretendGateway

BACK = "https://leerbudget.example/organisatie"
GENUINE = {"stripe-signature": "genuine"}


@pytest.fixture
def gateway():
    """A gateway that nobody asked anything yet."""
    return PretendGateway()


@pytest.fixture(autouse=True)
async def books_fit(world_db):
    """A day in March; afterwards payments and books fit."""
    with travelling(NOON):
        yield
        assert [*await check(), *await check_books()] == []


async def started(gateway, organisation, cents=500_000, made=None, order="PO-1"):
    """A top-up through the gateway."""
    made = made or new_id()
    await asking.start_top_up(made, organisation, cents, order, gateway=gateway, return_url=BACK, actor=CLERK)
    return made


async def paid(gateway, organisation, cents=500_000):
    """A top-up that was paid at once and looked at."""
    made = await started(gateway, organisation, cents)
    gateway.tell(f"cs_{made}", "received", cents)
    await inbox.look_at(gateway, f"cs_{made}")
    return made


async def state(payment):
    """The payment's state in the database."""
    return await fetch_value("SELECT state FROM payment WHERE id = $1", payment)


async def test_asking_again_asks_with_the_same_key_and_gives_the_same_page(gateway):
    """Twenty presses on the button are one payment at the gateway; another amount under the same id is refused."""
    organisation, made = await an_organisation(), new_id()
    pages = await asyncio.gather(
        *(
            asking.start_top_up(made, organisation, 500_000, "PO-1", gateway=gateway, return_url=BACK, actor=CLERK)
            for _ in range(20)
        )
    )
    assert {page.url for page in pages} == {f"https://pay.example/{made}"}
    assert len({key for what, key in gateway.questions if what == "start"}) == 1
    assert await state(made) == "open"
    for changed in (
        (organisation, 500_001, "PO-1"),
        (organisation, 500_000, None),
        (await an_organisation(), 500_000, "PO-1"),
    ):
        with pytest.raises(TopUpKnown):
            await asking.start_top_up(made, *changed, gateway=gateway, return_url=BACK, actor=CLERK)


async def test_an_answer_that_got_lost_is_asked_for_again(gateway):
    """The gateway accepted it and nobody heard: asked again with the same key, there is one payment to pay."""
    organisation, made = await an_organisation(), new_id()
    gateway.moods.extend(["lost", "silent"])
    for _ in "ab":
        with pytest.raises(GatewaySilent):
            await started(gateway, organisation, made=made)
    assert await state(made) == "created"
    with travelling(NOON + timedelta(minutes=2)):
        assert await asking.ask_again({"stripe": gateway}) == 1
    assert await state(made) == "open"
    assert (len(gateway.payments), len({key for what, key in gateway.questions if what == "start"})) == (1, 1)


async def test_paid_before_our_own_answer_arrived(gateway):
    """The payer was quicker than the answer to us: the message finds its payment by what its metadata names."""
    organisation, made = await an_organisation(), new_id()
    gateway.moods.append("lost")
    with pytest.raises(GatewaySilent):
        await started(gateway, organisation, made=made)
    gateway.tell(f"cs_{made}", "received", 500_000)
    assert await inbox.look_at(gateway, f"cs_{made}") == 1
    assert (await state(made), (await pot(organisation)).free_cents) == ("succeeded", 500_000)


async def test_what_is_refused_or_not_offered_moves_nothing(gateway):
    """A refusal ends the payment; an amount that no method takes is not even asked for."""
    organisation, made = await an_organisation(), new_id()
    gateway.moods.append("refuse")
    for _ in "ab":
        with pytest.raises(GatewayRefused):
            await started(gateway, organisation, made=made)
    assert (await state(made), len(gateway.questions)) == ("cancelled", 1)
    with pytest.raises(MethodUnavailable):
        await started(gateway, organisation, 5_000_001)
    for cents in (4_999, True, 0, -1, "500000"):
        with pytest.raises(InvalidInput):
            await started(gateway, organisation, cents)
    assert await fetch_value("SELECT count(*) FROM payment") == 1


async def test_a_page_that_nobody_can_pay_on_any_more_is_not_asked_for(gateway):
    """Nobody was sent there, so no person has to look; a payment that comes all the same counts."""
    organisation, made = await an_organisation(), new_id()
    gateway.moods.append("lost")
    with pytest.raises(GatewaySilent):
        await started(gateway, organisation, made=made)
    with travelling(NOON + asking.PAY_WITHIN):
        for _ in "ab":
            assert await asking.ask_again({"stripe": gateway}) == 0
    assert (await state(made), len(gateway.questions)) == ("cancelled", 1)
    assert await fetch_all("SELECT kind FROM finance_task") == []
    gateway.tell(f"cs_{made}", "received", 500_000)
    await inbox.look_at(gateway, f"cs_{made}")
    assert await state(made) == "succeeded"


async def test_a_message_is_noted_once_and_looked_at_later(gateway):
    """Twenty copies at once are one message; its payment is credited when it is looked at, once."""
    organisation = await an_organisation()
    made = await started(gateway, organisation)
    event = gateway.tell(f"cs_{made}", "received", 500_000)
    body = f"{event.event_id} cs_{made}".encode()
    await asyncio.gather(*(inbox.receive({"stripe": gateway}, "stripe", body, GENUINE) for _ in range(20)))
    assert await fetch_value("SELECT count(*) FROM payment_event") == 1
    assert (await pot(organisation)).free_cents == 0
    looked = await asyncio.gather(*(inbox.look_at_messages({"stripe": gateway}) for _ in range(3)))
    assert (max(looked), (await pot(organisation)).free_cents) == (1, 500_000)
    assert await inbox.look_at_messages({"stripe": gateway}) == 0


@pytest.mark.parametrize(
    ("name", "body", "headers", "error"),
    [
        ("stripe", b"evt_1 cs_1", {}, EventRefused),
        ("stripe", b"x" * (inbox.EVENT_BYTES_MAX + 1), GENUINE, EventRefused),
        ("sandbox", b"evt_1 cs_1", GENUINE, GatewayUnknown),
    ],
)
async def test_what_is_no_message_of_ours_is_not_noted(gateway, name, body, headers, error):
    """Forged, too large, or of a gateway that is not used here."""
    with pytest.raises(error):
        await inbox.receive({"stripe": gateway}, name, body, headers)
    assert await fetch_value("SELECT count(*) FROM payment_event") == 0


async def test_a_silent_gateway_is_asked_later_and_later(gateway):
    """A message whose payment cannot be looked at stays, is tried again after a growing wait, and then credits once."""
    organisation = await an_organisation()
    made = await started(gateway, organisation)
    event = gateway.tell(f"cs_{made}", "received", 500_000)
    await inbox.receive({"stripe": gateway}, "stripe", f"{event.event_id} cs_{made}".encode(), GENUINE)
    gateway.moods.extend(["silent"] * 3)
    waits, at = [], NOON
    for _ in range(3):
        with travelling(at):
            assert await inbox.look_at_messages({"stripe": gateway}) == 0
        later = await fetch_value("SELECT try_after FROM payment_event")
        waits.append(later - at)
        at = later
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
    with travelling(at):
        assert await inbox.look_at_messages({"stripe": gateway}) == 1
    assert (await pot(organisation)).free_cents == 500_000


async def test_a_message_about_what_the_gateway_does_not_know_is_told_to_a_person(gateway):
    """Asking again would give the same answer: one task, and it is not asked again."""
    await inbox.receive({"stripe": gateway}, "stripe", b"evt_9 cs_gone", GENUINE)
    for looked in (1, 0):
        assert await inbox.look_at_messages({"stripe": gateway}) == looked
    assert [row["subject"] for row in await fetch_all("SELECT subject FROM finance_task")] == [
        "stripe:cs_gone:resource_missing"
    ]


async def test_a_lost_message_is_found_and_credited_once(gateway):
    """No message ever came, and the gateway is silent five times: reconciling credits it once and says so."""
    organisation = await an_organisation()
    made = await started(gateway, organisation)
    gateway.tell(f"cs_{made}", "received", 500_000)
    gateway.book(f"cs_{made}", 500_000, fee=29)
    with travelling(NOON + timedelta(hours=1)):
        gateway.moods.extend(["silent"] * 5)
        for _ in range(5):
            with pytest.raises(GatewaySilent):
                await reconcile({"stripe": gateway})
        for messages in (1, 0):
            found = await reconcile({"stripe": gateway})
            assert (found.messages, found.differences) == (messages, ())
    assert await standing(organisation) == {"gateway_clearing": -500_000, "organisation_pot": 500_000}
    fees = await fetch_all("SELECT amount_cents FROM transfer WHERE kind = 'gateway_fee'")
    assert [row["amount_cents"] for row in fees] == [29]


async def test_money_whose_message_could_not_be_looked_at_yet_is_no_difference(gateway):
    """The books show it and we do not know it: it is looked at before anybody is told, and without an answer nobody is told."""
    organisation = await an_organisation()
    made = await started(gateway, organisation)
    await inbox.note("stripe", [gateway.tell(f"cs_{made}", "received", 500_000)])
    gateway.book(f"cs_{made}", 500_000)
    gateway.moods.append("silent")
    assert await inbox.look_at_messages({"stripe": gateway}) == 0
    for moods, ends in ((["", "", "silent"], pytest.raises(GatewaySilent)), ([], nullcontext())):
        gateway.moods.extend(moods)
        with ends:
            assert (await reconcile({"stripe": gateway})).differences == ()
        assert not gateway.moods
        assert await open_kinds() == []
    assert await standing(organisation) == {"gateway_clearing": -500_000, "organisation_pot": 500_000}


async def test_a_database_that_is_busy_for_a_moment_is_told_to_nobody(gateway, monkeypatch):
    """Looking at an unfinished payment failed on our side: it is looked at again, and no person has to."""
    organisation = await an_organisation()
    made = await started(gateway, organisation)
    gateway.tell(f"cs_{made}", "received", 500_000)

    async def busy(*_, **__):
        raise Busy(reason="x")

    with travelling(NOON + timedelta(hours=1)):
        with monkeypatch.context() as patched:
            patched.setattr(inbox, "apply_facts", busy)
            assert await inbox.look_at_unfinished({"stripe": gateway}) == 0
        assert await open_kinds() == []
        assert await inbox.look_at_unfinished({"stripe": gateway}) == 1
    assert await state(made) == "succeeded"


async def test_a_planted_difference_is_told_once_and_nothing_is_repaired(gateway):
    """Another amount, a payment that only the gateway knows, and one that only we know: three tasks, the books the same."""
    organisation = await an_organisation()
    right, other, ours = [await paid(gateway, organisation, cents) for cents in (500_000, 600_000, 700_000)]
    gateway.book(f"cs_{right}", 500_000)
    gateway.book(f"cs_{other}", 599_999)
    gateway.book("cs_nobody", 5_000)
    before = await fetch_value("SELECT count(*) FROM transfer")
    with travelling(NOON + timedelta(days=2)):
        for _ in "ab":
            found = await reconcile({"stripe": gateway})
            assert len(found.differences) == 3
            assert any("600000 cents here, 599999 there" in each for each in found.differences)
            assert any(f"pi_cs_{ours} is not in the gateway's books" in each for each in found.differences)
    assert await fetch_value("SELECT count(*) FROM transfer") == before
    assert await fetch_value("SELECT count(*) FROM finance_task WHERE kind = 'discrepancy'") == 3


async def test_what_a_gateway_pays_out_is_under_way_until_the_bank_shows_it(gateway):
    """Paid, fee kept, paid out: the clearing account is zero, and the suspense account waits for the bank."""
    organisation = await an_organisation()
    made = await paid(gateway, organisation)
    gateway.book(f"cs_{made}", 500_000, fee=29)
    gateway.book("x", -499_971, kind="payout", ref="po_1")
    gateway.book("x", -400, kind="payout", ref="po_2")
    gateway.book("x", 400, kind="payout", ref="po_2 came back")
    for _ in "ab":
        await reconcile({"stripe": gateway})
    rows = await fetch_all(
        "SELECT a.kind, sum(CASE WHEN t.credit = a.id THEN t.amount_cents ELSE -t.amount_cents END)::bigint AS cents"
        " FROM account a JOIN transfer t ON a.id IN (t.debit, t.credit) WHERE a.owner IS NULL GROUP BY a.kind"
    )
    assert {row["kind"]: row["cents"] for row in rows} == {
        "gateway_clearing": 0,
        "gateway_fees": -29,
        "suspense": -499_971,
    }


async def test_a_payment_service_that_nobody_used_leaves_nothing_behind(gateway):
    """Comparing with empty books opens not even an account: a demonstration may still begin anew after a bare start."""
    found = await reconcile({"stripe": gateway})
    assert (found.lines, found.differences) == (0, ())
    assert await fetch_value("SELECT count(*) FROM account") == 0


async def test_money_of_a_stranger_touches_no_pot(gateway):
    """Metadata that names another payment: set apart, and a person looks, who is told once."""
    organisation = await an_organisation()
    first, second = await started(gateway, organisation), await started(gateway, organisation, 600_000)
    gateway.tell(f"cs_{first}", "received", 500_000)
    gateway.payments[f"cs_{first}"] = gateway.payments[f"cs_{second}"]
    for _ in "ab":
        await inbox.look_at(gateway, f"cs_{first}")
    assert (await pot(organisation)).free_cents == 0
    rows = await fetch_all("SELECT kind, business_ref, amount_cents FROM transfer")
    assert [tuple(row) for row in rows] == [("unmatched", f"stripe:pi_cs_{first}:received", 500_000)]
    gateway.book(f"cs_{first}", 500_000)
    assert (await reconcile({"stripe": gateway})).differences == ()
    assert await open_kinds() == ["stranger"]


async def test_a_refund_goes_back_once_and_leaves_the_pot_first(gateway):
    """Two who refund at once, an answer that got lost, the same refund again: each refund once, never more than was paid."""
    organisation = await an_organisation()
    made, gateways = await paid(gateway, organisation), {"stripe": gateway}
    one, other = new_id(), new_id()
    gateway.moods.append("lost")
    answers = await asyncio.gather(
        *(asking.refund_top_up(made, 300_000, id=each, gateways=gateways, actor=CLERK) for each in (one, other, one)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, RefundTooLarge) for each in answers) >= 1
    with travelling(NOON + timedelta(minutes=2)):
        await asking.ask_again(gateways)
        await inbox.look_at(gateway, f"cs_{made}")
    assert await standing(organisation) == {"gateway_clearing": -200_000, "organisation_pot": 200_000}
    assert await state(made) == "part_refunded"
    with pytest.raises(AttemptKnown):
        await asking.refund_top_up(
            made, 1, id=one if one in await refunds() else other, gateways=gateways, actor=COLLEAGUE
        )


async def refunds():
    """The ids of the refunds that were decided."""
    return {row["id"] for row in await fetch_all("SELECT id FROM payment_attempt WHERE kind = 'refund'")}


async def test_a_refund_that_fails_is_owed_in_whatever_order_it_is_told(gateway):
    """Failed before or after it was "created": what was taken from the pot is owed, and a person is told once."""
    for order in (("refunded", "refund_failed"), ("refund_failed", "refunded"), ("refund_failed",)):
        organisation = await an_organisation()
        made, refund = await paid(gateway, organisation), new_id()
        await asking.refund_top_up(made, 300_000, id=refund, gateways={"stripe": gateway}, actor=CLERK)
        for kind in order:
            await apply_facts(made, of(made, [told(kind, 300_000, ref=f"re_{refund.hex[:8]}")]))
        expected = {"gateway_clearing": -500_000, "organisation_pot": 200_000, "refunds_owed": 300_000}
        assert await standing(organisation) == expected, order
        failed = await fetch_all(
            "SELECT amount_cents FROM finance_task WHERE kind = 'refund_failed' AND payment = $1", made
        )
        assert [row["amount_cents"] for row in failed] == [300_000]


async def test_what_cannot_go_back_through_the_gateway_is_owed(gateway):
    """Refused, or without a gateway: out of the pot, owed, and a person pays it by bank."""
    organisation = await an_organisation()
    made = await paid(gateway, organisation)
    gateway.moods.append("refuse")
    await asking.refund_top_up(made, 100_000, id=new_id(), gateways={"stripe": gateway}, actor=CLERK)
    await asking.refund_top_up(made, 50_000, id=new_id(), gateways={}, actor=CLERK)
    expected = {"gateway_clearing": -500_000, "organisation_pot": 350_000, "refunds_owed": 150_000}
    assert await standing(organisation) == expected
    assert await fetch_value("SELECT count(*) FROM finance_task WHERE kind = 'refund_failed'") == 2


async def test_only_what_is_there_goes_back(gateway):
    """Not more than was paid, than is in the pot, or of a payment that is not there or is called back."""
    organisation = await an_organisation()
    made, gateways = await paid(gateway, organisation), {"stripe": gateway}
    await grant(a_grant(await a_family(organisation), organisation, 400_000), actor=None)
    for cents, error in ((500_001, RefundTooLarge), (100_001, RefundTooLarge), (0, InvalidInput), (None, InvalidInput)):
        with pytest.raises(error):
            await asking.refund_top_up(made, cents, id=new_id(), gateways=gateways, actor=CLERK)
    with pytest.raises(TopUpUnknown):
        await asking.refund_top_up(new_id(), 1, id=new_id(), gateways=gateways, actor=CLERK)
    gateway.tell(f"cs_{made}", "dispute_opened", 500_000, ref="dp_x")
    await inbox.look_at(gateway, f"cs_{made}")
    with pytest.raises(TopUpEnded):
        await asking.refund_top_up(made, 1, id=new_id(), gateways=gateways, actor=CLERK)
    assert await refunds() == set()


async def test_who_ends_a_payment_and_who_pays_it_at_once_get_one_outcome(gateway):
    """Ended: nothing can be paid any more, again has no effect. Paid just before: it counts."""
    organisation = await an_organisation()
    made, late = await started(gateway, organisation), await started(gateway, organisation)
    for _ in "ab":
        await asking.end_top_up(made, gateways={"stripe": gateway}, actor=CLERK)
    await inbox.look_at(gateway, f"cs_{made}")
    assert await state(made) == "expired"
    gateway.tell(f"cs_{late}", "received", 500_000)
    await asking.end_top_up(late, gateways={"stripe": gateway}, actor=CLERK)
    await inbox.look_at(gateway, f"cs_{late}")
    assert await state(late) == "succeeded"
    with pytest.raises(TopUpEnded):
        await asking.end_top_up(late, gateways={"stripe": gateway}, actor=CLERK)
    with pytest.raises(TopUpUnknown):
        await asking.end_top_up(new_id(), gateways={"stripe": gateway}, actor=CLERK)
    assert clock.now() == NOON


async def given_up(gateway):
    """A refund of EUR 3,000 to which nobody heard an answer for a day, and the payment it is of."""
    organisation = await an_organisation()
    made, gateways = await paid(gateway, organisation), {"stripe": gateway}
    gateway.moods.append("lost")
    with pytest.raises(GatewaySilent):
        await asking.refund_top_up(made, 300_000, id=new_id(), gateways=gateways, actor=CLERK)
    with travelling(NOON + asking.ASK_FOR):
        assert await asking.ask_again(gateways) == 0
    return organisation, made


async def test_a_refund_that_went_without_an_answer_needs_nobody(gateway):
    """After a day a person is told; when the service shows that it did go, the task closes by itself and nobody pays twice."""
    organisation, made = await given_up(gateway)
    assert await open_kinds() == ["refund_failed"]
    assert await standing(organisation) == {
        "gateway_clearing": -500_000,
        "organisation_pot": 200_000,
        "refunds_owed": 300_000,
    }
    for _ in "ab":
        await inbox.look_at(gateway, f"cs_{made}")
    assert await open_kinds() == []
    assert await fetch_value("SELECT state FROM payment_attempt WHERE kind = 'refund'") == "done"
    assert await standing(organisation) == {"gateway_clearing": -200_000, "organisation_pot": 200_000}


async def test_a_refund_that_went_and_was_paid_by_hand_too_is_owed_by_who_got_it_twice(gateway):
    """A person had paid it at the bank: what the service gave back as well is taken from the pot, and told."""
    organisation, made = await given_up(gateway)
    await execute("UPDATE payment_attempt SET state = 'done', answer = 'bank:NL00:X' WHERE kind = 'refund'")
    await inbox.look_at(gateway, f"cs_{made}")
    assert await open_kinds() == ["refund_failed", "refund_unasked"]
    found = await standing(organisation)
    assert (found.get("organisation_receivable", 0), found.get("organisation_pot", 0)) == (-100_000, 0)


async def open_kinds():
    """The kinds of what a person must still look at."""
    return [
        row["kind"] for row in await fetch_all("SELECT kind FROM finance_task WHERE closed_at IS NULL ORDER BY kind")
    ]
