"""Searching, booking, cancelling and the learning budget through their pages."""

import asyncio
import re
from datetime import timedelta
from uuid import UUID

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count
from leerbudget.bookings import queries as bookings
from leerbudget.budgets import queries as budgets
from leerbudget.budgets.actions import lower, settle
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.foundation.money import euros
from leerbudget.people import actions as people


@pytest.fixture
async def family(world_db):
    made = await world.a_family(parents=2)
    await world.a_budget(made, euros=250)
    return made


def enrol(session):
    return f"/bijeenkomsten/{session}/inschrijven"


def amount(cents):
    return euros(cents).replace(" ", "\u00a0")


async def test_booking_takes_two_pages_and_no_approval(app, family):
    """Choose, check what it costs and who pays, confirm: the seat is taken and the money held (R03)."""
    session = await world.a_session(price_cents=4500, childcare={"a4_8": 3})
    both = [str(person) for person in await world.parents_of(family)]
    async with visiting.parent(app, family) as parent:
        path = enrol(session)
        check = await parent.submit(path, path, persons=both, **{"children-a4_8": "2"})
        assert check.status_code == 200
        assert amount(9000) in check.text
        assert amount(16000) in check.text  # what is left afterwards
        assert "2\u00a0kinderen" in check.text
        assert await count("SELECT count(*) FROM booking") == 0
        (form,) = [f for f in visiting.forms_in(check.text) if f.action == path]
        for _ in range(2):
            done = await parent.post(path, {**form.values, "confirm": "ja"})
            assert done.status_code == 303
        (booking,) = await bookings.bookings_of(family)
        assert done.headers["location"] == f"/inschrijvingen/{booking.booking}?melding=ingeschreven"
        assert (booking.state, booking.price_cents, len(booking.persons)) == ("confirmed", 9000, 2)
        assert await count("SELECT places_taken FROM childcare_places WHERE session = $1", session) == 2
        assert "U bent ingeschreven" in await parent.page(f"/bijeenkomsten/{session}")
        assert "Gelukt" in await parent.page(f"/inschrijvingen/{booking.booking}")


