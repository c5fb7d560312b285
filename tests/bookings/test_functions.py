"""What the booking function of the database decides, against the rules in plain Python."""

import re
from datetime import date, timedelta

import msgspec
import pytest

import world
from leerbudget.bookings import actions
from leerbudget.bookings.actions import BookingRequest
from leerbudget.foundation import clock
from leerbudget.foundation.database import call, fetch_all, fetch_value, together
from leerbudget.foundation.errors import Conflict, LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.notifications.rules import check_notice
from leerbudget.people.rules import experience_band, experience_years
from test_tidy_functions import functions

pytestmark = pytest.mark.usefixtures("world_db")


async def test_the_band_of_experience_is_the_same_in_the_database():
    """Every number of days from before the first placement to fifteen years gives the band of the rule."""
    first = date(2012, 2, 29)
    rows = await fetch_all(
        "SELECT n, rooms.experience_band($1::date, $1::date + n) AS band FROM generate_series(-400, 5500) n", first
    )
    bands = {row["n"]: row["band"] for row in rows}
    assert bands == {n: experience_band(experience_years(first, first + timedelta(days=n))) for n in bands}
    assert len(set(bands.values())) == 4


@pytest.mark.parametrize(
    ("audience", "open_to"),
    [
        ({}, True),
        ({"child_age_bands": {"a0_3": "not_for"}}, False),
        ({"child_age_bands": {"a0_3": "for", "a12_15": "not_for"}}, False),
        ({"child_age_bands": {"a4_8": "not_for"}}, True),
        ({"family_type": {"kinship": "not_for"}}, False),
        ({"family_type": {"recruited": "not_for", "kinship": "for"}}, True),
        ({"care_forms": {"part_time": "not_for"}}, False),
        ({"care_forms": {"crisis": "not_for"}}, True),
        ({"experience": {"gt10": "not_for"}}, False),
        ({"experience": {"y3_10": "not_for", "gt10": "suits"}}, True),
    ],
)
async def test_what_a_course_is_not_for_is_closed_whatever_else_the_family_has(audience, open_to):
    """One value of the family that is marked `not_for` closes the course; any other mark does not (R17)."""
    family = await world.a_family(
        family_type="kinship",
        care_forms=("part_time", "full_time_long"),
        child_ages=("a0_3", "a12_15"),
        since=clock.today() - timedelta(days=4_000),
    )
    suits = "SELECT rooms.course_suits($1::jsonb, $2, $3)"
    assert await fetch_value(suits, msgspec.json.encode(audience).decode(), family, clock.today()) is open_to


def test_every_refusal_of_a_function_is_a_known_error():
    """`rooms.refuse` names codes of errors that exist: nobody gets a bare "conflict"."""
    codes = {code for file in functions() for code in re.findall(r"rooms\.refuse\(\s*'(\w+)'", file.read_text())}
    assert len(codes) > 10
    assert {code for code in codes if LeerbudgetError.for_code(code) is Conflict} == set()


def test_no_two_errors_share_a_code():
    """A code stands for one error, so that what the database refuses is never told as something else."""
    classes = list(LeerbudgetError.__subclasses__())
    for known in classes:
        classes.extend(known.__subclasses__())
    own = [
        known for known in classes if known.__module__.startswith("leerbudget.") and not known.__name__.startswith("_")
    ]
    assert {known: LeerbudgetError.for_code(known.code) for known in own} == {known: known for known in own}


@pytest.mark.parametrize("offered_days", [None, 3])
async def test_the_notice_of_a_booking_holds_what_its_words_need(offered_days):
    """The outbox row that the function writes passes the check that every other notice passes."""
    family = await world.a_family(parents=2)
    await world.a_budget(family)
    until = None if offered_days is None else clock.now() + timedelta(days=offered_days)
    persons = tuple(await world.parents_of(family))
    await actions.book(
        BookingRequest(new_id(), family, await world.a_session(), persons, offered_until=until), actor=None
    )
    rows = await fetch_all("SELECT kind, context FROM outbox_message WHERE kind <> 'magic_link'")
    assert len(rows) == 2
    for row in rows:
        context = msgspec.json.decode(row["context"])
        check_notice(row["kind"], context)
        assert ("answer_before_at" in context) is (until is not None)


async def test_a_refused_call_inside_a_transaction_costs_nothing_else():
    """In a larger transaction a refusal undoes the call alone: what was done before it stays and can go on."""
    family = await world.a_family()
    session = await world.a_session()
    (parent,) = await world.parents_of(family)
    async with together():
        await call("UPDATE course_session SET cancel_reason = 'before' WHERE id = $1", session)
        with pytest.raises(LeerbudgetError):
            await actions.book(BookingRequest(new_id(), family, session, (parent,)), actor=None)
        assert await fetch_value("SELECT seats_taken FROM course_session WHERE id = $1", session) == 0
    assert await fetch_value("SELECT cancel_reason FROM course_session WHERE id = $1", session) == "before"
