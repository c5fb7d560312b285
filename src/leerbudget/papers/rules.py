"""Parties, VAT and lines of papers: plain values in, plain values out."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Final, NamedTuple
from uuid import UUID

from stdnum.nl import btw

from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.foundation.settings import Settings
from leerbudget.ledger.rules import text_fault

VAT_TREATMENTS: Final = ("standard_21", "exempt")
INVOICE_KINDS: Final = ("invoice", "credit_note")
LINE_KINDS: Final = ("course", "cancellation", "returned", "correction")
REGISTERS: Final = ("kvk", "oin")

DEFAULT_TREATMENT: Final = "standard_21"
"""What holds as long as nobody wrote down something else with evidence: never worked out from anything (requirements 2.6)."""

PERCENT: Final[Mapping[str, int]] = {"standard_21": 21, "exempt": 0}
NAME_LENGTH, STREET_LENGTH, PLACE_LENGTH = 120, 120, 80
BASIS_LENGTH, EVIDENCE_LENGTH, BUYER_REFERENCE_LENGTH = 200, 500, 60
_POSTCODE = re.compile(r"[1-9][0-9]{3} ?[A-Z]{2}", re.ASCII)
_NUMBERS = {"kvk": re.compile(r"[0-9]{8}", re.ASCII), "oin": re.compile(r"[0-9]{20}", re.ASCII)}


class Party(NamedTuple):
    """Somebody on a paper. `register`: of which register `number` is: trade register (kvk) or that of the state (oin)."""

    name: str
    street: str
    postcode: str
    place: str
    register: str
    number: str
    vat_id: str | None = None


EXAMPLE: Final = Party(
    *("Stichting Leerbudget (fictief)", "Voorbeeldstraat 1", "1234 AB", "Voorbeeldstad", "kvk"),
    *("00000000", "NL000099998B57"),
)
"""The programme where nothing is set and no money is real."""


def programme(settings: Settings) -> Party | None:
    """Who runs this installation; None as long as something of it is not set in production."""
    told = (
        *(settings.programme_name, settings.programme_street, settings.programme_postcode, settings.programme_place),
        *(settings.programme_kvk, settings.programme_vat_id),
    )
    if None not in told:
        name, street, postcode, place, number, vat_id = (str(each) for each in told)
        return Party(name, street, postcode, place, "kvk", number, vat_id)
    return None if settings.environment == "production" else EXAMPLE


def tidy(party: Party) -> Party:
    """The same party, written as registers write it."""
    postcode = party.postcode.replace(" ", "").upper()
    return Party(
        party.name.strip(),
        party.street.strip(),
        f"{postcode[:4]} {postcode[4:]}",
        party.place.strip(),
        party.register,
        re.sub(r"[ .]", "", party.number),
        None if party.vat_id is None else vat_number(party.vat_id) or party.vat_id,
    )


def vat_number(text: str) -> str | None:
    """A Dutch VAT number in its one writing, or None."""
    return f"NL{btw.compact(text)}" if text.isascii() and btw.is_valid(text) else None


def party_faults(party: Party, *, vat: bool) -> Iterator[tuple[str, str | None]]:
    """Every field of a tidy party and what is wrong with it (None: nothing). `vat`: it must have a VAT number."""
    yield "name", text_fault(party.name, NAME_LENGTH)
    yield "street", text_fault(party.street, STREET_LENGTH)
    yield "place", text_fault(party.place, PLACE_LENGTH)
    yield "postcode", None if _POSTCODE.fullmatch(party.postcode) else "Geef een postcode als 1234 AB."
    shape = _NUMBERS.get(party.register)
    if shape is None:
        yield "register", "Kies KvK of OIN."
    else:
        length = 8 if party.register == "kvk" else 20
        yield "number", None if shape.fullmatch(party.number) else f"Dit nummer heeft {length} cijfers."
    if vat:
        right = party.vat_id is not None and vat_number(party.vat_id) is not None
        yield "vat_id", None if right else "Dit btw-nummer klopt niet. Het lijkt op NL123456789B01."


def treatment_faults(treatment: object, legal_basis: object, evidence: object) -> Iterator[tuple[str, str | None]]:
    """Every field of a VAT treatment and what is wrong with it (None: nothing)."""
    yield "treatment", None if treatment in VAT_TREATMENTS else "Deze behandeling voor de btw kennen we niet."
    yield "evidence", text_fault(evidence, EVIDENCE_LENGTH)
    if treatment == "exempt":
        yield "legal_basis", text_fault(legal_basis, BASIS_LENGTH)
    elif legal_basis is not None:
        yield "legal_basis", "Alleen een vrijstelling heeft een grond in de wet."


def code_of(session: UUID) -> str:
    """What a course session is called on papers: made of its id alone, so it can never say what it is about."""
    return f"S{hashlib.sha256(session.bytes).hexdigest()[:10].upper()}"


def number_of(number: int) -> str:
    """The number on an invoice of a trainer: counted per trainer, without gaps."""
    return f"LB-{number:05}"


# --- months and agreements --------------------------------------------------------------------------------------


class Agreement(NamedTuple):
    """That we make out somebody's invoices: from when, and until when (None: still)."""

    id: UUID
    agreed_at: datetime
    ended_at: datetime | None


