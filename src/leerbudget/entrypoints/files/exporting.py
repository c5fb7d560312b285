"""Writing CSV that a spreadsheet opens without doing anything: one snapshot, formulas made harmless.

Families and sessions have the columns of the import files, so that what is written can be read again.
Private words, wishes and avoid lists are in none of these files (R31, R66).
"""

import csv
import io
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from typing import Any, BinaryIO

from leerbudget.bookings.sheets import booking_sheets
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.queries import SessionSheet
from leerbudget.catalogue.rules import TERMS_MAX
from leerbudget.entrypoints.files.columns import COLUMNS
from leerbudget.entrypoints.files.reading import FORMULA_STARTS
from leerbudget.foundation.clock import AMSTERDAM
from leerbudget.foundation.database import together
from leerbudget.ledger import queries as ledger
from leerbudget.people import queries as people
from leerbudget.people.queries import FamilyView, PersonView

Cells = Mapping[str, Any]


def harmless(value: Any) -> str:
    """A cell's text; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not isinstance(value, int) else text


async def write_export(kind: str, target: BinaryIO) -> int:
    """Write one kind of export (the keys of `EXPORTERS`) from one moment; the number of rows."""
    columns, rows = EXPORTERS[kind]
    count = 0
    async with aclosing(rows()) as found:
        target.write(_line(columns))
        async for row in found:
            target.write(_line(harmless(row.get(column)) for column in columns))
            count += 1
    target.flush()
    return count


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


def _list(values: Iterable[object]) -> str:
    return ";".join(str(value) for value in values)


def _pairs(values: Mapping[Any, object]) -> str:
    return ";".join(f"{key}={value}" for key, value in values.items())


async def _families() -> AsyncGenerator[Cells, None]:
    async with together(isolation="repeatable_read", readonly=True):
        everybody = await people.persons_by_party(["foster_parents"])
        references = {organisation.id: organisation.external_ref for organisation in await people.organisations()}
        families = await people.all_families()
    parents: dict[Any, list[PersonView]] = {}
    for person in everybody:
        parents.setdefault(person.family, []).append(person)
    for family in families:
        yield _family(family, references[family.organisation], parents.get(family.id, []))


def _family(family: FamilyView, organisation_ref: str, parents: list[PersonView]) -> Cells:
    row = {
        "family_ref": family.external_ref,
        "label": family.label,
        "organisation_ref": organisation_ref,
        "postcode4": family.postcode4,
        "family_type": family.family_type,
        "care_forms": _list(family.care_forms),
        "child_age_bands": _list(family.child_age_bands),
        "first_placement_on": family.first_placement_on,
    }
    for number, parent in enumerate(sorted(parents, key=lambda person: person.number)[:2], start=1):
        row |= {
            f"parent{number}_ref": parent.external_ref,
            f"parent{number}_name": parent.name,
            f"parent{number}_email": parent.email,
        }
    return row


async def _sessions() -> AsyncGenerator[Cells, None]:
    for sheet in await catalogue.session_sheets():
        yield _session(sheet)


def _session(sheet: SessionSheet) -> Cells:
    course, venue = sheet.course, sheet.venue
    fits = {f"{facet}:{value}": fit for facet, marks in course.audience.items() for value, fit in marks.items()}
    row = {
        "session_ref": sheet.external_ref,
        "state": sheet.state,
        "course_ref": course.external_ref,
        "course_title": course.title,
        "theme": course.theme,
        "form": course.form,
        "goal": course.goal,
        "organisation_ref": sheet.organisation_ref,
        "course_state": course.state,
        "audience": _pairs(fits),
        "cancellation": _pairs(
            {line["days_before"]: line["refund_percent"] for line in course.cancellation}
            | {name: int(getattr(course, name)) for name in TERMS_MAX}
        ),
        "meetings": _list(f"{_local(start)}/{_local(end)}" for start, end in sheet.meetings),
        "price_cents": sheet.price_cents,
        "seats_min": sheet.seats_min,
        "seats_max": sheet.seats_max,
        "decide_on": sheet.decide_on,
        "trainer_refs": _list(sheet.trainer_refs),
        "facilitator_refs": _list(sheet.facilitator_refs),
        "parties": _pairs({party: f"{seats.seats_min}-{seats.seats_max}" for party, seats in sheet.parties.items()}),
        "party_spread_max": sheet.party_spread_max,
        "childcare_places": _pairs(sheet.childcare),
    }
    if venue is not None:
        row |= {
            "venue_ref": venue.external_ref,
            "venue_name": venue.name,
            "venue_postcode4": venue.postcode4,
            "venue_wheelchair": venue.wheelchair,
        }
    return row


def _local(moment: datetime) -> str:
    return moment.astimezone(AMSTERDAM).isoformat(timespec="minutes")


BOOKING_COLUMNS = (
    "booking",
    "session_ref",
    "family_ref",
    "organisation_ref",
    "origin",
    "state",
    "persons",
    "price_cents",
    "booked_at",
    "ended_at",
    "end_reason",
)


async def _bookings() -> AsyncGenerator[Cells, None]:
    for sheet in await booking_sheets():
        ended_at = None if sheet.ended_at is None else _local(sheet.ended_at)
        yield {**asdict(sheet), "booked_at": _local(sheet.booked_at), "ended_at": ended_at}


LEDGER_COLUMNS = (
    "number",
    "transfer",
    "at",
    "kind",
    "business_ref",
    "phase",
    "amount_cents",
    "debit",
    "debit_kind",
    "credit",
    "credit_kind",
    "resolves",
    "reason",
)


async def _ledger() -> AsyncGenerator[Cells, None]:
    async with aclosing(ledger.export()) as transfers:
        async for transfer in transfers:
            yield {
                "number": transfer.number,
                "transfer": transfer.id,
                "at": _local(transfer.at),
                "kind": transfer.kind,
                "business_ref": transfer.business_ref,
                "phase": transfer.phase,
                "amount_cents": transfer.amount_cents,
                "debit": transfer.debit.id,
                "debit_kind": transfer.debit.kind,
                "credit": transfer.credit.id,
                "credit_kind": transfer.credit.kind,
                "resolves": transfer.resolves,
                "reason": transfer.reason,
            }


EXPORTERS: Mapping[str, tuple[tuple[str, ...], Callable[[], Any]]] = {
    "families": (COLUMNS["families"], _families),
    "sessions": (COLUMNS["sessions"], _sessions),
    "bookings": (BOOKING_COLUMNS, _bookings),
    "ledger": (LEDGER_COLUMNS, _ledger),
}
"""Every kind of export: its columns and where its rows come from."""
