"""The books as a bookkeeper reads them: a few movements, and the balances they must end in. Cents."""

import pytest

from ledger.bookkeeping import FIRST_MEETING, TODAY, Books
from leerbudget.budgets.errors import AlreadySettled, BudgetTooSmall, EarmarkExcludes, KeepsTooMuch, LoweringTooLarge
from leerbudget.budgets.queries import (
    budgets_of,
    free_for,
    mutations,
    organisation_overview,
    pot,
    refund_preview,
    totals,
)
from leerbudget.budgets.queries import check as check_budgets
from leerbudget.foundation.clock import travelling
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments.queries import check as check_top_ups


@pytest.fixture
async def books(world_db):
    """Open books; afterwards everything in them must still balance."""
    opened = await Books().open()
    yield opened
    assert [*await check_books(), *await check_budgets(), *await check_top_ups()] == []


async def test_a_cancelled_booking_over_two_budgets_gives_back_half_of_each(books):
    """18000 held over two budgets, cancelled at 50 %: each budget pays half of what it held, to the cent."""
    await books.happens("""
        top-up  500000
        grant   trauma  10000  themes=trauma
        grant   wide    15000
    """)
    held = await books.happens("hold booking 18000")
    assert books.named(held) == {"trauma": 10000, "wide": 8000}
    await books.shows("""
        account   posted   held    free
        bank     -500000      0 -500000
        pot       475000      0  475000
        trauma     10000  10000       0
        wide       15000   8000    7000
        trainer        0      0       0
    """)
    with travelling(TODAY):
        back = await refund_preview(books.purposes["booking"], 9000)
    assert books.named(back) == {"trauma": 5000, "wide": 4000}
    kept = await books.happens("settle booking 9000")
    assert books.named(kept) == {"trauma": 5000, "wide": 4000}
    await books.shows("""
        account   posted   held    free
        bank     -500000      0 -500000
        pot       475000      0  475000
        trauma      5000      0    5000
        wide       11000      0   11000
        trainer     9000      0    9000
    """)


async def test_an_attended_booking_is_paid_in_full(books):
    """Keeping everything moves exactly what was held to the trainer."""
    await books.happens("""
        top-up  500000
        grant   wide    25000
        hold    booking 18000
        settle  booking 18000
    """)
    await books.shows("""
        account   posted   held    free
        pot       475000      0  475000
        wide        7000      0    7000
        trainer    18000      0   18000
    """)


async def test_a_released_booking_leaves_no_trace_on_the_balances(books):
    """Keeping nothing gives everything back, and the money can be held again."""
    await books.happens("""
        top-up  500000
        grant   wide    25000
        hold    booking 25000
        settle  booking 0
        hold    another 25000
    """)
    await books.shows("""
        account   posted   held    free
        wide       25000  25000       0
        trainer        0      0       0
    """)


async def test_what_is_free_falls_back_once_and_what_is_held_stays(books):
    """On the day after the period the free 7000 returns; the held 18000 waits, and its rest returns later."""
    await books.happens("""
        top-up  500000
        grant   wide    25000
        hold    booking 18000
        clock   2027-12-31
    """)
    assert await books.happens("expire") == 0
    assert await books.happens("clock 2028-01-01\nexpire") == 1
    assert await books.happens("expire") == 0
    await books.shows("""
        account   posted   held    free
        pot       482000      0  482000
        wide       18000  18000       0
    """)
    assert await books.happens("settle booking 9000\nexpire") == 1
    assert await books.happens("expire") == 0
    await books.shows("""
        account   posted   held    free
        pot       491000      0  491000
        wide           0      0       0
        trainer     9000      0    9000
    """)


async def test_a_budget_is_lowered_to_what_is_held_and_no_further(books):
    """Of 25000 with 18000 held, 7000 can be taken back and not a cent more."""
    await books.happens("top-up 500000\ngrant wide 25000\nhold booking 18000")
    with pytest.raises(LoweringTooLarge) as refused:
        await books.happens("lower wide 7001")
    assert refused.value.data == {"free_cents": 7000}
    await books.happens("lower wide 7000")
    await books.shows("""
        account   posted   held    free
        pot       482000      0  482000
        wide       18000  18000       0
    """)