async def test_twenty_presses_at_once_are_one_booking(app, family):
    """The booking id made with the page is the idempotency key, whatever the browser repeats (I5)."""
    session = await world.a_session()
    person = str((await world.parents_of(family))[0])
    values = {"booking_id": str(new_id()), "persons": [person], "confirm": "ja", "price_shown_cents": "4500"}
    async with visiting.parent(app, family) as parent:
        answers = await asyncio.gather(*(parent.post(enrol(session), values) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {303}
    assert await count("SELECT count(*) FROM booking") == 1
    assert await count("SELECT seats_taken FROM course_session WHERE id = $1", session) == 1


async def test_changing_ones_mind_goes_back_with_the_answers(app, family):
    """The second button of the check page shows the first one again, as it was filled in."""
    session = await world.a_session()
    two = str((await world.parents_of(family))[1])
    async with visiting.parent(app, family) as parent:
        values = {"booking_id": str(new_id()), "persons": [two], "back": "ja"}
        answer = await parent.post(enrol(session), values)
        (form,) = [f for f in visiting.forms_in(answer.text) if f.action == enrol(session)]
        assert (form.values["persons"], form.values["booking_id"]) == ([two], [values["booking_id"]])


async def test_wrong_answers_come_back(app, family):
    """Nobody, strangers, impossible children and ids are refused with the values kept; nothing is booked."""
    session = await world.a_session(childcare={"a4_8": 3})
    me = str((await world.parents_of(family))[0])
    other = str((await world.parents_of(await world.a_family()))[0])
    good = {"booking_id": str(new_id()), "persons": [me], "confirm": "ja"}
    wrong = [
        ({"persons": []}, "persons"),
        ({"persons": [other]}, "persons"),
        ({"persons": [me, other]}, "persons"),
        ({"persons": ["\x00"]}, "persons"),
        ({"booking_id": "x"}, "persons"),
        ({"booking_id": ""}, "persons"),
        ({"children-a4_8": "99999"}, "children-a4_8"),
        ({"children-a4_8": "-1"}, "children-a4_8"),
        ({"children-a4_8": "50"}, "children-a4_8"),
        ({"children-a4_8": "4"}, "children-a4_8"),
    ]
    async with visiting.parent(app, family) as parent:
        for change, field in wrong:
            answer = await parent.post(enrol(session), {**good, **change})
            assert answer.status_code in (409, 422), change
            assert "<title>Fout: " in answer.text
            assert f'id="{field}-fout"' in answer.text, change
    assert await count("SELECT count(*) FROM booking") == 0


async def test_refusals_are_plain_sentences(app, family):
    """Full, too little money, not for this family, a clash: one sentence each, and no word about an own professional."""
    professional = await world.a_professional(families=[family])
    cases = {
        "Er zijn niet genoeg plaatsen vrij": await world.a_session(seats=1),
        "Er staat niet genoeg op uw leerbudget: er is €\N{NO-BREAK SPACE}150,00 te weinig.": await world.a_session(
            price_cents=20_000
        ),
        "past niet bij de groep": await world.a_session(people_there=((professional, "facilitator"),)),
        "andere groep pleeggezinnen": await world.a_session(
            course=await world.a_course(audience={**world.FOR_ALL, "family_type": {"recruited": "not_for"}})
        ),
    }
    both = [str(person) for person in await world.parents_of(family)]
    async with visiting.parent(app, family) as parent:
        for sentence, session in cases.items():
            for button in ({}, {"confirm": "ja"}):
                values = {"booking_id": str(new_id()), "persons": both, **button}
                answer = await parent.post(enrol(session), values)
                assert answer.status_code == 409, (sentence, answer.text[:300])
                assert sentence in answer.text
                assert "Werker" not in answer.text
    assert await count("SELECT count(*) FROM booking") == 0


async def test_an_avoided_person_is_refused_with_the_same_words(app, family):
    """Whoever is avoided learns nothing, and the page does not say why (R65, R66)."""
    member, person = await world.a_trainer()
    await people.avoid(family, person)
    session = await world.a_session(trainer=member, people_there=((person, "trainer"),))
    values = {"booking_id": str(new_id()), "persons": [str((await world.parents_of(family))[0])]}
    async with visiting.parent(app, family) as parent:
        answer = await parent.post(enrol(session), values)
        assert "Deze bijeenkomst past niet bij de groep die er al is." in answer.text


async def test_the_form_warns_who_cannot_come(app, family):
    """Beside each parent stands what we know: the usual week, a moment away, another booking at that time."""
    one, two = await world.parents_of(family)
    start, end = world.in_days(30)
    session = await world.a_session(meetings=((start, end),))
    async with visiting.parent(app, family) as parent:
        page = await parent.page(enrol(session))
        assert "Kan meestal niet" not in page
        await parent.post("/wensen/beschikbaarheid", {f"week-{one}": ["0"], f"week-{two}": [str(n) for n in range(21)]})
        page = await parent.page(enrol(session))
        assert page.count("Kan meestal niet op") == 1
        clashing = await world.a_session(meetings=((start, end),))
        await parent.post(
            enrol(clashing),
            {
                "booking_id": str(new_id()),
                "persons": [str(one), str(two)],
                "confirm": "ja",
                "price_shown_cents": "9000",
            },
        )
        assert (await parent.page(enrol(session))).count("al een andere bijeenkomst") == 2
        assert (await parent.page(enrol(clashing))).count("Heeft hier al een plaats.") == 2


async def test_what_cannot_be_booked_says_why_on_its_page(app, family):
    """A full session leads back to its page, which tells; a trainer's page has no button."""
    session = await world.a_session(seats=1)
    other = await world.a_family()
    await world.a_budget(other)
    async with visiting.parent(app, other) as quicker:
        me = str((await world.parents_of(other))[0])
        await quicker.post(
            enrol(session), {"booking_id": str(new_id()), "persons": [me], "confirm": "ja", "price_shown_cents": "4500"}
        )
    async with visiting.parent(app, family) as parent:
        answer = await parent.get(enrol(session))
        assert (answer.status_code, answer.headers["location"]) == (303, f"/bijeenkomsten/{session}")
        assert "Alle plaatsen zijn bezet" in await parent.page(f"/bijeenkomsten/{session}")


@pytest.mark.parametrize(("days", "back_cents"), [(30, 4500), (10, 2250), (3, 0)])
async def test_the_amount_told_is_the_amount_returned(app, family, days, back_cents):
    """Before cancelling the page shows what comes back, by the very code that then does it; twice is once."""
    session = await world.a_session(price_cents=4500, meetings=(world.in_days(days),))
    me = str((await world.parents_of(family))[0])
    booking = str(new_id())
    async with visiting.parent(app, family) as parent:
        await parent.post(
            enrol(session), {"booking_id": booking, "persons": [me], "confirm": "ja", "price_shown_cents": "4500"}
        )
        held = sum(each.free_cents for each in await budgets.budgets_of(family))
        path = f"/inschrijvingen/{booking}/annuleren"
        told = await parent.page(path)
        assert re.search(rf"krijgt u <span[^>]*>{amount(back_cents)}</span>", told)
        for _ in range(2):
            answer = await parent.post(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/inschrijvingen?melding=geannuleerd")
        free = sum(each.free_cents for each in await budgets.budgets_of(family))
        assert free - held == back_cents
        assert (await parent.get(path)).headers["location"] == "/inschrijvingen"
        assert (await parent.get(f"/inschrijvingen/{booking}")).headers["location"] == "/inschrijvingen"
        assert "Geannuleerd" in await parent.page("/inschrijvingen")


async def test_what_has_begun_cannot_be_cancelled(app, family):
    """After the start the button answers with a sentence in the site's frame."""
    session = await world.a_session(meetings=(world.in_days(20),))
    me, booking = str((await world.parents_of(family))[0]), str(new_id())
    async with visiting.parent(app, family) as parent:
        await parent.post(
            enrol(session), {"booking_id": booking, "persons": [me], "confirm": "ja", "price_shown_cents": "4500"}
        )
        path = f"/inschrijvingen/{booking}/annuleren"
        assert path in await parent.page("/inschrijvingen")
        parent.client.cookies.clear()
    with clock.travelling(clock.now() + timedelta(days=21)):
        async with visiting.parent(app, family) as later:
            assert path not in await later.page("/inschrijvingen")
            for answer in (await later.get(path), await later.post(path)):
                assert answer.status_code == 409
                assert "Afmelden kan niet meer" in answer.text


async def test_the_budget_page_tells_where_the_money_went(app, family):
    """Free, held and spent are the books'; each line adds up to what is free."""
    session = await world.a_session(price_cents=4500)
    me, booking = str((await world.parents_of(family))[0]), str(new_id())
    async with visiting.parent(app, family) as parent:
        await parent.post(
            enrol(session), {"booking_id": booking, "persons": [me], "confirm": "ja", "price_shown_cents": "4500"}
        )
        page = await parent.page("/budget")
        assert amount(20500) in page
        assert "Gereserveerd voor Cursus" in page
        assert "Toegekend" in page
        lines = [line.free_change_cents for line in await budgets.mutations(family)]
        assert sum(lines) == sum(each.free_cents for each in await budgets.budgets_of(family)) == 20500
        assert (await parent.get("/budget?pagina=zz")).status_code == 200


async def test_a_budget_has_a_statement_that_ties_out(app, family):
    """Reserved, paid, released with the reason, lowered with the organisation's words; each with its sums."""
    (budget,) = await budgets.budgets_of(family)
    paid = await world.a_session(price_cents=4500)
    cancelled = await world.a_session(price_cents=3000, meetings=[world.in_days(40)])
    me = str((await world.parents_of(family))[0])
    async with visiting.parent(app, family) as parent:
        for session, cents in ((paid, "4500"), (cancelled, "3000")):
            booking = str(new_id())
            values = {"booking_id": booking, "persons": [me], "confirm": "ja", "price_shown_cents": cents}
            assert (await parent.post(enrol(session), values)).status_code == 303
            if session == paid:
                await settle(UUID(booking), 4500, actor=None, reason="attended")
        await parent.post(f"/inschrijvingen/{booking}/annuleren")
        await lower(budget.id, 1000, lowering=new_id(), actor=None, reason="Afspraak gewijzigd")
        titles = {each.session: each.title for each in await bookings.bookings_of(family)}
        page = await parent.page(f"/budget/{budget.id}")
        for said in (
            "Toegekend",
            "Gereserveerd voor Cursus",
            "Weer vrij van Cursus",
            "U annuleerde",
            "Afspraak gewijzigd",
        ):
            assert said in page, said
        assert f"Betaald voor {titles[paid]}: {amount(4500)}" in page
        assert amount(25000 - 4500 - 1000) in page
        assert f"/budget/{budget.id}" in await parent.page("/budget")
        assert f": {amount(4500)}" in await parent.page("/budget")
        for other in (new_id(), await world.a_budget(await world.a_family())):
            assert (await parent.get(f"/budget/{other}")).status_code == 404


async def test_searching_finds_and_forgives(app, family):
    """What is asked narrows the list; nonsense is told at its field or left out, never an error of ours."""
    await world.a_session(course=await world.a_course(theme="trauma"), price_cents=2000)
    await world.a_session(course=await world.a_course(theme="behaviour"), postcode4="9711")
    await world.a_session(postcode4=None)
    async with visiting.parent(app, family) as parent, visiting.stranger(app) as stranger:
        for person in (parent, stranger):
            assert ">3\u00a0bijeenkomsten<" in await person.page("/zoeken")
            assert ">1\u00a0bijeenkomst<" in await person.page("/zoeken?thema=behaviour")
            assert ">1\u00a0bijeenkomst<" in await person.page("/zoeken?prijs=20")
            assert ">2\u00a0bijeenkomsten<" in await person.page("/zoeken?postcode=3511&minuten=30")
            for strange in (
                "thema=x&vorm=y&dagdeel=nacht&gezin=q&leeftijd=z&sorteer=w&pagina=99999999999&minuten=1e9",
                "q=%00%27%22%3Cscript%3E&pagina=-3",
                "q=" + "a" * 5000,
                "dagdeel=avond&dagdeel=weekend&sorteer=afstand&opvang=ja",
            ):
                answer = await person.get(f"/zoeken?{strange}")
                assert answer.status_code == 200, strange
                assert "<script>" not in answer.text
        for wrong, field in (("postcode=12", "postcode"), ("postcode=0000", "postcode"), ("prijs=duur", "prijs")):
            answer = await stranger.page(f"/zoeken?{wrong}")
            assert f'id="{field}-fout"' in answer


async def test_nobody_pays_another_price_than_the_page_showed(app, family, admin):
    """The price changed between checking and confirming: the check page comes back with the price of now (R04)."""
    session = await world.a_session(price_cents=4500)
    person = str((await world.parents_of(family))[0])
    async with visiting.parent(app, family) as parent:
        path = enrol(session)
        check = await parent.submit(path, path, persons=[person])
        (form,) = [f for f in visiting.forms_in(check.text) if f.action == path]
        await admin.execute("UPDATE course_session SET price_cents = 9900 WHERE id = $1", session)
        again = await parent.post(path, {**form.values, "confirm": "ja"})
        assert again.status_code == 409
        assert "De prijs is veranderd" in again.text
        assert amount(9900) in again.text
        assert await count("SELECT count(*) FROM booking") == 0
        (form,) = [f for f in visiting.forms_in(again.text) if f.action == path]
        assert (await parent.post(path, {**form.values, "confirm": "ja"})).status_code == 303
    assert await count("SELECT price_cents FROM booking") == 9900


async def test_confirming_without_a_shown_price_only_shows_it(app, family):
    """Whoever skips the check page sees the price first; nothing is booked."""
    session = await world.a_session(price_cents=4500)
    person = str((await world.parents_of(family))[0])
    async with visiting.parent(app, family) as parent:
        values = {"booking_id": str(new_id()), "persons": [person], "confirm": "ja"}
        shown = await parent.post(enrol(session), values)
    assert (shown.status_code, amount(4500) in shown.text) == (200, True)
    assert await count("SELECT count(*) FROM booking") == 0


async def test_a_family_sees_what_is_for_it(app, family):
    """Courses for other families are left out of the list unless asked for, and their page says so without a button."""
    crisis = world.FOR_ALL | {"care_forms": {"full_time_long": "not_for"}}
    others = await world.a_session(course=await world.a_course(audience=crisis))
    await world.a_session()
    async with visiting.parent(app, family) as parent, visiting.stranger(app) as stranger:
        assert ">1\u00a0bijeenkomst<" in await parent.page("/zoeken")
        assert ">2\u00a0bijeenkomsten<" in await parent.page("/zoeken?andere=ja")
        assert ">2\u00a0bijeenkomsten<" in await stranger.page("/zoeken")
        assert "andere" not in {
            name for form in visiting.forms_in(await stranger.page("/zoeken")) for name in form.values
        }
        page = await parent.page(f"/bijeenkomsten/{others}")
        assert "Deze cursus is voor een andere groep pleeggezinnen bedoeld." in page
        assert f"/bijeenkomsten/{others}/inschrijven" not in page
        assert "/wachtlijst" not in page


async def test_full_groups_and_childcare_are_found_when_asked_for(app, family):
    """What is full is shown on request, for the waiting list; a group without a free childcare place is not one with childcare."""
    full = await world.a_session(seats=1)
    await world.a_session(childcare={"a4_8": 1})
    other = await world.a_family()
    await world.a_budget(other)
    person = str((await world.parents_of(other))[0])
    async with visiting.parent(app, other) as quicker:
        values = {"booking_id": str(new_id()), "persons": [person], "confirm": "ja", "price_shown_cents": "4500"}
        assert (await quicker.post(enrol(full), values)).status_code == 303
    async with visiting.parent(app, family) as parent:
        assert ">1\u00a0bijeenkomst<" in await parent.page("/zoeken")
        assert ">2\u00a0bijeenkomsten<" in await parent.page("/zoeken?vol=ja")
        assert ">1\u00a0bijeenkomst<" in await parent.page("/zoeken?vol=ja&opvang=ja")
        assert f"/bijeenkomsten/{full}/wachtlijst" in await parent.page(f"/bijeenkomsten/{full}")
        await count("UPDATE childcare_places SET places_taken = 1 RETURNING 1")
        assert ">0\u00a0bijeenkomsten<" in await parent.page("/zoeken?opvang=ja")
