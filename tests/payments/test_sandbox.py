"""The made-up Stripe: as strict as the real one, and honest about being made up."""

import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
import stripe

from leerbudget.entrypoints.sandbox import deeds, parameters
from leerbudget.entrypoints.sandbox.books import Books
from leerbudget.foundation.clock import now
from leerbudget.payments.choosing import SANDBOX_KEY, SANDBOX_WEBHOOK_SECRET
from leerbudget.payments.gateways import EventNotice
from payments.sandbox_server import SandboxTill, a_key, an_order, gateway_to, listening, sandbox_on_a_port

SESSION = {
    "mode": "payment",
    "success_url": "http://leerbudget.test/terug",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "2500",
    "line_items[0][price_data][product_data][name]": "Leerbudget RF1",
    "allowed_payment_method_types[0]": "ideal",
    "allowed_payment_method_types[1]": "sepa_debit",
}


@pytest.fixture(scope="module")
async def served():
    """One imitation for this module."""
    async with sandbox_on_a_port() as sandbox:
        yield sandbox


@pytest.fixture
async def client(served):
    """Somebody who speaks to it without the library."""
    headers = {"Authorization": f"Bearer {SANDBOX_KEY}"}
    async with httpx.AsyncClient(base_url=served.books.address, headers=headers, trust_env=False) as made:
        yield made


async def refused(client, path="/v1/checkout/sessions", *, form=None, headers=None):
    """The error that a command gets."""
    answer = await client.post(path, data=form or {}, headers=headers or {})
    assert answer.status_code >= 400
    return answer.status_code, answer.json()["error"]


# --- as strict as Stripe --------------------------------------------------------------------------------------------