async def test_a_budget_pays_only_within_its_earmarks_and_period(books):
    """Themes and forms must both fit, the first meeting falls in the period, and today is not after its end."""
    await books.happens("""
        top-up  500000
        grant   narrow  10000  themes=trauma forms=webinar
        grant   summer  10000  until=2027-06-30
    """)
    refusals = {
        "hold a 15000 theme=trauma form=group_training": (EarmarkExcludes, 10000),  # only summer fits
        "hold b 25000 theme=trauma form=webinar": (BudgetTooSmall, 20000),  # both fit, together too little
        "hold c 1 theme=endings form=webinar on=2027-07-01": (EarmarkExcludes, 0),  # after summer, narrow does not fit
        "hold d 1 theme=endings form=webinar on=2026-12-31": (BudgetTooSmall, 0),  # before either begins
    }
    for event, (why, free_cents) in refusals.items():
        with pytest.raises(why) as refused:
            await books.happens(event)
        assert refused.value.data["free_cents"] == free_cents
        assert refused.value.data["missing_cents"] == int(event.split()[2]) - free_cents
    assert books.named(await books.happens("hold e 15000 form=webinar")) == {"narrow": 10000, "summer": 5000}
    with pytest.raises(BudgetTooSmall):
        await books.happens("clock 2027-07-01\nhold f 1 theme=endings on=2027-06-01")


async def test_a_settlement_happens_once(books):
    """The same settlement again changes nothing; another one is refused, and so is more than was held."""
    await books.happens("top-up 500000\ngrant wide 25000\nhold booking 18000")
    with pytest.raises(KeepsTooMuch):
        await books.happens("settle booking 18001")
    first = await books.happens("settle booking 9000")
    assert await books.happens("settle booking 9000") == first
    with pytest.raises(AlreadySettled) as refused:
        await books.happens("settle booking 0")
    assert refused.value.data == {"kept_cents": 9000}
    await books.shows("""
        account   posted   held    free
        wide       16000      0   16000
        trainer     9000      0    9000
    """)


async def test_every_reading_tells_the_same_story(books):
    """Family, organisation and service see the same cents: granted = free + held + spent + returned."""
    await books.happens("""
        top-up  500000
        grant   trauma  10000  themes=trauma
        grant   wide    15000
        hold    first   12000
        settle  first   6000
        hold    second  4000
        lower   wide    1000
    """)
    views = await budgets_of(books.family)
    for view in views:
        parts = (view.free_cents, view.held_cents, view.spent_cents, view.returned_cents)
        assert view.granted_cents == sum(parts)
    assert sorted((v.free_cents, v.held_cents, v.spent_cents, v.returned_cents) for v in views) == [
        (1000, 4000, 5000, 0),
        (13000, 0, 1000, 1000),
    ]
    with travelling(TODAY):
        assert await free_for(books.family, "trauma", "webinar", FIRST_MEETING) == 14000
        assert await free_for(books.family, "endings", "webinar", FIRST_MEETING) == 13000
    overview = await organisation_overview(books.organisation)
    region = overview.total
    assert (region.budgets, region.families, region.granted_cents) == (2, 1, 25000)
    assert (region.free_cents, region.held_cents, region.spent_cents, region.returned_cents) == (
        14000,
        4000,
        6000,
        1000,
    )
    assert [r.region for r in overview.regions] == ["Utrecht"]
    assert await pot(books.organisation) == overview.pot
    assert (overview.pot.topped_up_cents, overview.pot.granted_cents, overview.pot.free_cents) == (
        500000,
        25000,
        476000,
    )
    whole = await totals()
    assert (whole.topped_up_cents, whole.granted_cents, whole.held_cents) == (500000, 25000, 4000)
    assert (whole.posted_cents, whole.returned_cents, whole.free_cents, whole.pots_cents) == (6000, 1000, 14000, 476000)


async def test_a_statement_adds_up_line_by_line(books):
    """Each line of a family's statement says what changed and what is free after it."""
    await books.happens("top-up 500000\ngrant wide 25000\nhold booking 18000\nsettle booking 9000\nlower wide 1000")
    lines = [
        (m.kind, m.phase, m.amount_cents, m.free_change_cents, m.free_after_cents)
        for m in await mutations(books.family)
    ]
    assert lines == [
        ("grant", "posted", 25000, 25000, 25000),
        ("booking", "reserve", 18000, -18000, 7000),
        ("booking", "post", 9000, 9000, 16000),
        ("grant_return", "posted", 1000, -1000, 15000),
    ]
    assert [m.purpose for m in await mutations(books.family)] == [
        None,
        books.purposes["booking"],
        books.purposes["booking"],
        None,
    ]
