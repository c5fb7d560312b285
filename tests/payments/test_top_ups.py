"""A top-up: announced under a reference, confirmed by somebody else, in the pot once."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from ledger.bookkeeping import CLERK, COLLEAGUE, TODAY, an_organisation
from leerbudget.budgets.queries import pot
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments.actions import cancel_top_up, confirm_by_reference, confirm_top_up, request_top_up
from leerbudget.payments.errors import (
    AmountDiffers,
    PayerUnknown,
    SecondPersonNeeded,
    TopUpEnded,
    TopUpKnown,
    TopUpOutOfBounds,
    TopUpUnknown,
)
from leerbudget.payments.queries import check, open_top_ups, top_ups_of
from leerbudget.payments.rules import compact, readable, reference_of

ARRIVED = TODAY.date()


@pytest.fixture
async def organisation(world_db):
    """A fictional organisation; afterwards top-ups and books must fit."""
    with travelling(TODAY):
        yield await an_organisation()
    assert [*await check(), *await check_books()] == []


async def asked(organisation, cents=500_000, order="PO-17"):
    """A top-up that waits for its money."""
    made = new_id()
    with travelling(TODAY):
        return made, await request_top_up(made, organisation, cents, order, actor=CLERK)


async def confirmed(top_up, day=ARRIVED, actor=COLLEAGUE):
    """Confirm at the tests' moment."""
    with travelling(TODAY):
        await confirm_top_up(top_up, day, actor=actor)


@given(st.uuids())
def test_a_reference_has_right_check_digits_and_survives_how_people_write_it(top_up):
    """Any id gives a valid ISO 11649 reference of 20 signs; spaces and small letters read back the same."""
    reference = reference_of(top_up)
    assert iso11649.is_valid(reference)
    assert (len(reference), reference[4] != "0") == (20, True)
    assert compact(readable(reference).lower()) == reference


