"""Stripe's gateway, with the real library over real HTTP, against the imitation that knows the library's types."""

import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

import pytest
import stripe

from leerbudget.entrypoints.sandbox import deeds
from leerbudget.foundation.clock import now
from leerbudget.payments.errors import GatewayRefused, GatewaySilent
from leerbudget.payments.gateways import RefundOrder
from payments.gateway_contract import GatewayContract
from payments.sandbox_server import (
    EUROS_250,
    SandboxTill,
    a_key,
    an_order,
    back,
    gateway_to,
    sandbox_on_a_port,
)


@pytest.fixture(scope="module")
async def served():
    """One imitation for this module: its payments do not know each other."""
    async with sandbox_on_a_port() as sandbox:
        yield sandbox


@pytest.fixture
def till(served):
    """The gateway, and the hands of payers and banks; nothing goes wrong yet."""
    served.faults.answers.clear()
    served.asked.clear()
    return SandboxTill(served, gateway_to(served))


class TestStripeKeepsTheContract(GatewayContract):
    """The gateway to Stripe is a gateway."""

    @pytest.fixture
    def till(self, served):
        """The gateway to the imitation."""
        served.faults.answers.clear()
        return SandboxTill(served, gateway_to(served))


async def started_with(till, **changes):
    """An order that was started."""
    order = an_order(**changes)
    return order, await till.gateway.start(order, key=a_key())


async def kinds(till, started):
    """What happened to a payment, in order."""
    return [fact.kind for fact in (await till.gateway.fetch(started.gateway_ref)).facts]


# --- what becomes of a payment -----------------------------------------------------------------------------------


async def test_a_debit_counts_when_it_succeeded(till):
    """A SEPA debit is processing first, and received only when it succeeded."""
    _, started = await started_with(till)
    deeds.pay_later(till.sandbox.books, till.session(started))
    assert await kinds(till, started) == ["processing"]
    deeds.settle(till.sandbox.books, till.session(started))
    facts = (await till.gateway.fetch(started.gateway_ref)).facts
    assert [(f.kind, f.method, f.amount_cents) for f in facts] == [
        ("processing", "sepa_debit", EUROS_250),
        ("received", "sepa_debit", EUROS_250),
    ]


async def test_a_debit_that_fails_brings_nothing(till):
    """A debit that fails after the page was closed has failed, and moved nothing."""
    _, started = await started_with(till)
    deeds.pay_later(till.sandbox.books, till.session(started))
    deeds.bounce(till.sandbox.books, till.session(started))
    facts = (await till.gateway.fetch(started.gateway_ref)).facts
    assert [(fact.kind, fact.amount_cents) for fact in facts] == [("processing", EUROS_250), ("failed", 0)]


async def test_a_failed_attempt_is_no_end(till):
    """Who fails once may try again; then it is received, with one key for one payment."""
    _, started = await started_with(till)
    deeds.refuse_payment(till.sandbox.books, till.session(started), "card")
    assert await kinds(till, started) == []
    deeds.pay(till.sandbox.books, till.session(started), "card")
    (fact,) = (await till.gateway.fetch(started.gateway_ref)).facts
    assert (fact.kind, fact.method) == ("received", "card")


async def test_a_page_lapses(till, served, monkeypatch):
    """After its time a page is expired, and says when; one that was closed early says so at once."""
    order, started = await started_with(till)
    _, closed = await started_with(till)
    await till.gateway.end(closed.gateway_ref)
    (fact,) = (await till.gateway.fetch(closed.gateway_ref)).facts
    assert (fact.kind, fact.happened_at <= now()) == ("expired", True)
    monkeypatch.setattr(served.books, "clock", lambda: now() + timedelta(hours=2))
    (fact,) = (await till.gateway.fetch(started.gateway_ref)).facts
    assert (fact.kind, fact.amount_cents) == ("expired", 0)
    assert fact.happened_at <= order.lapses_at


