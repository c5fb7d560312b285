"""One middle-sized world, made once: the tests only read it."""

from datetime import date

import pytest

from leerbudget.fictional.population import make_world
from leerbudget.fictional.world import World

START_ON = date(2027, 1, 4)


@pytest.fixture(scope="session")
def world() -> World:
    """3,000 families: large enough for shares within 4 %, made in half a second."""
    return make_world(3_000, 375, 7, START_ON)
