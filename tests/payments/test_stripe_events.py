"""Events of Stripe as they come in: the genuine ones are understood, every other is refused with its own reason."""

import hashlib
import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from leerbudget.payments.errors import EventRefused
from leerbudget.payments.stripe_events import REFERENCE
from leerbudget.payments.stripe_gateway import StripeGateway

AT = datetime(2027, 3, 1, 12, tzinfo=UTC)
SECRETS = ("whsec_old", "whsec_new")


def judge(*, environment="test", secrets=SECRETS):
    """A gateway that nothing is asked of."""
    return StripeGateway("sk_test_x", secrets, name="stripe", environment=environment)


def event(**changes):
    """A snapshot event about a payment."""
    about = {"object": "payment_intent", "id": "pi_1"}
    usual = {"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "livemode": False}
    return usual | {"data": {"object": about}} | changes


def thin(**changes):
    """A thin event about a payment."""
    about = {"id": "cs_test_1", "type": "checkout.session", "url": "/v1/checkout/sessions/cs_test_1"}
    usual = {"id": "evt_2", "object": "v2.core.event", "type": "v1.checkout.session.completed", "livemode": False}
    return usual | {"related_object": about} | changes


def header(body, *, secret=SECRETS[1], at=AT):
    """The signature of a body, by the book."""
    seconds = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def told(content, **signing):
    """What the gateway makes of a signed event."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return judge().verify(body, {"stripe-signature": header(body, **signing)}, at=AT)


def refusal(body, signature, *, at=AT, **which):
    """Why bytes are refused."""
    with pytest.raises(EventRefused) as refused:
        judge(**which).verify(body, {} if signature is None else {"stripe-signature": signature}, at=at)
    return refused.value.reason


def test_a_snapshot_and_a_thin_event_name_their_payment():
    """Both kinds of events say their id, their kind and where to look."""
    found = told(event())
    assert (found.event_id, found.kind, found.gateway_ref) == ("evt_1", "payment_intent.succeeded", "pi_1")
    found = told(thin())
    assert (found.event_id, found.kind, found.gateway_ref) == ("evt_2", "v1.checkout.session.completed", "cs_test_1")


@pytest.mark.parametrize("kind", ["charge", "refund", "dispute"])
def test_a_part_of_a_payment_names_the_payment(kind):
    """A charge, refund or dispute leads to its payment, written out or not; without one, to itself."""
    for intent in ("pi_9", {"id": "pi_9", "object": "payment_intent"}):
        assert (
            told(event(data={"object": {"object": kind, "id": "ch_1", "payment_intent": intent}})).gateway_ref == "pi_9"
        )
    assert told(event(data={"object": {"object": kind, "id": "ch_1", "payment_intent": None}})).gateway_ref == "ch_1"
    assert told(thin(related_object={"id": "re_1", "type": kind, "url": "/"})).gateway_ref == "re_1"


@pytest.mark.parametrize(
    "about",
    [{"object": "payout", "id": "po_1"}, {"object": "customer"}, {"object": "charge", "id": "zz_1"}, {}, None, 3, []],
)
def test_an_event_about_something_else_leads_nowhere(about):
    """An event that is not about a payment is genuine, and nothing is looked at."""
    assert told(event(data={"object": about})).gateway_ref is None
    assert told(event(data=about)).gateway_ref is None
    assert told(thin(related_object=about)).gateway_ref is None


@pytest.mark.parametrize("secret", SECRETS)
def test_both_secrets_are_good_while_one_is_changed(secret):
    """An event signed with either active secret is genuine, and so is one that carries both signatures."""
    assert told(event(), secret=secret).event_id == "evt_1"
    body = json.dumps(event()).encode()
    both = header(body, secret="whsec_third") + "," + header(body, secret=secret).partition(",")[2] + ",v0=x"
    assert judge().verify(body, {"stripe-signature": both}, at=AT).event_id == "evt_1"


def test_the_library_signs_as_we_read():
    """A header made by Stripe's own library is genuine here."""
    body = json.dumps(event())
    signed = stripe.WebhookSignature.generate_signature_header(body, "whsec_new", int(AT.timestamp()))
    assert judge().verify(body.encode(), {"stripe-signature": signed}, at=AT).event_id == "evt_1"


BODY = json.dumps(event()).encode()
GOOD = header(BODY)
SECONDS = int(AT.timestamp())
HEADERS = {
    "none": (None, "signature_missing"),
    "empty": ("", "signature_missing"),
    "words": ("hello", "signature_malformed"),
    "no time": (GOOD.partition(",")[2], "signature_malformed"),
    "two times": (f"t={SECONDS},{GOOD}", "signature_malformed"),
    "no signature": (f"t={SECONDS}", "signature_malformed"),
    "another scheme": (GOOD.replace("v1=", "v0="), "signature_malformed"),
    "time of words": (GOOD.replace(f"t={SECONDS}", "t=now"), "signature_malformed"),
    "time below zero": (GOOD.replace(f"t={SECONDS}", "t=-1"), "signature_malformed"),
    "arabic digits": (GOOD.replace(f"t={SECONDS}", "t=١٢٣"), "signature_malformed"),
    "endless time": (GOOD.replace(f"t={SECONDS}", "t=" + "9" * 400), "signature_malformed"),
    "endless header": ("v1=" + "a" * 5000, "signature_malformed"),
    "another time": (GOOD.replace(f"t={SECONDS}", f"t={SECONDS - 1}"), "signature_wrong"),
    "forged": (f"t={SECONDS},v1={'0' * 64}", "signature_wrong"),
    "not ascii": (f"t={SECONDS},v1=é\udcff", "signature_wrong"),
    "cut off": (GOOD[:-1], "signature_wrong"),
    "unknown secret": (header(BODY, secret="whsec_third"), "signature_wrong"),
    "empty secret": (header(BODY, secret=""), "signature_wrong"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_signature_that_is_not_right_is_refused(case):
    """Forged, cut off, of another scheme or secret: each has its reason, and none raises anything else."""
    signature, reason = HEADERS[case]
    assert refusal(BODY, signature) == reason


def test_no_secret_is_no_key():
    """With an empty secret, or none, nothing is genuine."""
    assert refusal(BODY, header(BODY, secret=""), secrets=("",)) == "signature_wrong"
    assert refusal(BODY, GOOD, secrets=()) == "signature_wrong"


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_are_allowed_both_ways(seconds):
    """A clock may be five minutes slow or fast."""
    assert told(event(), at=AT + timedelta(seconds=seconds)).event_id == "evt_1"


@pytest.mark.parametrize(
    ("seconds", "reason"), [(-301, "too_old"), (301, "from_the_future"), (10**8, "from_the_future")]
)
def test_old_and_future_events_are_refused(seconds, reason):
    """One second more than five minutes, before or after, is refused, though the signature is right."""
    assert refusal(BODY, header(BODY, at=AT + timedelta(seconds=seconds))) == reason


BODIES = {
    "cut off": (BODY[:-9], "not_json"),
    "empty": (b"", "not_json"),
    "not utf-8": (BODY.replace(b"evt_1", b"\xff\xfe"), "not_utf8"),
    "half a character": (b'"\xc3', "not_utf8"),
    "a list": (b"[]", "not_an_object"),
    "a word": (b'"evt_1"', "not_an_object"),
    "nothing": (b"null", "not_an_object"),
    "not a number": (BODY.replace(b'"evt_1"', b"NaN"), "not_json"),
    "a surrogate": (BODY.replace(b"evt_1", b"\\ud800"), "not_json"),
    "very deep": (b"[" * 100_000 + b"]" * 100_000, "not_json"),
    "an empty object": (b"{}", "not_an_event"),
    "another object": (event(object="charge"), "not_an_event"),
    "an object that is a list": (event(object=[]), "not_an_event"),
    "no id": (event(id=""), "not_an_event"),
    "an id that is a number": (event(id=1), "not_an_event"),
    "an endless id": (event(id="e" * 300), "not_an_event"),
    "no kind": (event(type=None), "not_an_event"),
    "a payment without an id": (event(data={"object": {"object": "payment_intent"}}), "not_an_event"),
    "a payment elsewhere": (event(data={"object": {"object": "payment_intent", "id": "../x"}}), "not_an_event"),
    "live in test": (event(livemode=True), "other_mode"),
    "thin live in test": (thin(livemode=True), "other_mode"),
    "of no mode": (event(livemode=None), "other_mode"),
    "of a strange mode": (event(livemode=0), "other_mode"),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_signed_body_that_is_no_event_is_refused(case):
    """A genuine signature under nonsense is refused with its reason; nothing else is ever raised."""
    content, reason = BODIES[case]
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    assert refusal(body, header(body)) == reason


def test_production_takes_live_events_only():
    """In production a test event is refused, and a live one is taken."""
    assert refusal(BODY, GOOD, environment="production") == "other_mode"
    live = json.dumps(event(livemode=True)).encode()
    assert judge(environment="production").verify(live, {"stripe-signature": header(live)}, at=AT).event_id == "evt_1"
    assert refusal(live, header(live), environment="demo") == "other_mode"


KEYS = st.sampled_from(["id", "object", "type", "livemode", "data", "related_object", "payment_intent"])
FLAT = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
ODD = (
    FLAT
    | st.lists(FLAT, max_size=2)
    | st.dictionaries(KEYS, FLAT | st.dictionaries(KEYS, FLAT, max_size=2), max_size=3)
)


@settings(max_examples=60, deadline=None)
@given(changes=st.dictionaries(KEYS, ODD, max_size=4), thinly=st.booleans())
def test_whatever_is_signed_is_understood_or_refused(changes, thinly):
    """A signed event of any made-up shape gives a notice or a refusal, and never anything else."""
    body = json.dumps((thin if thinly else event)(**changes)).encode()
    with suppress(EventRefused):
        found = judge().verify(body, {"stripe-signature": header(body)}, at=AT)
        assert found.gateway_ref is None or REFERENCE.fullmatch(found.gateway_ref)


@settings(max_examples=60, deadline=None)
@given(signature=st.text(max_size=80) | st.from_regex(r"t=[0-9]{1,12},v1=[0-9a-f]{0,64}(,v1=.{0,8})?", fullmatch=True))
def test_whatever_header_comes_is_refused(signature):
    """No made-up header opens the door, and none raises anything but a refusal."""
    assert refusal(BODY, signature) in {"signature_missing", "signature_malformed", "signature_wrong"}
