"""Giving files to the rooms: all of a file in one transaction, or nothing of it and every mistake told.

The same file again changes nothing. Other content under a known reference updates organisations, families, people,
trainers, courses and venues; sessions only while nobody booked them; grants never (that is money: an error).
Who or what is not in the file stays as it is.
"""

from asyncio import to_thread
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic
from uuid import UUID

from leerbudget.budgets import actions as budgets
from leerbudget.budgets.rules import GrantOrder
from leerbudget.catalogue import actions as catalogue
from leerbudget.catalogue import queries as catalogue_queries
from leerbudget.catalogue.rules import TERMS_MAX, CourseOrder, SessionOrder, TariffOrder, VenueOrder, ladder_of
from leerbudget.catalogue.tariffs import add_tariffs
from leerbudget.entrypoints.files import granting, layouts, price_layouts
from leerbudget.entrypoints.files.columns import COLUMNS
from leerbudget.entrypoints.files.granting import GrantLine
from leerbudget.entrypoints.files.layouts import (
    CourseLine,
    FamilyLine,
    OrganisationLine,
    ParentLine,
    Parsed,
    ProfessionalLine,
    SessionLine,
    TrainerLine,
    VenueLine,
)
from leerbudget.entrypoints.files.price_layouts import CourseRow, TariffLine
from leerbudget.entrypoints.files.reading import FILE_BYTES_MAX, CellError, FileRefused
from leerbudget.foundation.database import together
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.geography.postcodes import place_of
from leerbudget.people import actions as people
from leerbudget.people import queries as people_queries
from leerbudget.people.rules import (
    FamilyOrder,
    OrganisationOrder,
    PersonOrder,
    Registered,
    RelationOrder,
)
from leerbudget.trainers import actions as trainers
from leerbudget.trainers import queries as trainer_queries
from leerbudget.trainers.employers import work_for
from leerbudget.trainers.rules import TrainerOrder

Things = dict[str, Registered]
"""What happened, by thing: one file may bring sessions, courses and venues."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do: rows in the file, and per thing what came, changed and was so already."""

    kind: str
    rows: int
    things: Mapping[str, Registered]
    dry_run: bool


class _DryRun(Exception):
    """Thrown to undo what a dry run did: no error, but the way out of a transaction that must leave nothing."""


async def import_file(kind: str, path: Path, *, actor: UUID | None = None, dry_run: bool = False) -> ImportReport:
    """Import a CSV file of a kind (the keys of `IMPORTERS`).

    Raises:
        FileRefused: every mistake by row and column; nothing is imported.
        OSError: the file cannot be read.
    """
    return await import_bytes(kind, await to_thread(read_file, path), actor=actor, dry_run=dry_run)


def read_file(path: Path) -> bytes:
    """The file's bytes; a file that is too large is not read at all.

    Raises:
        FileRefused: it is too large.
        OSError: it cannot be read.
    """
    if path.stat().st_size > FILE_BYTES_MAX:
        raise FileRefused([CellError(0, "", f"is groter dan {FILE_BYTES_MAX // 1024**2} MiB")])
    return path.read_bytes()


async def import_bytes(kind: str, data: bytes, *, actor: UUID | None = None, dry_run: bool = False) -> ImportReport:
    """Import the content of a CSV file of a kind.

    Raises:
        FileRefused: every mistake by row and column; nothing is imported.
    """
    importer = IMPORTERS[kind]
    lines = await to_thread(importer.read, data)
    things: Things = {}
    with suppress(_DryRun):
        async with together():
            things = await importer.write(lines, actor)
            _stop(dry_run=dry_run)
    return ImportReport(kind, len(lines), things, dry_run)


def _stop(*, dry_run: bool) -> None:
    if dry_run:
        raise _DryRun