async def test_a_refund_that_fails_later_says_both(till):
    """A refund that succeeded and came back is two facts with keys of their own, both with our id."""
    order, started = await started_with(till)
    await till.pay(started)
    refund = back(order, started, 3_000)
    ref = await till.gateway.refund(refund, key=a_key())
    succeeded = await till.gateway.fetch(started.gateway_ref)
    deeds.refund_fails(till.sandbox.books, till.sandbox.books.get("refund", ref))
    failed = await till.gateway.fetch(started.gateway_ref)
    assert set(succeeded.facts) < set(failed.facts)
    told = {fact.key: (fact.amount_cents, fact.refund) for fact in failed.facts if fact.money_ref == ref}
    assert told == {f"{ref}:refunded": (3_000, refund.refund), f"{ref}:refund_failed": (3_000, refund.refund)}


async def test_a_refund_that_never_left_only_failed(till):
    """A refund that failed before it left the balance was never given back."""
    order, started = await started_with(till)
    await till.pay(started)
    ref = await till.gateway.refund(back(order, started, 3_000), key=a_key())
    made = till.sandbox.books.get("refund", ref)
    made["status"], made["balance_transaction"] = "pending", None
    assert await kinds(till, started) == ["received"]
    made["status"] = "failed"
    assert await kinds(till, started) == ["received", "refund_failed"]


async def test_a_refund_counts_when_it_left(till):
    """A refund that is on its way has left Stripe's balance, so it counts; the bank may take days."""
    order, started = await started_with(till)
    await till.pay(started)
    ref = await till.gateway.refund(back(order, started, 3_000), key=a_key())
    till.sandbox.books.get("refund", ref)["status"] = "pending"
    assert await kinds(till, started) == ["received", "refunded"]


@pytest.mark.parametrize("won", [True, False])
async def test_a_dispute_is_opened_and_decided(till, won):
    """A card payment that is disputed is opened first and then won or lost; the beginning is never unsaid."""
    _, started = await started_with(till)
    deeds.pay(till.sandbox.books, till.session(started), "card")
    made = deeds.dispute(till.sandbox.books, till.session(started))
    assert await kinds(till, started) == ["received", "dispute_opened"]
    deeds.dispute_ends(till.sandbox.books, made, won=won)
    assert await kinds(till, started) == ["received", "dispute_opened", "dispute_won" if won else "dispute_lost"]


async def test_a_question_of_the_bank_takes_nothing(till):
    """An inquiry without a debit is no dispute, and a debit that is charged back is lost at once."""
    _, started = await started_with(till)
    deeds.pay_later(till.sandbox.books, till.session(started))
    deeds.settle(till.sandbox.books, till.session(started))
    made = deeds.dispute(till.sandbox.books, till.session(started))
    assert await kinds(till, started) == ["processing", "received", "dispute_opened", "dispute_lost"]
    for status in ("warning_needs_response", "warning_under_review", "warning_closed", "prevented"):
        made["status"] = status
        assert await kinds(till, started) == ["processing", "received"]


async def test_what_is_not_as_ordered_is_told_as_it_is(till):
    """Another amount, currency or method, and metadata of somebody else, are seen and not bent to what was ordered."""
    _, started = await started_with(till)
    await till.pay(started)
    books = till.sandbox.books
    intent = books.get("payment_intent", till.session(started)["payment_intent"])
    charge = books.get("charge", intent["latest_charge"])
    intent["amount_received"], intent["currency"] = 24_999, "usd"
    charge["payment_method_details"] = {"type": "bancontact"}
    stranger = uuid4()
    intent["metadata"] = {"payment_id": str(stranger)}
    seen = await till.gateway.fetch(started.gateway_ref)
    (fact,) = seen.facts
    assert (fact.amount_cents, fact.currency, fact.method, seen.payment) == (24_999, "USD", None, stranger)


@pytest.mark.parametrize("named", ["", "x", "{00000000-0000-0000-0000-000000000001}", "0" * 32])
async def test_metadata_that_is_no_id_of_ours_names_nothing(till, named):
    """Only an id exactly as we write it is an id of ours."""
    order, started = await started_with(till)
    till.session(started)["metadata"] = {"payment_id": named}
    assert (await till.gateway.fetch(started.gateway_ref)).payment is None
    till.session(started)["metadata"] = {"payment_id": str(order.payment)}
    assert (await till.gateway.fetch(started.gateway_ref)).payment == order.payment


async def test_any_object_leads_to_its_payment(till):
    """Session, intent, charge, refund and dispute are one payment, with one reference."""
    order, started = await started_with(till)
    deeds.pay(till.sandbox.books, till.session(started), "card")
    refund = await till.gateway.refund(back(order, started, 100), key=a_key())
    made = deeds.dispute(till.sandbox.books, till.session(started))
    seen = await till.gateway.fetch(started.gateway_ref)
    for reference in (made["payment_intent"], made["charge"], refund, made["id"]):
        assert await till.gateway.fetch(reference) == seen


