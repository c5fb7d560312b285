"""The words of notices: plain, polite, complete, and silent about families."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from leerbudget.notifications.errors import UnknownNotice
from leerbudget.notifications.rules import (
    GIVE_UP_AFTER,
    LEASE,
    SEND_SECONDS_MAX,
    WORDINGS,
    check_notice,
    hopeless,
    message_id,
    next_attempt,
    render,
)

CONTEXT = {
    "link": "/mijn",
    "minutes": 15,
    "answer_before_at": "2027-02-26T22:59:00+00:00",
    "starts_at": "2027-03-01T18:00:00Z",
    "returned_cents": 4500,
    "amount_cents": 12_345_600,
    "counts_on": "2027-03-30",
    "reference": "RF18 5390 0754 7034",
}
KINDS = sorted(WORDINGS)
NEEDED = {
    "fee_returned",
    "own_money_returned",
    "own_money_stuck",
    "own_money_paid",
    "place_offered",
    "magic_link",
    "proposal_offered",
    "proposal_expiring",
    "place_expiring",
    "booking_confirmed",
    "booking_cancelled",
    "session_cancelled",
    "session_confirmed",
    "meeting_cancelled",
    "catch_up_planned",
    "seat_given",
    "seat_offered",
    "seat_expiring",
    "seat_ended",
    "seat_goes_on",
    "seat_called_off",
    "seat_date_off",
    "top_up_received",
    "top_up_held",
    "call_back_opened",
    "call_back_won",
    "call_back_lost",
    "refund_paid",
    "payout_paid",
    "invoice_issued",
    "payout_rejected",
    "grant_received",
    "grant_to_approve",
}
BANNED = re.compile(r"(?i)boek(?:ing|en)|tekort|onvoldoende|verplicht|\bje\b|\bjij\b|\bjouw\b|moet\b")


def sentences(text: str) -> list[str]:
    """The sentences of a body, addresses of pages left out."""
    plain = re.sub(r"https?://\S+", "", text)
    return [part.strip() for part in re.split(r"(?<=[.?!:])\s+|\n\n", plain) if part.strip()]


def test_every_kind_has_its_words():
    """Each kind that rooms send, and no other."""
    assert set(WORDINGS) == NEEDED


@pytest.mark.parametrize("kind", KINDS)
def test_sentences_are_short_and_polite(kind):
    """At most fifteen words, "u", no word of blame and never "boeking"."""
    subject, body = render(kind, CONTEXT, "https://leerbudget.example")
    for sentence in [subject, *sentences(body)]:
        assert len(sentence.split()) <= 15, sentence
        assert not BANNED.search(sentence), sentence
    assert "u " in body
    assert "{" not in body


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_tells_nothing_that_came_from_the_context(kind):
    """Subjects are fixed words: whatever is in the context, the subject stays the same."""
    other = {
        name: "geheim" if isinstance(value, str) and not name.endswith(("_at", "_on")) else value
        for name, value in CONTEXT.items()
    }
    assert render(kind, other)[0] == render(kind, CONTEXT)[0] == WORDINGS[kind].subject
    assert not re.search(r"(?i)trauma|hechting|kind|gezin|cursus", WORDINGS[kind].subject)


@pytest.mark.parametrize("kind", KINDS)
def test_a_notice_that_misses_something_is_refused_when_it_is_written(kind):
    """Not three days later, when the worker tries to send it."""
    check_notice(kind, CONTEXT)
    for name in WORDINGS[kind].needs:
        with pytest.raises(UnknownNotice):
            check_notice(kind, {key: value for key, value in CONTEXT.items() if key != name})


def test_an_unknown_kind_is_refused():
    """A misspelt kind is a mistake in the code."""
    with pytest.raises(UnknownNotice):
        check_notice("newsletter", {})


def test_moments_and_amounts_are_said_the_dutch_way():
    """Amsterdam time, and euros with a comma."""
    assert "maandag 1 maart 2027 om 19.00 uur" in render("session_confirmed", CONTEXT)[1]
    assert "€ 123.456,00" in render("top_up_received", CONTEXT)[1]
    assert "vrijdag 26 februari 2027 om 23.59 uur" in render("proposal_offered", CONTEXT)[1]
    assert "vanaf dinsdag 30 maart 2027 in" in render("top_up_held", CONTEXT)[1]


def test_braces_in_a_value_stay_braces():
    """A value is never read as a placeholder."""
    assert "{link}" in render("top_up_received", {**CONTEXT, "reference": "{link}"})[1]


def test_the_message_id_is_the_same_each_time_and_differs_between_notices():
    """I8: by (kind, event, address), and nothing of them can be read in it."""
    base = "https://leerbudget.example"
    same = {message_id("magic_link", "1", "a@b.nl", base) for _ in range(3)}
    assert len(same) == 1
    others = {
        message_id(*parts, base)
        for parts in [
            ("magic_link", "1", "a@b.nl"),
            ("magic_link", "2", "a@b.nl"),
            ("x", "1", "a@b.nl"),
            ("magic_link", "1", "c@b.nl"),
        ]
    }
    assert len(others) == 4
    assert re.fullmatch(r"<[0-9a-f]{40}@leerbudget\.example>", same.pop())


def test_attempts_come_ever_later_and_end():
    """1, 2, 4 … minutes, at most 4 hours; after three days it is over."""
    now = datetime(2027, 1, 1, tzinfo=UTC)
    waits = [next_attempt(n, now) - now for n in range(1, 30)]
    assert waits[:4] == [timedelta(minutes=m) for m in (1, 2, 4, 8)]
    assert waits == sorted(waits)
    assert max(waits) == timedelta(hours=4)
    assert sum(waits, timedelta()) > GIVE_UP_AFTER


def test_when_a_notice_is_given_up():
    """At once when refused for good, when it would come too late, or after three days."""
    now = datetime(2027, 1, 1, tzinfo=UTC)
    fresh = {"created_at": now, "useless_after": None, "permanent": False, "next_at": now + timedelta(minutes=1)}
    assert not hopeless(**fresh)
    assert hopeless(**{**fresh, "permanent": True})
    assert hopeless(**{**fresh, "useless_after": now})
    assert hopeless(**{**fresh, "next_at": now + GIVE_UP_AFTER})


def test_one_attempt_fits_well_inside_a_lease():
    """Otherwise nothing could ever be sent."""
    assert timedelta(seconds=2 * SEND_SECONDS_MAX) < LEASE