async def _organisations(lines: list[OrganisationLine], actor: UUID | None) -> Things:  # noqa: ARG001
    orders = [OrganisationOrder(new_id(), line.ref, line.name, line.kind, line.region, line.email) for line in lines]
    return {"organisations": await people.register_organisations(orders)}


async def _families(lines: list[FamilyLine], actor: UUID | None) -> Things:  # noqa: ARG001
    organisations = await people_queries.organisation_ids({line.organisation_ref for line in lines})
    _refuse(_unknown(lines, "organisation_ref", lambda line: [line.organisation_ref], organisations))
    registered = await people.register_families([_family(line, organisations) for line in lines])
    ids = await people_queries.family_ids([line.ref for line in lines])
    await _own_addresses([(line.row, *_parent_cells(parent)) for line in lines for parent in line.parents])
    parents = [
        PersonOrder(new_id(), parent.ref, parent.name, parent.email, "foster_parents", ids[line.ref])
        for line in lines
        for parent in line.parents
    ]
    places = {parent.ref: (line.row, parent.column) for line in lines for parent in line.parents}
    async with told(places):
        return {"families": registered, "parents": await people.register_persons(parents)}


def _parent_cells(parent: ParentLine) -> tuple[str, str, str]:
    return parent.column.replace("_ref", "_email"), parent.ref, parent.email


async def _own_addresses(people_in_file: Sequence[tuple[int, str, str, str]]) -> None:
    """Refuse addresses of somebody else: (row, column, reference, address). An address is how one logs in."""
    owners = await people_queries.refs_by_email({email for _, _, _, email in people_in_file})
    _refuse(
        [
            CellError(row, column, f"'{email}' is het adres van iemand anders")
            for row, column, ref, email in people_in_file
            if owners.get(email, {ref}) != {ref}
        ]
    )


def _family(line: FamilyLine, organisations: Mapping[str, UUID]) -> FamilyOrder:
    return FamilyOrder(
        id=new_id(),
        external_ref=line.ref,
        label=line.label,
        organisation=organisations[line.organisation_ref],
        postcode4=line.postcode4,
        family_type=line.family_type,
        care_forms=line.care_forms,
        child_age_bands=line.child_age_bands,
        first_placement_on=line.first_placement_on,
    )


async def _professionals(lines: list[ProfessionalLine], actor: UUID | None) -> Things:  # noqa: ARG001
    organisations = await people_queries.organisation_ids({line.organisation_ref for line in lines})
    families = await people_queries.family_ids({ref for line in lines for ref in line.families})
    errors = _unknown(lines, "organisation_ref", lambda line: [line.organisation_ref], organisations)
    _refuse(errors + _unknown(lines, "families", lambda line: line.families, families))
    orders = [
        PersonOrder(new_id(), line.ref, line.name, line.email, line.party, None, organisations[line.organisation_ref])
        for line in lines
    ]
    await _own_addresses([(line.row, "email", line.ref, line.email) for line in lines])
    async with told({line.ref: (line.row, "professional_ref") for line in lines}):
        registered = await people.register_professionals(orders)
    ids = await people_queries.person_ids([line.ref for line in lines])
    relations = await people.relate_many([order for line in lines for order in _relations(line, ids, families)])
    return {"professionals": registered, "relations": relations}


def _relations(
    line: ProfessionalLine, persons: Mapping[str, UUID], families: Mapping[str, UUID]
) -> list[RelationOrder]:
    return [RelationOrder(new_id(), families[ref], persons[line.ref], since) for ref, since in line.families.items()]


