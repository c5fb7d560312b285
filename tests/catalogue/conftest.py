"""Fixtures of the tests of the catalogue."""

import pytest

from catalogue.tariffing import BEFORE
from leerbudget.foundation import clock


@pytest.fixture
async def december(world_db):
    """A clean database on a day in December 2026: every tariff of 2027 is still to come."""
    with clock.travelling(BEFORE):
        yield world_db
