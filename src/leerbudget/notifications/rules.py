"""The words of every notice, and when to try again: plain values in, plain values out.

A subject says what kind of news it is and nothing more: no course topic, no child, no family
(reliability section 4). A body says when and where to look; the details are behind the login.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from babel.dates import format_date, format_datetime

from leerbudget.foundation import money
from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.notifications.errors import UnknownNotice

LEASE = timedelta(minutes=5)
"""How long a claimed notice belongs to one worker; longer than one attempt can take."""

SEND_SECONDS_MAX = 60
"""Longest that one attempt to deliver may take."""

GIVE_UP_AFTER = timedelta(days=3)
"""A notice that could not be delivered for so long is given up (as mail servers do)."""

_BACKOFF_FIRST = timedelta(minutes=1)
_BACKOFF_MAX = timedelta(hours=4)

_CLOSE = "Met vriendelijke groet,\nleerbudget\n"
_QUESTION = "Hebt u een vraag? Antwoord dan op deze mail."


@dataclass(frozen=True, slots=True)
class Wording:
    """A notice's subject and body, and what its context must hold.

    `{link}` becomes an address on this site; fields ending in `_at` become day and time in Amsterdam,
    fields ending in `_on` a day, fields ending in `_cents` become euros.
    """

    subject: str
    body: str
    needs: frozenset[str]


def _wording(subject: str, *sentences: str, needs: str) -> Wording:
    body = "\n\n".join(["Beste lezer,", *sentences, _QUESTION, _CLOSE])
    return Wording(subject, body, frozenset(needs.split()))


WORDINGS: Mapping[str, Wording] = {
    "magic_link": _wording(
        "Uw link om in te loggen",
        "U vroeg om in te loggen bij leerbudget.",
        "Open deze link en kies dan 'Inloggen':\n{link}",
        "De link werkt {minutes} minuten en één keer.",
        "Vroeg u dit niet? Dan hoeft u niets te doen.",
        needs="link minutes",
    ),
    "proposal_offered": _wording(
        "Er staat een voorstel voor u klaar",
        "Wij hebben iets gevonden dat past bij wat u zocht.",
        "U kunt het voorstel bekijken en kiezen:\n{link}",
        "Uw plek blijft vrij tot {answer_before_at}.",
        "Past het niet? Dan zoeken wij verder.",
        needs="link answer_before_at",
    ),
    "place_offered": _wording(
        "Er is een plaats vrij voor u",
        "U stond op de wachtlijst. Er is nu plaats voor u.",
        "U kunt de plaats bekijken en kiezen:\n{link}",
        "Wij houden hem vrij tot {answer_before_at}.",
        "Past het niet? Dan blijft u op de wachtlijst staan.",
        needs="link answer_before_at",
    ),
    "proposal_expiring": _wording(
        "Uw voorstel wacht nog op antwoord",
        "Er staat nog een voorstel voor u klaar.",
        "U kunt kiezen tot {answer_before_at}.",
        "Bekijk het voorstel hier:\n{link}",
        "Kiest u niet? Dan gaat de plek naar een ander gezin.",
        needs="link answer_before_at",
    ),
    "place_expiring": _wording(
        "Uw plaats wacht nog op antwoord",
        "Er is nog een plaats vrij voor u. U stond daarvoor op de wachtlijst.",
        "U kunt kiezen tot {answer_before_at}.",
        "Bekijk de plaats hier:\n{link}",
        "Kiest u niet? Dan gaat de plaats naar een ander gezin.",
        "U blijft dan op de wachtlijst staan, voor een andere datum.",
        needs="link answer_before_at",
    ),
    "booking_confirmed": _wording(
        "U bent ingeschreven",
        "Uw inschrijving is gelukt.",
        "De eerste keer is op {starts_at}.",
        "De plaats en het programma staan hier:\n{link}",
        "Kunt u toch niet komen? Daar kunt u zich ook weer afmelden.",
        needs="link starts_at",
    ),
    "booking_cancelled": _wording(
        "Uw inschrijving is geannuleerd",
        "Uw inschrijving voor {starts_at} is geannuleerd.",
        "U krijgt {returned_cents} terug.",
        "U ziet uw budget hier:\n{link}",
        needs="link starts_at returned_cents",
    ),
    "own_money_returned": _wording(
        "U krijgt geld terug op uw rekening",
        "U betaalde zelf voor een inschrijving op {starts_at}.",
        "Daarvan gaat {returned_cents} terug naar uw rekening.",
        "Dat duurt een paar dagen. Daar hoeft u niets voor te doen.",
        "U ziet uw inschrijvingen hier:\n{link}",
        needs="link starts_at returned_cents",
    ),
    "own_money_stuck": _wording(
        "Terugbetalen is nog niet gelukt",
        "U betaalde zelf voor een inschrijving op {starts_at}.",
        "{returned_cents} daarvan kon niet terug naar uw rekening.",
        "Het geld blijft van u en staat voor u klaar.",
        "Wij vragen u naar welke rekening het mag. Dat doen wij nooit met een link in een mail.",
        "U ziet uw inschrijvingen hier:\n{link}",
        needs="link starts_at returned_cents",
    ),
    "own_money_paid": _wording(
        "Uw geld is overgemaakt",
        "U betaalde zelf voor een inschrijving op {starts_at}.",
        "{returned_cents} daarvan is nu naar uw rekening overgemaakt.",
        "U ziet uw inschrijvingen hier:\n{link}",
        needs="link starts_at returned_cents",
    ),
    "fee_returned": _wording(
        "U krijgt geld terug",
        "U kon niet bij de bijeenkomst van {starts_at} zijn.",
        "De kosten daarvan krijgt u terug: {returned_cents}.",
        "Wat uit uw leerbudget kwam, staat daar weer in.",
        "U ziet uw budget hier:\n{link}",
        needs="link starts_at returned_cents",
    ),
    "session_cancelled": _wording(
        "Een bijeenkomst gaat niet door",
        "De bijeenkomst van {starts_at} gaat helaas niet door.",
        "U krijgt het hele bedrag terug.",
        "Uw wens blijft staan. Wij zoeken iets anders voor u.",
        "Zelf zoeken kan ook:\n{link}",
        needs="link starts_at",
    ),
    "meeting_cancelled": _wording(
        "Een datum gaat niet door",
        "De bijeenkomst van {starts_at} gaat helaas niet door.",
        "U betaalt alleen voor de keren die wel doorgaan.",
        "Is de cursus nog niet begonnen? Dan kunt u kosteloos annuleren.",
        "U ziet uw cursus hier:\n{link}",
        needs="link starts_at",
    ),
    "catch_up_planned": _wording(
        "U haalt een keer in",
        "U haalt een gemiste keer in bij een andere groep.",
        "Die groep komt bij elkaar op {starts_at}.",
        "De plaats staat hier:\n{link}",
        "Kunt u toch niet? Daar kunt u het ook weer afzeggen.",
        needs="link starts_at",
    ),
    "session_confirmed": _wording(
        "Uw bijeenkomst gaat door",
        "De bijeenkomst van {starts_at} gaat door.",
        "Wij zien u daar graag.",
        "De plaats en het programma staan hier:\n{link}",
        needs="link starts_at",
    ),
    "seat_offered": _wording(
        "Er staat een plaats voor u klaar",
        "Wij hebben een plaats voor u gevonden.",
        "U kunt haar bekijken en kiezen:\n{link}",
        "Uw plaats blijft vrij tot {answer_before_at}.",
        "Past het niet? Zeg dan nee, een reden hoeft niet.",
        needs="link answer_before_at",
    ),
    "seat_expiring": _wording(
        "Uw plaats wacht nog op antwoord",
        "Er staat nog een plaats voor u klaar.",
        "U kunt kiezen tot {answer_before_at}.",
        "Bekijk de plaats hier:\n{link}",
        "Kiest u niet? Dan gaat de plaats naar iemand anders.",
        needs="link answer_before_at",
    ),
    "seat_given": _wording(
        "Er is een plaats voor u",
        "Er is een plaats voor u vastgelegd.",
        "De eerste keer is op {starts_at}.",
        "De plaats en het programma staan hier:\n{link}",
        "U betaalt niets.",
        "Kunt u toch niet komen? Zeg daar af, of antwoord op deze mail.",
        needs="link starts_at",
    ),
    "seat_ended": _wording(
        "Uw plaats is vervallen",
        "Uw plaats op {starts_at} is vervallen.",
        "U hoeft niets te doen.",
        needs="starts_at",
    ),
    "seat_goes_on": _wording(
        "Uw bijeenkomst gaat door",
        "De bijeenkomst van {starts_at} gaat door.",
        "Wij zien u daar graag.",
        "De plaats en het programma staan hier:\n{link}",
        needs="link starts_at",
    ),
    "seat_called_off": _wording(
        "Een bijeenkomst gaat niet door",
        "De bijeenkomst van {starts_at} gaat helaas niet door.",
        "U hoeft niets te doen.",
        needs="starts_at",
    ),
    "seat_date_off": _wording(
        "Een datum gaat niet door",
        "De bijeenkomst van {starts_at} gaat helaas niet door.",
        "Voor u verandert er verder niets.",
        needs="starts_at",
    ),
    "top_up_received": _wording(
        "Uw storting is ontvangen",
        "Wij hebben {amount_cents} ontvangen met kenmerk {reference}.",
        "Het bedrag staat klaar om toe te kennen.",
        "Bekijk het overzicht hier:\n{link}",
        needs="link amount_cents reference",
    ),
    "top_up_held": _wording(
        "Uw incasso is gelukt en telt later mee",
        "Uw incasso van {amount_cents} is gelukt. Het kenmerk is {reference}.",
        "Uw bank kan het geld nog acht weken terughalen.",
        "Daarom staat het vanaf {counts_on} in de pot.",
        "Bekijk hier hoe het staat:\n{link}",
        needs="link amount_cents reference counts_on",
    ),
    "call_back_opened": _wording(
        "Een betaling is teruggehaald",
        "De bank haalde {amount_cents} terug. Het kenmerk is {reference}.",
        "Dit bedrag telt niet meer mee in de pot.",
        "Wat u al aan gezinnen toekende, blijft van hen.",
        "Bekijk hier hoe het staat:\n{link}",
        needs="link amount_cents reference",
    ),
    "call_back_won": _wording(
        "Een teruggehaalde betaling telt weer mee",
        "De bank gaf {amount_cents} terug aan ons. Het kenmerk is {reference}.",
        "Het bedrag telt weer mee voor uw organisatie.",
        "Bekijk hier hoe het staat:\n{link}",
        needs="link amount_cents reference",
    ),
    "call_back_lost": _wording(
        "Een teruggehaalde betaling komt niet terug",
        "De bank houdt de {amount_cents} die zij terughaalde. Het kenmerk is {reference}.",
        "Wat uw organisatie daardoor schuldig is, gaat uit de pot.",
        "Bekijk hier hoe het staat:\n{link}",
        needs="link amount_cents reference",
    ),
    "refund_paid": _wording(
        "Er komt geld naar u terug",
        "Wij hebben {amount_cents} aan u terugbetaald. Het kenmerk is {reference}.",
        "Het kan een paar dagen duren voor u het ziet.",
        "Bekijk hier hoe het staat:\n{link}",
        needs="link amount_cents reference",
    ),
    "payout_paid": _wording(
        "U bent uitbetaald",
        "Wij hebben {amount_cents} naar uw rekening overgemaakt.",
        "Het is voor wat u gaf in maanden die voorbij zijn.",
        "Uw rekening staat hier:\n{link}",
        needs="link amount_cents",
    ),
    "invoice_issued": _wording(
        "Er staat een factuur voor u klaar",
        "Wij maakten namens u een factuur over een maand die voorbij is.",
        "U hoeft niets te doen. U kunt hem hier bekijken en bewaren:\n{link}",
        "Klopt er iets niet? Laat dat dan binnen veertien dagen weten.",
        needs="link",
    ),
    "payout_rejected": _wording(
        "Uw uitbetaling is niet gelukt",
        "De bank kon {amount_cents} niet naar uw rekening overmaken.",
        "Het geld blijft van u. Wij betalen het later opnieuw.",
        "Wilt u uw rekeningnummer nakijken?\n{link}",
        needs="link amount_cents",
    ),
    "grant_to_approve": _wording(
        "Een toekenning wacht op u",
        "Een collega wil {amount_cents} aan leerbudget toekennen.",
        "Dat is meer dan de grens van uw organisatie.",
        "U kunt de aanvraag goedkeuren of afwijzen:\n{link}",
        needs="link amount_cents",
    ),
    "grant_received": _wording(
        "U hebt een leerbudget gekregen",
        "U hebt een leerbudget van {amount_cents} gekregen.",
        "U kiest zelf wat u wilt leren.",
        "Bekijk hier wat er kan:\n{link}",
        needs="link amount_cents",
    ),
}
"""Kind of notice → its words. Every sentence has at most fifteen words (a test counts them)."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it is delivered. `message_id` is the same at every attempt (I8)."""

    message_id: str
    address: str
    subject: str
    body: str