async def _trainers(lines: list[TrainerLine], actor: UUID | None) -> Things:
    named = [line for line in lines if line.organisation_ref]
    organisations = await people_queries.organisation_ids({line.organisation_ref or "" for line in named})
    _refuse(_unknown(named, "organisation_ref", lambda line: [line.organisation_ref or ""], organisations))
    await _own_addresses([(line.row, "email", line.ref, line.email) for line in lines])
    persons = [PersonOrder(new_id(), line.ref, line.name, line.email, "trainers") for line in lines]
    async with told({line.ref: (line.row, "trainer_ref") for line in lines}):
        await people.register_persons(persons)
    ids = await people_queries.person_ids([line.ref for line in lines])
    async with told({line.ref: (line.row, "state") for line in lines}):
        registered = await trainers.register_trainers([_trainer(line, ids) for line in lines])
    pool = await trainer_queries.trainer_ids([line.ref for line in lines])
    told_of = [line for line in lines if line.organisation_ref is not None]
    employers = {pool[line.ref]: organisations.get(line.organisation_ref or "") for line in told_of}
    await work_for(employers, actor=actor)
    return {"trainers": registered}


def _trainer(line: TrainerLine, persons: Mapping[str, UUID]) -> TrainerOrder:
    return TrainerOrder(
        id=new_id(),
        external_ref=line.ref,
        person=persons[line.ref],
        themes=line.themes,
        region=line.region,
        state=line.state,
        certificate_valid_until=line.certificate_valid_until,
    )


# --- courses and tariffs -----------------------------------------------------------------------------------


async def _courses(lines: list[CourseRow], actor: UUID | None) -> Things:  # noqa: ARG001
    organisations = await people_queries.organisation_ids({line.course.organisation_ref for line in lines})
    named = [line for line in lines if line.course.organisation_ref]
    _refuse(_unknown(named, "organisation_ref", lambda line: [line.course.organisation_ref], organisations))
    async with told({line.ref: (line.row, "course_ref") for line in lines}, _COURSE_COLUMNS):
        return {"courses": await catalogue.add_courses([_course(line.course, organisations) for line in lines])}


async def _tariffs(lines: list[TariffLine], actor: UUID | None) -> Things:
    organisations = await people_queries.organisation_ids({line.organisation_ref for line in lines})
    courses = await catalogue_queries.course_ids({line.course_ref for line in lines})
    named = [line for line in lines if line.organisation_ref]
    errors = _unknown(named, "organisation_ref", lambda line: [line.organisation_ref], organisations)
    _refuse(errors + _unknown(lines, "course_ref", lambda line: [line.course_ref], courses))
    orders = [
        TariffOrder(
            id=new_id(),
            external_ref=line.ref,
            course=courses[line.course_ref],
            scope=line.scope,
            price_cents=line.price_cents,
            starts_on=line.starts_on,
            ends_on=line.ends_on,
            region=line.region or None,
            municipalities=line.municipalities or None,
            organisation=organisations[line.organisation_ref] if line.organisation_ref else None,
        )
        for line in lines
    ]
    columns = {name: name for name in COLUMNS["tariffs"]} | {"organisation": "organisation_ref"}
    async with told({line.ref: (line.row, "tariff_ref") for line in lines}, columns):
        return {"tariffs": await add_tariffs(orders, actor=actor)}


# --- sessions ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """Ids behind the references in a file of sessions."""

    organisations: Mapping[str, UUID]
    courses: Mapping[str, UUID]
    venues: Mapping[str, UUID]
    trainers: Mapping[str, UUID]
    persons: Mapping[str, UUID]