WRONG = {
    "removed": ({"payment_method_types[0]": "ideal"}, "payment_method_types", "parameter_unknown"),
    "misspelt": (
        {"line_items[0][price_data][ammount]": "1"},
        "line_items[0][price_data][ammount]",
        "parameter_unknown",
    ),
    "an option of the library": ({"api_key": "sk_test_x"}, "api_key", "parameter_unknown"),
    "another method": ({"allowed_payment_method_types[2]": "tikkie"}, "allowed_payment_method_types[2]", None),
    "another mode": ({"mode": "pay"}, "mode", None),
    "half a cent": (
        {"line_items[0][price_data][unit_amount]": "2500.5"},
        "line_items[0][price_data][unit_amount]",
        "parameter_invalid_integer",
    ),
    "not a list": ({"expand": "url"}, "expand", None),
    "a list with a hole": ({"expand[1]": "url"}, "expand", None),
    "not yes or no": ({"adaptive_pricing[enabled]": "1"}, "adaptive_pricing[enabled]", None),
    "no address": ({"success_url": ""}, "success_url", "parameter_missing"),
    "too little": ({"line_items[0][price_data][unit_amount]": "49"}, "amount", "amount_too_small"),
    "too much": ({"line_items[0][price_data][unit_amount]": "100000000"}, "amount", "amount_too_large"),
    "lapsed": ({"expires_at": "1"}, "expires_at", None),
    "long metadata": ({"metadata[payment_id]": "x" * 501}, "metadata", None),
    "dollars": ({"line_items[0][price_data][currency]": "usd"}, "line_items[0]", None),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_stripe_would_not_have_is_refused(client, served, case):
    """A parameter that the library's types do not know, or of another type, is refused in Stripe's own shape."""
    change, param, code = WRONG[case]
    before = len(served.books.objects["checkout.session"])
    status, error = await refused(client, form=SESSION | change)
    assert (status, error["type"], error["param"], error.get("code")) == (400, "invalid_request_error", param, code)
    assert len(served.books.objects["checkout.session"]) == before


async def test_what_lacks_is_named(client):
    """A required parameter deep inside is named with its place."""
    form = {name: value for name, value in SESSION.items() if "currency" not in name}
    _, error = await refused(client, form=form)
    assert (error["code"], error["param"]) == ("parameter_missing", "line_items[0][price_data][currency]")


@pytest.mark.parametrize(
    "text", ["a[b=1", "a[b]c=1", "=1", "a[b]=1&a=2", "a=1&a[b]=2", "a=1&a=2", "a=%ff", "[]=1", "&"]
)
def test_a_form_that_does_not_fit_together_is_refused(text):
    """Names that contradict each other are refused, and never an accident."""
    with pytest.raises(parameters.Refusal):
        parameters.nested(text)


async def test_a_key_of_test_is_needed(client):
    """Without a key, and with a live one, nothing is answered."""
    for key in ("", "Bearer sk_live_x", "Bearer x"):
        status, _ = await refused(client, form=SESSION, headers={"Authorization": key})
        assert status == 401
    assert (await client.get("/v1/balance_transactions", headers={"Authorization": ""})).status_code == 401


@pytest.mark.parametrize("path", ["/v1/charges", "/v1/customers", "/v1/refunds/re_1", "/v1/checkout/sessions/a/b/c"])
async def test_what_it_does_not_know_it_does_not_do(client, path):
    """An address that the gateway never uses is not found."""
    assert (await refused(client, path))[0] == 404


async def test_a_list_selects_only_by_what_it_knows(client):
    """A filter that the imitation lacks is refused rather than overlooked, as are wrong limits and expansions."""
    for query in ("customer=cus_1", "limit=0", "limit=101", "limit=x", "expand[0]=url", "expand[0]=a.b.c.d.e"):
        answer = await client.get(f"/v1/refunds?{query}")
        assert answer.status_code == 400, query
    assert (await client.get("/v1/events?" + "&".join(f"types[{n}]=a" for n in range(21)))).status_code == 400
    assert (await client.get("/v1/refunds?starting_after=re_1")).status_code == 404


async def test_a_key_is_one_command(client, served):
    """The same command under the same key has one answer; another is refused; after a day the key is forgotten."""
    key = {"Idempotency-Key": a_key()}
    first = (await client.post("/v1/checkout/sessions", data=SESSION, headers=key)).json()
    assert (await client.post("/v1/checkout/sessions", data=SESSION, headers=key)).json() == first
    _, error = await refused(client, form=SESSION | {"locale": "nl"}, headers=key)
    assert error["type"] == "idempotency_error"
    _, error = await refused(client, f"/v1/checkout/sessions/{first['id']}/expire", headers=key)
    assert error["type"] == "idempotency_error"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(served.books, "clock", lambda: now() + timedelta(hours=25))
        later = (await client.post("/v1/checkout/sessions", data=SESSION, headers=key)).json()
    assert later["id"] != first["id"]


async def test_a_refusal_leaves_its_key_free(client):
    """What was refused was not done, so its key may be used for what is right."""
    key = {"Idempotency-Key": a_key()}
    await refused(client, form=SESSION | {"mode": "pay"}, headers=key)
    assert (await client.post("/v1/checkout/sessions", data=SESSION, headers=key)).status_code == 200


async def test_a_refund_without_an_amount_is_everything(client, served):
    """The trap is there as in the real one: no amount is all that is left."""
    made = (await client.post("/v1/checkout/sessions", data=SESSION)).json()
    session = served.books.get("checkout.session", made["id"])
    deeds.pay(served.books, session, "ideal")
    refund = (await client.post("/v1/refunds", data={"payment_intent": session["payment_intent"]})).json()
    assert (refund["amount"], refund["status"]) == (2500, "succeeded")


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.example.org"])
async def test_only_who_calls_this_machine_is_answered(client, host):
    """A name elsewhere that points to this machine opens nothing."""
    assert (await client.get("/v1/events", headers={"Host": host})).status_code == 400


# --- what the website is told -------------------------------------------------------------------------------------------


@dataclass
class Sink:
    """A website that writes down what it is told; `answer` is what it says back."""

    answer: Callable[[], int] = lambda: 200
    told: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    async def __call__(self, scope, receive, send):
        """Take one event."""
        if scope["type"] == "lifespan":
            while (kind := (await receive())["type"]) != "lifespan.shutdown":
                await send({"type": f"{kind}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = (await receive()).get("body", b"")
        self.told.append((body, {name.decode(): value.decode() for name, value in scope["headers"]}))
        await send({"type": "http.response.start", "status": self.answer(), "headers": []})
        await send({"type": "http.response.body"})

    def kinds(self):
        """The kinds of events that came, in order."""
        return [json.loads(body)["type"] for body, _ in self.told]


@asynccontextmanager
async def telling(sink, **options):
    """An imitation that tells this website, and a payment that is ready to be paid."""
    async with listening(sink) as address, sandbox_on_a_port(f"{address}/events", **options) as sandbox:
        till = SandboxTill(sandbox, gateway_to(sandbox))
        yield till, await till.gateway.start(an_order(), key=a_key())


PAID = ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


async def test_events_come_signed_and_in_order():
    """What happened is told once each, in order, signed so that the gateway and Stripe's library both believe it."""
    sink = Sink()
    async with telling(sink) as (till, started):
        await till.pay(started)
        assert await till.sandbox.webhooks.send()
        assert await till.sandbox.webhooks.send()
        assert sink.kinds() == PAID
        for body, headers in sink.told:
            found = till.gateway.verify(body, headers, at=now())
            assert isinstance(found, EventNotice)
            assert (await till.gateway.fetch(found.gateway_ref)).gateway_ref == started.gateway_ref
            stripe.WebhookSignature.verify_header(body, headers["stripe-signature"], SANDBOX_WEBHOOK_SECRET, 300)


async def test_thin_events_lead_to_the_same_payment():
    """Told thinly, an event still leads to its payment."""
    sink = Sink()
    async with telling(sink, as_thin=True) as (till, started):
        await till.pay(started)
        await till.sandbox.webhooks.send()
        assert sink.kinds() == [f"v1.{kind}" for kind in PAID]
        for body, headers in sink.told:
            found = till.gateway.verify(body, headers, at=now())
            assert (await till.gateway.fetch(found.gateway_ref)).gateway_ref == started.gateway_ref


async def test_events_are_lost_doubled_and_late_on_request():
    """A test can drop, double and turn around what is told."""
    sink = Sink()
    async with telling(sink) as (till, started):
        async with httpx.AsyncClient(base_url=till.sandbox.books.address, trust_env=False) as client:
            assert (await client.post("/trouble", json={"drop": 1, "hold": True})).status_code == 204
            await till.pay(started)
            assert await till.sandbox.webhooks.send()
            assert sink.told == []
            till.sandbox.faults.double = 1
            assert (await client.post("/trouble", json={"release": True, "backwards": True})).status_code == 204
            for odd in ({"answers": ["explode"]}, {"unknown": 1}, []):
                assert (await client.post("/trouble", json=odd)).status_code == 400
        await till.sandbox.webhooks.send()
        assert sink.kinds() == [PAID[2], PAID[2], PAID[1]]


async def test_what_was_not_thanked_for_comes_again():
    """An event that the website could not take stays, and comes with the next."""
    answers = iter([500, 200, 200, 200])
    sink = Sink(answer=lambda: next(answers))
    async with telling(sink) as (till, started):
        await till.pay(started)
        assert not await till.sandbox.webhooks.send()
        assert await till.sandbox.webhooks.send()
        assert sink.kinds() == [*PAID, PAID[0]]


# --- staying and paying -------------------------------------------------------------------------------------------------


async def test_a_restart_forgets_nothing(tmp_path):
    """With a file, objects, keys and untold events are there after a stop; a stop halfway loses nothing."""
    file, order, key = tmp_path / "sandbox.json", an_order(), a_key()
    async with sandbox_on_a_port("http://127.0.0.1:9/events", books=Books(file=file)) as sandbox:
        till = SandboxTill(sandbox, gateway_to(sandbox))
        started = await till.gateway.start(order, key=key)
        await till.pay(started)
        sandbox.changed()
        before = await till.gateway.fetch(started.gateway_ref)
        untold = list(sandbox.books.unsent)
    (tmp_path / "sandbox.json.part").write_text("{half")
    async with sandbox_on_a_port("http://127.0.0.1:9/events", books=Books(file=file)) as sandbox:
        gateway = gateway_to(sandbox)
        assert await gateway.fetch(started.gateway_ref) == before
        assert await gateway.start(order, key=key) == started
        assert sandbox.books.unsent == untold != []


@pytest.fixture
async def page(served, client):
    """A started payment, and its page."""
    till = SandboxTill(served, gateway_to(served))
    order = an_order(methods=("ideal", "sepa_debit"))
    started = await till.gateway.start(order, key=a_key())

    async def press(button, method="ideal", number=""):
        return await client.post(started.url, data={"knop": button, "methode": method, "nummer": number})

    async def kinds():
        return [fact.kind for fact in (await till.gateway.fetch(started.gateway_ref)).facts]

    return order, started, press, kinds


async def test_the_page_says_what_it_is(client, page):
    """The page names the amount and the reference, and that it is made up; it loads nothing from elsewhere."""
    order, started, _, _ = page
    shown = await client.get(started.url)
    for words in ("Nagebootst, fictief", "€ 250,00", order.reference, "Betalen", "iDEAL", "Automatische incasso"):
        assert words in shown.text.replace("\u00a0", " ")
    assert "<script" not in shown.text
    assert shown.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert (await client.get("/pay.css")).headers["content-type"].startswith("text/css")
    assert (await client.get("/betalen/cs_test_0")).status_code == 404
    assert (await client.post("/betalen/cs_test_0", data={"knop": "betalen"})).status_code == 404


async def test_paying_on_the_page(page):
    """Who pays goes back to the website, and the money is there; a second press changes nothing."""
    order, _, press, kinds = page
    answer = await press("betalen")
    assert (answer.status_code, answer.headers["location"]) == (303, order.return_url)
    assert "Dat kan nu niet." in (await press("betalen")).text
    assert await kinds() == ["received"]


async def test_failing_and_leaving_on_the_page(page):
    """A failed try and going back leave the payment open; an unknown button does nothing."""
    order, _, press, kinds = page
    assert "Probeer het opnieuw" in (await press("mislukt")).text
    assert (await press("afbreken")).headers["location"] == order.return_url
    for button, method in (("weg", "ideal"), ("betalen", "card"), ("terugdraaien", ""), ("gewonnen", "")):
        assert "Dat kan nu niet." in (await press(button, method)).text
    assert await kinds() == []


@pytest.mark.parametrize(("button", "kind"), [("gelukt", "received"), ("niet-gelukt", "failed")])
async def test_a_debit_on_the_page(page, button, kind):
    """A debit is decided later, on the same page."""
    _, _, press, kinds = page
    await press("later")
    assert await kinds() == ["processing"]
    await press(button)
    assert await kinds() == ["processing", kind]


async def test_charging_back_on_the_page(client, served, page):
    """What was paid can be charged back, and what was refunded can fail, from the page."""
    order, started, press, kinds = page
    await press("betalen")
    intent = served.books.get("checkout.session", started.gateway_ref)["payment_intent"]
    refund = deeds.refund(served.books, served.books.get("payment_intent", intent), 1_000, {})
    url = f"/betalen/{started.gateway_ref}"
    assert refund["id"] in (await client.get(url)).text
    await press("retour", number=refund["id"])
    await press("terugdraaien")
    (dispute,) = served.books.where("dispute", payment_intent=intent)
    assert dispute["amount"] == order.amount_cents
    await press("gewonnen", number=dispute["id"])
    assert sorted(await kinds()) == sorted(["received", "refunded", "refund_failed", "dispute_opened", "dispute_won"])


async def test_a_page_whose_time_is_over(client, served, page):
    """After its time nobody can pay, and the page says so."""
    _, started, press, kinds = page
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(served.books, "clock", lambda: now() + timedelta(hours=2))
        assert "Betalen kan hier niet meer" in (await client.get(f"/betalen/{started.gateway_ref}")).text
        assert "Dat kan nu niet." in (await press("betalen")).text
        assert await kinds() == ["expired"]