async def test_an_intent_without_a_page_is_nobodys(till):
    """A payment that did not start here is seen under its own reference."""
    books = till.sandbox.books
    fields = {"amount": 700, "amount_received": 0, "currency": "eur", "latest_charge": None, "metadata": {}}
    intent = books.add("payment_intent", **fields, status="canceled")
    seen = await till.gateway.fetch(intent["id"])
    assert (seen.gateway_ref, seen.payment) == (intent["id"], None)
    assert [fact.kind for fact in seen.facts] == ["failed"]


# --- asking -------------------------------------------------------------------------------------------------------


async def test_nothing_personal_leaves(till):
    """Every request holds an amount, a reference and ids of our own; headers say nothing of this machine."""
    order, started = await started_with(till)
    await till.pay(started)
    await till.gateway.refund(back(order, started, 100), key=a_key())
    await till.gateway.end(started.gateway_ref)
    await till.gateway.events_since(now())
    await till.gateway.balance_lines(now())
    words, methods = f"Leerbudget {order.reference}", ["ideal", "card", "sepa_debit"]
    page, *others = [dict(parse_qsl(asked.form)) for asked in till.sandbox.asked if asked.method == "POST"]
    assert page == {f"allowed_payment_method_types[{n}]": method for n, method in enumerate(methods)} | {
        "mode": "payment",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": str(order.amount_cents),
        "line_items[0][price_data][product_data][name]": words,
        "payment_intent_data[description]": words,
        "payment_intent_data[metadata][payment_id]": str(order.payment),
        "metadata[payment_id]": str(order.payment),
        "expires_at": str(int(order.lapses_at.timestamp())),
        "success_url": order.return_url,
        "cancel_url": order.return_url,
        "locale": "nl",
        "adaptive_pricing[enabled]": "false",
        "wallet_options[link][display]": "never",
    }
    assert order.reference.startswith("RF")
    (refund,) = [other for other in others if other]
    assert set(refund) == {"payment_intent", "amount", "metadata[payment_id]", "metadata[refund_id]"}
    assert UUID(refund["metadata[refund_id]"])
    for asked in till.sandbox.asked:
        known = {"host", "accept", "accept-encoding", "connection", "content-length", "content-type", "user-agent"}
        known |= {"authorization", "idempotency-key", "stripe-version", "x-stripe-client-user-agent"}
        assert set(asked.headers) <= known
        assert "platform" not in asked.headers["x-stripe-client-user-agent"]


async def test_a_key_has_the_environment_in_it(till):
    """Two installations with one account never share an idempotency key."""
    key = a_key()
    await till.gateway.start(an_order(), key=key)
    assert till.sandbox.asked[0].headers["idempotency-key"] == f"test:{key}"


async def test_another_order_under_a_key_is_refused(till):
    """A key stands for one order: with another amount it is refused for good."""
    key = a_key()
    await till.gateway.start(an_order(), key=key)
    with pytest.raises(GatewayRefused) as refused:
        await till.gateway.start(an_order(EUROS_250 + 1), key=key)
    assert refused.value.reason == "idempotency_error"


@pytest.mark.parametrize(
    ("purpose", "amount", "methods"),
    [
        ("top_up", 49, ()),
        ("top_up", 50, ("ideal", "card", "sepa_debit")),
        ("top_up", 250_000, ("ideal", "card", "sepa_debit")),
        ("top_up", 250_001, ("ideal", "sepa_debit")),
        ("top_up", 1_000_000, ("ideal", "sepa_debit")),
        ("top_up", 1_000_001, ("ideal",)),
        ("top_up", 5_000_000, ("ideal",)),
        ("top_up", 5_000_001, ()),
        ("own_share", 3_000, ("ideal", "card")),
        ("own_share", 250_001, ("ideal",)),
    ],
)
async def test_limits_by_amount(till, purpose, amount, methods):
    """Each method has its bounds to the cent, and what is not offered is refused before Stripe is asked."""
    assert till.gateway.methods(purpose, amount) == methods
    for method in ("ideal", "card", "sepa_debit", "transfer"):
        if method not in methods:
            with pytest.raises(GatewayRefused):
                await till.gateway.start(an_order(amount, purpose=purpose, methods=(method,)), key=a_key())
    with pytest.raises(GatewayRefused):
        await till.gateway.start(an_order(amount, purpose=purpose, methods=()), key=a_key())
    assert not till.sandbox.asked