def check_notice(kind: str, context: Mapping[str, Any]) -> None:
    """Refuse a notice that could not be put into words later.

    Raises:
        UnknownNotice: the kind is not known or the context misses something.
    """
    wording = WORDINGS.get(kind)
    missing = "de tekst" if wording is None else ", ".join(sorted(wording.needs - set(context)))
    if missing:
        raise UnknownNotice(kind=kind, missing=missing)


def render(kind: str, context: Mapping[str, Any], base_url: str = "") -> tuple[str, str]:
    """Subject and body in plain Dutch. `context["link"]` is a path; `base_url` is put in front of it.

    Raises:
        UnknownNotice: the kind is not known or the context misses something.
    """
    check_notice(kind, context)
    wording = WORDINGS[kind]
    words = {name: _in_words(name, value, base_url) for name, value in context.items()}
    return wording.subject, wording.body.format_map(words)


def _in_words(name: str, value: Any, base_url: str) -> str:
    if name == "link":
        return f"{base_url}{value}"
    if name.endswith("_cents"):
        return money.euros(int(value))
    if name.endswith("_at"):
        moment = datetime.fromisoformat(str(value)).astimezone(AMSTERDAM)
        return format_datetime(moment, "EEEE d MMMM y 'om' HH.mm 'uur'", locale="nl")
    if name.endswith("_on"):
        return format_date(date.fromisoformat(str(value)), "EEEE d MMMM y", locale="nl")
    return str(value)


def message_id(kind: str, business_ref: str, address: str, base_url: str) -> str:
    """The Message-ID of this notice to this address: always the same, and telling nothing (I8, RFC 5322 3.6.4)."""
    digest = hashlib.sha256(f"{kind}\x00{business_ref}\x00{address}".encode()).hexdigest()[:40]
    return f"<{digest}@{urlsplit(base_url).hostname or 'leerbudget.invalid'}>"


def next_attempt(attempts: int, now: datetime) -> datetime:
    """When to try again after so many attempts: 1, 2, 4 … minutes later, at most 4 hours."""
    wait = _BACKOFF_FIRST * 2 ** min(attempts - 1, 12) if attempts > 0 else _BACKOFF_FIRST
    return now + min(wait, _BACKOFF_MAX)


def hopeless(*, created_at: datetime, useless_after: datetime | None, permanent: bool, next_at: datetime) -> bool:
    """Whether a notice that was not accepted is given up."""
    late = useless_after is not None and next_at >= useless_after
    return permanent or late or next_at >= created_at + GIVE_UP_AFTER