@given(st.uuids(), st.integers(4, 19), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(top_up, place, step):
    """A reference with any one digit changed is refused, so money never lands on another top-up by a slip."""
    reference = reference_of(top_up)
    slip = reference[:place] + str((int(reference[place]) + step) % 10) + reference[place + 1 :]
    with pytest.raises(InvalidInput):
        compact(slip)


@pytest.mark.parametrize(
    "reference",
    ["", "RF", "RF00", "NL91ABNA0417164300", None, "RF18\x00539007547034", "RF18" + "\uff15" * 9],
)
def test_what_is_no_reference_is_refused(reference):
    """Empty, of another kind, or written with other signs."""
    with pytest.raises(InvalidInput):
        compact(reference)


async def test_asking_again_gives_the_same_reference(organisation):
    """The same request has one effect; another content under its id is refused."""
    top_up, reference = await asked(organisation)
    assert await request_top_up(top_up, organisation, 500_000, "PO-17", actor=CLERK) == reference
    for changed in (
        (organisation, 500_001, "PO-17"),
        (organisation, 500_000, None),
        (await an_organisation(), 500_000, "PO-17"),
    ):
        with pytest.raises(TopUpKnown):
            await request_top_up(top_up, *changed, actor=CLERK)
    assert [view.reference for view in await open_top_ups()] == [reference]
    assert (await pot(organisation)).free_cents == 0


async def test_a_colleague_confirms_and_the_pot_fills_once(organisation):
    """Twenty confirmations at the same moment move the money once; who asked cannot confirm."""
    top_up, reference = await asked(organisation)
    with pytest.raises(SecondPersonNeeded):
        await confirmed(top_up, actor=CLERK)
    await asyncio.gather(*(confirmed(top_up) for _ in range(20)))
    assert (await pot(organisation)).topped_up_cents == 500_000
    (view,) = await top_ups_of(organisation)
    assert (view.state, view.received_on, view.confirmed_by, view.reference) == (
        "succeeded",
        ARRIVED,
        COLLEAGUE,
        reference,
    )
    assert await open_top_ups() == []
    with pytest.raises(TopUpEnded):
        await confirmed(top_up, ARRIVED - timedelta(days=1))


async def test_confirming_and_cancelling_at_once_end_in_one_of_both(organisation):
    """A cancelled top-up has no money in the pot, a confirmed one has it once."""
    for _ in range(20):
        top_up, _ = await asked(organisation, 5_000)
        await asyncio.gather(confirmed(top_up), cancel_top_up(top_up, actor=CLERK), return_exceptions=True)
    states = [view.state for view in await top_ups_of(organisation)]
    assert set(states) <= {"succeeded", "cancelled"}
    assert (await pot(organisation)).topped_up_cents == 5_000 * states.count("succeeded")


async def test_a_cancelled_top_up_stays_cancelled(organisation):
    """Cancelling twice is one cancellation; a confirmed top-up cannot be cancelled, an unknown one is unknown."""
    top_up, _ = await asked(organisation)
    for _ in "ab":
        await cancel_top_up(top_up, actor=CLERK)
    with pytest.raises(TopUpEnded):
        await confirmed(top_up)
    other, _ = await asked(organisation)
    await confirmed(other)
    with pytest.raises(TopUpEnded):
        await cancel_top_up(other, actor=CLERK)
    for verb in (cancel_top_up(new_id(), actor=CLERK), confirm_top_up(new_id(), ARRIVED, actor=CLERK)):
        with pytest.raises(TopUpUnknown):
            await verb


async def test_only_the_exact_amount_is_credited_by_reference(organisation):
    """By reference: as the bank writes it, with exactly the announced amount, by the system itself."""
    top_up, reference = await asked(organisation)
    for cents in (499_999, 500_001):
        with pytest.raises(AmountDiffers):
            await confirm_by_reference(reference, ARRIVED, amount_cents=cents, actor=None)
    assert (await pot(organisation)).free_cents == 0
    written = readable(reference).lower()
    assert await confirm_by_reference(written, ARRIVED, amount_cents=500_000, actor=None) == top_up
    assert (await pot(organisation)).free_cents == 500_000
    with pytest.raises(TopUpUnknown):
        await confirm_by_reference(reference_of(new_id()), ARRIVED, amount_cents=500_000, actor=None)


@pytest.mark.parametrize("cents", [4_999, 25_000_000_001])
async def test_a_top_up_has_bounds(organisation, cents):
    """Below EUR 50 and above EUR 250 million are refused; both bounds themselves are fine."""
    with pytest.raises(TopUpOutOfBounds):
        await asked(organisation, cents)
    await asked(organisation, 5_000)
    await asked(organisation, 25_000_000_000)


@pytest.mark.parametrize(
    ("cents", "order"),
    [
        (True, None),
        (500.0, None),
        (-1, None),
        (0, None),
        (2**53, None),
        ("500000", None),
        (500_000, ""),
        (500_000, "a\x00"),
        (500_000, "x" * 61),
    ],
)
async def test_a_malformed_request_is_refused_before_the_database(cents, order):
    """This test opens no database."""
    with pytest.raises(InvalidInput):
        await request_top_up(new_id(), new_id(), cents, order, actor=None)


@pytest.mark.parametrize("day", [ARRIVED + timedelta(days=1), ARRIVED - timedelta(days=1), TODAY, "2027-01-15", None])
async def test_money_arrives_on_a_day_that_can_be(organisation, day):
    """Not in the future, not before it was asked for, and a day, not a moment; nothing is credited."""
    top_up, _ = await asked(organisation)
    with pytest.raises(InvalidInput):
        await confirmed(top_up, day)
    assert (await pot(organisation)).free_cents == 0


async def test_only_known_organisations_top_up(world_db):
    """An id that is nobody's is refused."""
    with pytest.raises(PayerUnknown):
        await asked(new_id())


async def test_the_check_finds_a_top_up_that_does_not_fit(world_db, admin):
    """A confirmation without money, and money without a confirmation, are named by their reference."""
    organisation = await an_organisation()
    lost, lost_reference = await asked(organisation)
    stray, stray_reference = await asked(organisation, 600_000)
    await confirmed(stray)
    await admin.execute("SET session_replication_role = replica")
    await admin.execute("UPDATE payment SET received_cents = amount_cents WHERE id = $1", lost)
    await admin.execute("UPDATE payment SET received_cents = 0 WHERE id = $1", stray)
    messages = await check()
    apart = "wat binnenkwam is niet wat werd bijgeschreven en apart gezet."
    assert set(messages) == {
        f"Storting {lost_reference} is betaald maar staat niet in de boeken.",
        f"Storting {stray_reference} staat in de boeken maar is niet betaald.",
        f"Storting {lost_reference}: {apart}",
        f"Storting {stray_reference}: {apart}",
    }
    assert await fetch_value("SELECT count(*) FROM transfer") == 1


async def test_who_withdraws_a_top_up_is_written_down(organisation):
    """The audit trail names who cancelled, once, however often they press."""
    made, _ = await asked(organisation)
    for _ in range(2):
        await cancel_top_up(made, actor=COLLEAGUE)
    rows = await fetch_all("SELECT login, verb FROM audit_entry WHERE subject = $1", made)
    assert [tuple(row) for row in rows] == [(COLLEAGUE, "top_up_cancelled")]