@pytest.mark.parametrize("minutes", [29, 24 * 60 + 1])
async def test_a_page_lapses_within_bounds(till, minutes):
    """Stripe wants half an hour at least and a day at most."""
    with pytest.raises(GatewayRefused):
        await till.gateway.start(an_order(lapses_at=now() + timedelta(minutes=minutes)), key=a_key())


async def test_a_moment_without_a_zone_is_not_sent(till):
    """A page would lapse an hour early or late: such an order never leaves."""
    with pytest.raises(ValueError, match="zone"):
        await till.gateway.start(an_order(lapses_at=datetime(2027, 1, 1, 12)), key=a_key())  # noqa: DTZ001 - the point
    assert not till.sandbox.asked


@pytest.mark.parametrize("odd", ["", "cs_test_1/expire", "cs_test_1?x", "cus_1", "cs_", "cs_test_é", "../v1/refunds"])
async def test_what_is_no_reference_is_never_asked(till, odd):
    """An empty id would ask for a whole list: nothing is sent."""
    for ask in (till.gateway.fetch(odd), till.gateway.end(odd)):
        with pytest.raises(GatewayRefused):
            await ask
    with pytest.raises(GatewayRefused):
        await till.gateway.refund(RefundOrder(uuid4(), odd, uuid4(), 1), key=a_key())
    assert not till.sandbox.asked


# --- answers that do not come ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["error", "busy", "conflict", "lost", "silence"])
async def test_no_answer_is_no_refusal(till, fault):
    """Whatever goes wrong on the way, nobody knows; the same key finds the one payment there is."""
    gateway, order, key = gateway_to(till.sandbox, timeout_seconds=0.2), an_order(), a_key()
    before = len(till.sandbox.books.objects["checkout.session"])
    till.sandbox.faults.answers.append(fault)
    with pytest.raises(GatewaySilent):
        await gateway.start(order, key=key)
    started = await till.gateway.start(order, key=key)
    assert (await till.gateway.fetch(started.gateway_ref)).payment == order.payment
    assert len(till.sandbox.books.objects["checkout.session"]) == before + 1


async def test_a_refund_without_an_answer_is_given_once(till):
    """A refund whose answer was lost is not given twice, and is recognised by our id."""
    order, started = await started_with(till)
    await till.pay(started)
    refund, key = back(order, started, 3_000), a_key()
    till.sandbox.faults.answers.extend(["none", "lost"])
    with pytest.raises(GatewaySilent):
        await till.gateway.refund(refund, key=key)
    (fact,) = [f for f in (await till.gateway.fetch(started.gateway_ref)).facts if f.kind == "refunded"]
    assert fact.refund == refund.refund
    assert await till.gateway.refund(refund, key=key) == fact.money_ref


async def test_a_refund_whose_key_is_stuck_is_still_found(till):
    """Stripe repeats its own failure under a key for a day; its events and facts tell that the refund was made."""
    order, started = await started_with(till)
    await till.pay(started)
    refund, key = back(order, started, 3_000), a_key()
    till.sandbox.faults.answers.extend(["none", "stuck"])
    for _ in range(2):
        with pytest.raises(GatewaySilent):
            await till.gateway.refund(refund, key=key)
    told = await till.gateway.events_since(now() - timedelta(minutes=5))
    refs = [each.gateway_ref for each in told if each.kind == "refund.created"]
    facts = (await till.gateway.fetch(refs[-1])).facts
    assert [fact.refund for fact in facts if fact.kind == "refunded"] == [refund.refund]


async def test_a_lost_call_is_made_again(till):
    """As it is in service, the gateway asks again by itself with the same key."""
    gateway = gateway_to(till.sandbox, retries=1)
    till.sandbox.faults.answers.append("lost")
    await gateway.start(an_order(), key=a_key())
    first, second = till.sandbox.asked
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


