"""Proposals through their pages, after a round decided by the real solver."""

from datetime import timedelta

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count
from leerbudget.bookings import actions as bookings
from leerbudget.bookings.actions import BookingRequest
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.rounds import actions
from leerbudget.rounds import queries as rounds
from leerbudget.wishes import queries as wishes


@pytest.fixture
async def family(world_db):
    made = await world.a_family(parents=2)
    await world.a_budget(made, euros=250)
    await visiting.a_wish(made)
    return made


async def test_a_proposal_tells_why_and_what_it_costs_and_is_accepted_once(app, family):
    """The overview leads to the proposal; it shows every reason and who pays; yes twice is one acceptance."""
    await world.a_session(price_cents=4500)
    (offer,) = await visiting.offers(family)
    async with visiting.parent(app, family) as parent:
        path = f"/voorstellen/{offer.proposal}"
        assert path in await parent.page("/mijn")
        assert path in await parent.page("/wensen")
        assert path in await parent.page("/inschrijvingen")
        page = await parent.page(path)
        assert offer.reasons
        for reason in offer.reasons:
            assert reason.sentence in page.replace("&#39;", "'")
        assert "€\u00a090,00" in page
        assert "€\u00a0160,00" in page
        assert "Kosteloos annuleren" in page
        done = f"/inschrijvingen/{offer.booking}?melding=aangenomen"
        for answer in (await parent.submit(path, f"{path}/aannemen"), await parent.post(f"{path}/aannemen")):
            assert (answer.status_code, answer.headers["location"]) == (303, done)
        assert "Gelukt" in await parent.page(f"/inschrijvingen/{offer.booking}")
        assert "Aangenomen" in await parent.page(path)
        answer = await parent.post(f"{path}/afwijzen", {"reason": "too_far"})
        assert answer.status_code == 409
        assert "al beantwoord" in answer.text
    assert await count("SELECT count(*) FROM booking WHERE state = 'confirmed'") == 1


async def test_no_needs_no_reason_and_takes_the_ones_on_the_page(app, family):
    """Each reason that the page offers is taken; a made-up one is told; after no the wish waits again."""
    await world.a_session()
    (offer,) = await visiting.offers(family)
    path = f"/voorstellen/{offer.proposal}"
    async with visiting.parent(app, family) as parent:
        answer = await parent.post(f"{path}/afwijzen", {"reason": "geen\x00zin"})
        assert answer.status_code == 422
        assert "Kies een van de redenen, of geen." in answer.text
        assert "<title>Fout: " in answer.text
        for _ in range(2):
            answer = await parent.post(f"{path}/afwijzen", {"reason": "too_far"})
            assert (answer.status_code, answer.headers["location"]) == (303, "/mijn?melding=afgewezen")
        assert (await parent.post(f"{path}/aannemen")).status_code == 409
        assert path not in await parent.page("/mijn")
    (wish,) = await wishes.wishes_of(family)
    assert wish.state == "open"
    assert await count("SELECT count(*) FROM proposal WHERE decline_reason = 'too_far'") == 1


async def test_every_reason_on_the_page_is_on_the_list(app, family):
    """The radio buttons are exactly what the action takes."""
    await world.a_session()
    (offer,) = await visiting.offers(family)
    async with visiting.parent(app, family) as parent:
        page = await parent.page(f"/voorstellen/{offer.proposal}")
    for reason in actions.DECLINE_REASONS:
        assert f'name="reason" value="{reason}"' in page
    assert page.count('name="reason"') == len(actions.DECLINE_REASONS)


async def test_anothers_proposal_is_not_there(app, family):
    """Another family can neither see nor answer it, and it looks like one that never was."""
    await world.a_session()
    (offer,) = await visiting.offers(family)
    async with visiting.parent(app, await world.a_family()) as other, visiting.stranger(app) as stranger:
        for suffix in ("/aannemen", "/afwijzen"):
            assert (await other.post(f"/voorstellen/{offer.proposal}{suffix}")).status_code == 404
            answer = await stranger.post(f"/voorstellen/{offer.proposal}{suffix}")
            assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen")
        found, missing = await other.get(f"/voorstellen/{offer.proposal}"), await other.get(f"/voorstellen/{new_id()}")
        assert (found.status_code, found.text) == (404, missing.text)
    assert (await rounds.proposals_of(family))[0].state == "offered"


async def test_a_late_answer_is_told_kindly(app, family):
    """After the deadline the page says so, and nothing changes."""
    await world.a_session()
    (offer,) = await visiting.offers(family)
    with clock.travelling(clock.now() + timedelta(days=8)):
        async with visiting.parent(app, family) as parent:
            answer = await parent.post(f"/voorstellen/{offer.proposal}/aannemen")
            assert answer.status_code == 409
            assert "de tijd om te antwoorden is voorbij" in answer.text
    assert await count("SELECT count(*) FROM booking WHERE state = 'confirmed'") == 0


async def test_what_could_not_be_offered_any_more_is_not_shown_as_open(app, family):
    """A proposal that was refused at publication leads to no dead button."""
    session = await world.a_session(seats=2)
    round_id = await visiting.a_round(decided=True)
    other = await world.a_family(parents=1)
    await world.a_budget(other)
    request = BookingRequest(new_id(), other, session, tuple(await world.parents_of(other)))
    await bookings.book(request, actor=None)
    assert await actions.publish(round_id, answer_until=clock.now() + timedelta(days=7), actor=None) == (0, 1)
    (refused,) = await rounds.proposals_of(family)
    async with visiting.parent(app, family) as parent:
        page = await parent.page(f"/voorstellen/{refused.proposal}")
        assert "Ja, wij gaan" not in page
        assert f"/voorstellen/{refused.proposal}" not in await parent.page("/mijn")


async def test_a_wish_without_a_place_says_why_and_what_would_have_helped(app, family):
    """After a round the wishes page shows the reasons of the matcher and its true suggestions."""
    await world.a_session(price_cents=20_000)
    assert await visiting.offers(family) == []
    (why,) = await rounds.non_placements_of(family)
    async with visiting.parent(app, family) as parent:
        page = (await parent.page("/wensen")).replace("&#39;", "'")
    assert why.reasons[0].sentence in page
    assert "U wacht al 1\u00a0ronde" in page
