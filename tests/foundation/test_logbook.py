"""What reaches the log, and what never does."""

import io
import json
import logging

import pytest
import structlog

from leerbudget.foundation.logbook import configure_logging, scrubbed


@pytest.fixture
def lines():
    """A log in production's shape; the process's logging is put back afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config())
    stream = io.StringIO()
    configure_logging("production", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    structlog.configure(**before[2])
    logging.getLogger("uvicorn.access").disabled = False


def test_production_writes_one_json_object_per_event(lines):
    """An event is one JSON line with its time, level, logger and data."""
    structlog.get_logger("leerbudget.bookings").info("booked", seats=2, booking="b1")
    (event,) = lines()
    assert (event["event"], event["level"], event["logger"], event["seats"]) == (
        "booked",
        "info",
        "leerbudget.bookings",
        2,
    )
    assert event["timestamp"].endswith("Z")


SECRETS = {
    "password": "hunter2hunter2",
    "web_session": "hunter2hunter2",
    "nested": {"stripe_webhook_secret": "hunter2hunter2", "deep": [{"api_key": "hunter2hunter2"}]},
    "address": "https://leerbudget.example.org/inloggen?token=hunter2hunter2",
    "path": "/inloggen?code=hunter2hunter2&x=1",
    "mail": "hunter2hunter2@example.org",
    "dsn": "hunter2hunter2",
    "database": "postgresql://app:hunter2hunter2@db/leerbudget",
    "message": "calling sk_live_hunter2hunter2 failed",
}


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_reaches_the_log(lines, name):
    """Passwords, tokens, logins in addresses, query strings and Stripe keys are masked, however deep."""
    structlog.get_logger("leerbudget").warning("happened", **{name: SECRETS[name]})
    assert "***" in json.dumps(lines()[0])
    assert "hunter2" not in json.dumps(lines()[0])


def test_secrets_of_libraries_and_tracebacks_are_masked_too(lines):
    """A library's warning and an exception's text go through the same masking."""
    logging.getLogger("httpx").warning("GET %s", "https://api.example.org/v1?key=hunter2")
    local = "hunter2@local"
    try:
        int("postgresql://app:hunter2@db/x")
    except ValueError:
        structlog.get_logger("leerbudget").exception("failed")
    assert local
    assert len(lines()) == 2
    assert "ValueError" in lines()[1]["exception"]
    assert "hunter2@" not in json.dumps(lines())
    assert "key=hunter2" not in json.dumps(lines())


def test_libraries_are_quiet(lines):
    """What a library tells below WARNING, and the web server's access log, stay out."""
    logging.getLogger("httpx").info("HTTP Request: GET https://x")
    logging.getLogger("uvicorn.access").info("GET /?token=x")
    logging.getLogger("uvicorn.access").error("GET /?token=x")
    logging.getLogger("some.library").info("chatter")
    assert lines() == []


def test_ordinary_text_stays_as_it_is():
    """Scrubbing leaves sentences, times and questions alone."""
    for text in ("Is dit goed? Ja.", "19:00-21:30", "a/b", "een @ en een .", "course_session"):
        assert scrubbed(text) == text