async def test_nobody_there_is_silence(till):
    """No server at all, and a key that is not right, are silence: nothing is known about the payment."""
    away = gateway_to(till.sandbox, api_base="http://127.0.0.1:9")
    with pytest.raises(GatewaySilent):
        await away.fetch(till.unknown)
    till.gateway._secret_key = "sk_live_x"
    with pytest.raises(GatewaySilent):
        await till.gateway.fetch(till.unknown)


async def test_an_answer_of_another_shape_is_silence(till):
    """Objects that lack what they always have say nothing; money is never guessed."""
    _, started = await started_with(till)
    await till.pay(started)
    intent = till.sandbox.books.get("payment_intent", till.session(started)["payment_intent"])
    for name, value in (("amount_received", None), ("amount_received", "250"), ("currency", None), ("created", 10**15)):
        kept, intent[name] = intent[name], value
        charge, intent["latest_charge"] = intent["latest_charge"], None
        with pytest.raises(GatewaySilent):
            await till.gateway.fetch(started.gateway_ref)
        intent[name], intent["latest_charge"] = kept, charge


async def test_refusals_have_a_short_code(till):
    """A refusal says Stripe's code, for the record of the attempt."""
    with pytest.raises(GatewayRefused) as refused:
        await till.gateway.fetch(till.unknown)
    assert refused.value.reason == "resource_missing"


async def test_the_library_logs_no_bodies(till, monkeypatch, capfd, caplog):
    """With its debug log asked for, the library still prints nothing of what is sent."""
    monkeypatch.setattr(stripe._util, "STRIPE_LOG", "debug")
    with caplog.at_level(logging.DEBUG):
        order, _ = await started_with(SandboxTill(till.sandbox, gateway_to(till.sandbox)))
    assert str(order.payment) not in capfd.readouterr().err + caplog.text


# --- what is told and booked ------------------------------------------------------------------------------------------


async def test_lost_events_are_found_page_after_page(till):
    """Everything since a moment is told, the oldest first, more than one page long."""
    _, started = await started_with(till)
    books = till.sandbox.books
    before = len(books.objects["event"])
    await till.pay(started)
    for _ in range(120):
        books.tell("charge.succeeded", books.where("charge")[0])
        books.tell("payout.paid", {"id": "po_1", "object": "payout"})
    notices = await till.gateway.events_since(now() - timedelta(minutes=5))
    told = [event["id"] for event in list(books.objects["event"].values())[before:] if "payout" not in event["type"]]
    assert [each.event_id for each in notices][-len(told) :] == told
    assert len(told) > 100
    assert notices[-len(told)].gateway_ref is not None
    assert (await till.gateway.fetch(notices[-1].gateway_ref)).gateway_ref == started.gateway_ref
    assert await till.gateway.events_since(now() + timedelta(days=1)) == ()


async def test_the_books_of_stripe_are_read_line_by_line(served):
    """Payments, refunds that fail, disputes won and payouts are lines that add up to nothing."""
    async with sandbox_on_a_port() as own:
        till = SandboxTill(own, gateway_to(own))
        order, started = await started_with(till)
        deeds.pay(own.books, till.session(started), "card")
        refund = await till.gateway.refund(back(order, started, 3_000), key=a_key())
        deeds.refund_fails(own.books, own.books.get("refund", refund))
        made = deeds.dispute(own.books, till.session(started))
        deeds.dispute_ends(own.books, made, won=True)
        paid_out = deeds.pay_out(own.books)
        own.books.objects["balance_transaction"]["txn_x"] = own.books.where("balance_transaction")[0] | {
            "id": "txn_x",
            "reporting_category": "connect_reserved_funds",
            "currency": "usd",
        }
        lines = await till.gateway.balance_lines(datetime(2026, 1, 1, tzinfo=UTC))
    intent = made["payment_intent"]
    assert [(line.kind, line.money_ref, line.amount_cents, line.fee_cents) for line in lines[:-1]] == [
        ("payment", intent, 25_000, 400),
        ("refund", refund, -3_000, 0),
        ("refund", refund, 3_000, 0),
        ("dispute", made["id"], -25_000, 1_500),
        ("dispute_won", made["id"], 25_000, 0),
        ("payout", paid_out["id"], -23_100, 0),
    ]
    assert sum(line.amount_cents - line.fee_cents for line in lines[:-1]) == 0
    assert (lines[-1].kind, lines[-1].currency) == ("other", "USD")