async def _sessions(lines: list[SessionLine], actor: UUID | None) -> Things:  # noqa: ARG001
    courses = {line.course.ref: line for line in reversed(lines)}
    venues = {line.venue.ref: line.venue for line in lines if line.venue is not None}
    organisations = await people_queries.organisation_ids({line.course.organisation_ref for line in lines})
    pool = await trainer_queries.trainer_ids({ref for line in lines for ref in line.trainer_refs})
    leaders = {ref for line in lines for ref in line.trainer_refs + line.facilitator_refs}
    persons = await people_queries.person_ids(leaders) | await trainer_queries.trainer_persons(leaders)
    errors = _unknown(lines, "organisation_ref", _organisation_ref, organisations)
    errors += _unknown(lines, "trainer_refs", lambda line: line.trainer_refs, pool)
    _refuse(errors + _unknown(lines, "facilitator_refs", lambda line: line.facilitator_refs, persons))
    async with told({ref: (line.row, "course_ref") for ref, line in courses.items()}, _COURSE_COLUMNS):
        added_courses = await catalogue.add_courses([_course(line.course, organisations) for line in courses.values()])
    added_venues = await catalogue.add_venues([_venue(venue) for venue in venues.values()])
    known = _Known(
        organisations,
        await catalogue_queries.course_ids(courses),
        await catalogue_queries.venue_ids(venues),
        pool,
        persons,
    )
    async with told({line.ref: (line.row, "session_ref") for line in lines}, _SESSION_COLUMNS):
        added = await catalogue.publish_sessions([_session(line, known) for line in lines])
    return {"sessions": added, "courses": added_courses, "venues": added_venues}


_COURSE_COLUMNS = {"audience": "audience", "cancellation": "cancellation"}
_SESSION_COLUMNS = {
    "state": "state",
    "meetings": "meetings",
    "decide_on": "decide_on",
    "seats_min": "seats_min",
    "price_cents": "price_cents",
    "parties": "parties",
    "party_spread_max": "party_spread_max",
    "people": "facilitator_refs",
    "childcare": "childcare_places",
    "course": "course_state",
    "audience": "audience",
    "trainer": "trainer_refs",
}


def _organisation_ref(line: SessionLine) -> list[str]:
    return [line.course.organisation_ref] if line.course.organisation_ref else []


def _course(line: CourseLine, organisations: Mapping[str, UUID]) -> CourseOrder:
    audience: dict[str, dict[str, str]] = {}
    for facet, value, fit in line.audience:
        audience.setdefault(facet, {})[value] = fit
    terms: dict[str, Any] = {name: value for name, value in line.cancellation if name in TERMS_MAX}
    ladder = tuple(
        {"days_before": int(days), "refund_percent": percent}
        for days, percent in line.cancellation
        if days not in TERMS_MAX
    )
    if "free_when_replaced" in terms:
        terms["free_when_replaced"] = bool(terms["free_when_replaced"])
    return CourseOrder(
        id=new_id(),
        external_ref=line.ref,
        title=line.title,
        theme=line.theme,
        form=line.form,
        goal=line.goal,
        organisation=organisations[line.organisation_ref] if line.organisation_ref else None,
        state=line.state,
        audience=audience,
        cancellation=ladder or ladder_of(line.form),
        **terms,
    )


def _venue(line: VenueLine) -> VenueOrder:
    return VenueOrder(new_id(), line.ref, line.name, line.postcode4, place_of(line.postcode4).place, line.wheelchair)


def _session(line: SessionLine, known: _Known) -> SessionOrder:
    others = [(known.persons[ref], "trainer") for ref in line.trainer_refs[1:]]
    others += [(known.persons[ref], "facilitator") for ref in line.facilitator_refs]
    return SessionOrder(
        id=new_id(),
        external_ref=line.ref,
        course=known.courses[line.course.ref],
        venue=None if line.venue is None else known.venues[line.venue.ref],
        trainer=known.trainers[line.trainer_refs[0]],
        price_cents=line.price_cents,
        seats_min=line.seats_min,
        seats_max=line.seats_max,
        meetings=line.meetings,
        decide_on=line.decide_on,
        parties=line.parties,
        party_spread_max=line.party_spread_max,
        childcare=line.childcare,
        people=tuple(others),
        state=line.state,
    )


# --- grants ------------------------------------------------------------------------------------------------


