"""What several rushes share: the website in a process of its own, and seats without their guards."""

import pytest

from faults.test_booking_kill import Website
from forking import FORKS
from without import changed_function


@pytest.fixture
def unguarded(admin):
    """Take away what keeps seats within what there is: the condition of the update and the constraint of the row."""

    async def take_away():
        await admin.execute("ALTER TABLE course_session DROP CONSTRAINT seats_within_capacity")
        guard = "AND s.starts_at > _at AND s.seats_taken + s.catch_up_seats + _persons <= s.seats_max"
        await admin.execute(changed_function("catalogue", "take_seats", guard, "AND s.starts_at > _at"))

    return take_away


@pytest.fixture
def website(world_db):
    """The website on the test's database, in a process of its own, which is forked: its start is no part of a rush."""
    site = Website(world_db, FORKS.command)
    yield site
    site.kill()