def next_month(month: date) -> date:
    """The first day of the month after this one."""
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def in_force(agreements: Iterable[Agreement], month: date) -> Agreement | None:
    """The agreement under which we make out the invoice of a month: that which held when the month ended."""
    day = next_month(month)
    over = datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM)
    held = [each for each in agreements if each.agreed_at < over and (each.ended_at is None or each.ended_at >= over)]
    return max(held, key=lambda each: (each.agreed_at, each.id), default=None)


# --- lines and VAT ----------------------------------------------------------------------------------------------


class Earned(NamedTuple):
    """Cents (VAT included) that a trainer earned, or that came back (below zero), and how VAT treats them.

    `session`: None for a correction. `since`: the month in which was earned what came back here; else None.
    """

    kind: str
    cents: int
    session: UUID | None
    first_on: date | None
    last_on: date | None
    treatment: str
    legal_basis: str | None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line: everything of one kind, course session and VAT treatment. Gross = net + VAT.

    `corrects`: the number of the invoice that it corrects, when that was another one.
    """

    kind: str
    session: UUID | None
    first_on: date | None
    last_on: date | None
    treatment: str
    legal_basis: str | None
    gross_cents: int
    net_cents: int
    vat_cents: int
    corrects: int | None = None


@dataclass(frozen=True, slots=True)
class VatSum:
    """What all lines of one treatment and ground come to."""

    treatment: str
    legal_basis: str | None
    gross_cents: int
    net_cents: int
    vat_cents: int


def net_of(gross_cents: int, percent: int) -> int:
    """What is left of an amount without the VAT in it, rounded to the nearest cent (halves away from zero)."""
    whole = 100 + percent
    rounded = (200 * abs(gross_cents) + whole) // (2 * whole)
    return rounded if gross_cents >= 0 else -rounded


def nets_of(gross: Sequence[int], percent: int) -> list[int]:
    """The net of each amount of one rate: together exactly the net of their sum, each within a cent of its own."""
    sums = [0, *accumulate(gross)]
    nets = [net_of(each, percent) for each in sums]
    return [after - before for before, after in pairwise(nets)]


def lines_of(earned: Iterable[Earned], numbers: Mapping[date, int]) -> list[InvoiceLine]:
    """The lines of an invoice: one for each kind, session, treatment and corrected invoice; VAT rounded once a rate.

    Args:
        earned: what the invoice is about.
        numbers: of the trainer's invoices before, by month.
    """
    sums: dict[tuple[object, ...], tuple[Earned, int | None, int]] = {}
    for each in earned:
        corrects = None if each.since is None else numbers.get(each.since)
        key = (each.kind, each.session, each.treatment, each.legal_basis, corrects)
        _, _, before = sums.get(key, (each, corrects, 0))
        sums[key] = (each, corrects, before + each.cents)
    ordered = sorted((part for part in sums.values() if part[2]), key=lambda part: _place(part[0], part[1]))
    lines = []
    for treatment, basis in _rates(each for each, _, _ in ordered):
        group = [part for part in ordered if (part[0].treatment, part[0].legal_basis) == (treatment, basis)]
        nets = nets_of([cents for _, _, cents in group], PERCENT[treatment])
        for (each, corrects, cents), net in zip(group, nets, strict=True):
            when = (each.first_on, each.last_on)
            lines.append(
                InvoiceLine(each.kind, each.session, *when, treatment, basis, cents, net, cents - net, corrects)
            )
    return lines


def vat_sums(lines: Sequence[InvoiceLine]) -> list[VatSum]:
    """What the lines of each treatment and ground come to, in the order of the lines."""
    found: dict[tuple[str, str | None], VatSum] = {}
    for line in lines:
        key = (line.treatment, line.legal_basis)
        known = found.get(key, VatSum(*key, 0, 0, 0))
        found[key] = VatSum(
            *key,
            known.gross_cents + line.gross_cents,
            known.net_cents + line.net_cents,
            known.vat_cents + line.vat_cents,
        )
    return list(found.values())


def _place(each: Earned, corrects: int | None) -> tuple[object, ...]:
    order = (each.last_on or date.max, LINE_KINDS.index(each.kind), str(each.session), corrects or 0)
    return (VAT_TREATMENTS.index(each.treatment), each.legal_basis or "", *order)


def _rates(earned: Iterable[Earned]) -> list[tuple[str, str | None]]:
    return list(dict.fromkeys((each.treatment, each.legal_basis) for each in earned))