async def _grants(lines: list[GrantLine], actor: UUID | None) -> Things:
    organisations = await people_queries.organisation_ids({line.organisation_ref for line in lines})
    families = await people_queries.family_ids({line.family_ref for line in lines})
    errors = _unknown(lines, "organisation_ref", lambda line: [line.organisation_ref], organisations)
    errors += _unknown(lines, "family_ref", lambda line: [line.family_ref], families)
    courses = await catalogue_queries.course_ids({ref for line in lines for ref in line.course_refs})
    _refuse(errors + _unknown(lines, "course_refs", lambda line: line.course_refs, courses))
    orders = [_grant(line, organisations, families, courses) for line in lines]
    async with told({line.ref: (line.row, "grant_ref") for line in lines}):
        budget_ids = await budgets.grant_many(orders, actor=actor)
    added = sum(budget == order.id for budget, order in zip(budget_ids, orders, strict=True))
    return {"grants": Registered(added=added, changed=0, unchanged=len(lines) - added)}


def _grant(
    line: GrantLine, organisations: Mapping[str, UUID], families: Mapping[str, UUID], courses: Mapping[str, UUID]
) -> GrantOrder:
    return GrantOrder(
        id=new_id(),
        external_ref=line.ref,
        family=families[line.family_ref],
        organisation=organisations[line.organisation_ref],
        amount_cents=line.amount_cents,
        starts_on=line.starts_on,
        expires_on=line.expires_on,
        themes=line.themes,
        forms=line.forms,
        municipalities=line.municipalities,
        courses=tuple(courses[ref] for ref in line.course_refs) or None,
    )


@dataclass(frozen=True, slots=True)
class Importer(Generic[Parsed]):
    """How a kind of file goes in: reading it needs no database and no open transaction, which would not wait for it."""

    read: Callable[[bytes], list[Parsed]]
    write: Callable[[list[Parsed], UUID | None], Awaitable[Things]]


IMPORTERS: Mapping[str, Importer[Any]] = {
    "organisations": Importer(layouts.organisations, _organisations),
    "families": Importer(layouts.families, _families),
    "professionals": Importer(layouts.professionals, _professionals),
    "trainers": Importer(layouts.trainers, _trainers),
    "courses": Importer(price_layouts.courses, _courses),
    "tariffs": Importer(price_layouts.tariffs, _tariffs),
    "sessions": Importer(layouts.sessions, _sessions),
    "grants": Importer(granting.grants, _grants),
}
"""Every kind of file, in the order in which references are known."""


# --- mistakes by row and column ----------------------------------------------------------------------------


def _unknown(
    lines: Sequence[Parsed], column: str, refs: Callable[[Parsed], Iterable[str]], known: Mapping[str, UUID]
) -> list[CellError]:
    return [
        CellError(line.row, column, f"'{ref}' kennen we niet")
        for line in lines
        for ref in refs(line)
        if ref not in known
    ]


def _refuse(errors: Sequence[CellError]) -> None:
    if errors:
        raise FileRefused(errors)


@asynccontextmanager
async def told(places: Mapping[str, tuple[int, str]], columns: Mapping[str, str] | None = None) -> AsyncIterator[None]:
    """Within the block, what a room refuses is told by row and column: `places` says where a reference stands.

    Raises:
        FileRefused: with a line per problem that the room named, or one line when it named none.
    """
    try:
        yield
    except FileRefused:
        raise
    except LeerbudgetError as refusal:
        if refusal.status >= 500:
            raise
        raise FileRefused(_cells(refusal, places, columns or {})) from refusal


def _cells(
    refusal: LeerbudgetError, places: Mapping[str, tuple[int, str]], columns: Mapping[str, str]
) -> list[CellError]:
    named = [
        CellError(row, columns.get(problem["path"].partition(".")[0], column), problem["message"])
        for problem in refusal.data.get("problems", ())
        for row, column in [places.get(problem["ref"], (0, ""))]
    ]
    for name in ("refs", "trainers", "courses"):
        refs = refusal.data.get(name, ())
        named += [CellError(*places[ref], str(refusal)) for ref in refs if ref in places]
    return named or [CellError(0, "", f"{refusal} [{refusal.code}]")]
