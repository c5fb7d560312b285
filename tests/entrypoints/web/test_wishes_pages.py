"""Wishes, weeks and travel through their pages."""

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count
from leerbudget.foundation.ids import new_id
from leerbudget.wishes import queries as wishes

SECRET = "Ons kind bijt en wij zijn op"


@pytest.fixture
async def family(world_db):
    return await world.a_family(parents=2)


async def test_a_wish_is_stated_once_however_often_the_form_is_sent(app, family):
    """The form of the page states a wish with its private words; the same form again changes nothing."""
    async with visiting.parent(app, family) as parent:
        form = await parent.form("/wensen/toevoegen", "/wensen")
        me = form.values["persons"]
        assert me == [str((await world.parents_of(family))[0])]
        filled = {**form.values, "theme": "trauma", "situation": SECRET, "forms": ["webinar", "buddy"], "urgent": "ja"}
        for _ in range(2):
            answer = await parent.post("/wensen", filled)
            assert (answer.status_code, answer.headers["location"]) == (303, "/wensen?melding=wens-opgeslagen")
        (wish,) = await wishes.wishes_of(family)
        assert (wish.theme, wish.urgent, wish.forms) == ("trauma", True, ("webinar", "buddy"))
        shown = await parent.page("/wensen?melding=wens-opgeslagen")
        assert "Uw wens is opgeslagen" in shown
        assert "Trauma en veiligheid" in shown


async def test_what_is_not_right_comes_back_with_the_values_kept(app, family):
    """Bad input answers 422: an error on top and at the field, `Fout:` in the title, everything filled in still there."""
    other = (await world.parents_of(await world.a_family()))[0]
    me = str((await world.parents_of(family))[0])
    good = {"wish_id": str(new_id()), "theme": "trauma", "persons": [me], "urgent": "nee"}
    wrong = {
        "no theme": ({"theme": ""}, "theme"),
        "unknown theme": ({"theme": "x\x00y"}, "theme"),
        "nobody": ({"persons": []}, "persons"),
        "not an id": ({"persons": ["1; DROP TABLE wish"]}, "persons"),
        "another family's parent": ({"persons": [str(other)]}, "persons"),
        "unknown form": ({"forms": ["fax"]}, "forms"),
        "the same person twice": ({"persons": [me, me]}, "persons"),
        "too long": ({"situation": "a" * 3000}, "situation"),
        "no id": ({"wish_id": ""}, "theme"),
        "a strange id": ({"wish_id": "{9}"}, "theme"),
    }
    async with visiting.parent(app, family) as parent:
        for name, (change, field) in wrong.items():
            answer = await parent.post("/wensen", {**good, "wants_to_learn": "Rustig & sterk", **change})
            assert answer.status_code == 422, name
            assert "<title>Fout: " in answer.text, name
            assert f'href="#{field}"' in answer.text, name
            assert f'id="{field}-fout"' in answer.text, name
            assert "Rustig &amp; sterk</textarea>" in answer.text, name
        assert await count("SELECT count(*) FROM wish") == 0


async def test_the_same_id_for_another_wish_is_refused(app, family):
    """An id that stands for another wish cannot be used to change it through the back door."""
    async with visiting.parent(app, family) as parent:
        form = await parent.form("/wensen/toevoegen", "/wensen")
        await parent.post("/wensen", {**form.values, "theme": "trauma"})
        answer = await parent.post("/wensen", {**form.values, "theme": "behaviour"})
        assert answer.status_code in (409, 422)
        assert [wish.theme for wish in await wishes.wishes_of(family)] == ["trauma"]


async def test_a_wish_is_changed_moved_and_withdrawn(app, family):
    """Its writer changes it with the words filled in, puts it higher, and takes it away - twice is once."""
    first = await visiting.a_wish(family, theme="trauma")
    second = await visiting.a_wish(family, theme="behaviour", situation=SECRET)
    async with visiting.parent(app, family) as parent:
        edit, action = f"/wensen/{second}/wijzigen", f"/wensen/{second}"
        assert SECRET in await parent.page(edit)
        answer = await parent.submit(edit, action, theme="grief_loss")
        assert answer.status_code == 303
        assert (await wishes.wish(second)).theme == "grief_loss"
        assert (await parent.submit(edit, action, theme="quatsch")).status_code == 422
        assert (await parent.submit("/wensen", f"/wensen/{second}/omhoog")).status_code == 303
        assert [wish.id for wish in await wishes.wishes_of(family)] == [second, first]
        for _ in range(2):
            assert (await parent.post(f"/wensen/{second}/intrekken")).status_code == 303
        assert [wish.id for wish in await wishes.wishes_of(family)] == [first]
        assert (await parent.get(edit)).headers["location"] == "/wensen"


async def test_private_words_are_for_their_writer_alone(app, family):
    """No other person's page shows them: not the co-parent's, trainer's, organisation's or coordinator's."""
    writer, _ = await world.parents_of(family)
    organisation = await world.an_organisation()
    await world.a_budget(family, organisation=organisation)
    wish = await visiting.a_wish(family, stated_by=writer, situation=SECRET, wants_to_learn=SECRET)
    member, person = await world.a_trainer()
    session = await world.a_session(trainer=member, people_there=((person, "trainer"),))
    (offer,) = await visiting.offers(family)
    round_id = await visiting.a_round()
    async with visiting.parent(app, family, which=1) as co_parent:
        for path in ("/mijn", "/wensen", f"/voorstellen/{offer.proposal}", "/inschrijvingen", "/budget"):
            assert SECRET not in await co_parent.page(path), path
        assert f"/wensen/{wish}/wijzigen" not in await co_parent.page("/wensen")
        for answer in (
            await co_parent.get(f"/wensen/{wish}/wijzigen"),
            await co_parent.post(f"/wensen/{wish}", {"theme": "trauma", "persons": [str(writer)]}),
        ):
            assert answer.status_code in (303, 404)
            assert SECRET not in answer.text
    async with visiting.trainer(app, member, person) as trainer:
        for path in ("/trainer", f"/trainer/bijeenkomsten/{session}", f"/bijeenkomsten/{session}"):
            assert SECRET not in await trainer.page(path), path
    async with visiting.finance(app, organisation) as finance:
        assert SECRET not in await finance.page("/organisatie")
    async with visiting.coordinator(app) as coordinator:
        for path in ("/rondes", f"/rondes/{round_id}", f"/rondes/{offer.round}"):
            assert SECRET not in await coordinator.page(path), path


async def test_a_co_parent_cannot_open_the_private_words_of_an_open_wish(app, family):
    """While the wish can still be changed, its form is not there for anybody but its writer."""
    writer, _ = await world.parents_of(family)
    wish = await visiting.a_wish(family, stated_by=writer, situation=SECRET)
    async with visiting.parent(app, family, which=1) as co_parent:
        assert (await co_parent.get(f"/wensen/{wish}/wijzigen")).status_code == 404
        answer = await co_parent.post(f"/wensen/{wish}", {"theme": "trauma", "persons": [str(writer)]})
        assert answer.status_code == 404
        assert f"/wensen/{wish}/wijzigen" not in await co_parent.page("/wensen")
    async with visiting.parent(app, family) as parent:
        assert f"/wensen/{wish}/wijzigen" in await parent.page("/wensen")


async def test_weeks_are_kept_for_the_own_family_only(app, family):
    """Ticks become the mask of 21; what is no day-part and another family's week are left out."""
    one, two = await world.parents_of(family)
    other = (await world.parents_of(await world.a_family()))[0]
    async with visiting.parent(app, family) as parent:
        path = "/wensen/beschikbaarheid"
        answer = await parent.submit(path, path, **{f"week-{one}": ["2", "5"]})
        assert answer.status_code == 303
        values = {f"week-{one}": ["0", "20", "21", "x", "-1"], f"week-{two}": ["3"], f"week-{other}": ["1"]}
        assert (await parent.post(path, values)).status_code == 303
        weeks = await wishes.weeks_of([one, two, other])
        assert weeks == {one: "1" + "0" * 19 + "1", two: "0001" + "0" * 17}
        form = await parent.form(path, path)
        assert form.values[f"week-{one}"] == ["0", "20"]


async def test_moments_that_do_not_suit_are_added_and_taken_back(app, family):
    """A whole day ends at midnight; nothing asks why; another family's moment cannot be taken away."""
    one, _ = await world.parents_of(family)
    path, action = "/wensen/beschikbaarheid", "/wensen/uitzonderingen"
    async with visiting.parent(app, family) as parent:
        answer = await parent.submit(path, action, person=str(one), from_day=visiting.day_text(3), part="dag")
        assert answer.status_code == 303
        await parent.submit(path, action, person=str(one), from_day=visiting.day_text(3), part="dag")
        (moment,) = await wishes.exceptions_of([one], after=world.clock.now())
        hours = (moment.ends_at - moment.starts_at).total_seconds() / 3600
        assert 23 <= hours <= 25
        async with visiting.parent(app, await world.a_family()) as other:
            await other.post(f"/wensen/uitzonderingen/{moment.id}/weghalen")
            assert await count("SELECT count(*) FROM availability_exception") == 1
        assert (await parent.submit(path, f"/wensen/uitzonderingen/{moment.id}/weghalen")).status_code == 303
        assert await count("SELECT count(*) FROM availability_exception") == 0


async def test_a_wrong_moment_comes_back(app, family):
    """Missing, impossible and foreign answers are told at their field, and kept."""
    one, _ = await world.parents_of(family)
    other = (await world.parents_of(await world.a_family()))[0]
    good = {"person": str(one), "from_day": visiting.day_text(5), "to_day": "", "part": "avond"}
    wrong = [
        ({"person": str(other)}, "person"),
        ({"person": ""}, "person"),
        ({"from_day": "31-02-2027"}, "from_day"),
        ({"from_day": "9999-12-31"}, "from_day"),
        ({"from_day": ""}, "from_day"),
        ({"to_day": visiting.day_text(2)}, "to_day"),
        ({"to_day": "morgen"}, "to_day"),
    ]
    async with visiting.parent(app, family) as parent:
        for change, field in wrong:
            answer = await parent.post("/wensen/uitzonderingen", {**good, **change})
            assert answer.status_code == 422, change
            assert "<title>Fout: " in answer.text
            assert f'id="{field}-fout"' in answer.text, change
        assert await count("SELECT count(*) FROM availability_exception") == 0


async def test_travel_and_childcare_are_kept(app, family):
    """What the form says is what the matching will use."""
    async with visiting.parent(app, family) as parent:
        answer = await parent.submit(
            "/wensen/reizen",
            "/wensen/reizen",
            postcode4="9711",
            **{"minutes-car": "30", "minutes-bike": "20", "children-a4_8": "2"},
            online_ok="ja",
            max_placements="3",
            childcare_need="needs_place",
        )
        assert answer.status_code == 303
        kept = await wishes.preference_of(family)
        assert kept.postcode4 == "9711"
        assert kept.travel_minutes_max == {"car": 30, "bike": 20}
        assert (kept.online_ok, kept.max_placements, kept.childcare) == (True, 3, {"a4_8": 2})
        form = await parent.form("/wensen/reizen", "/wensen/reizen")
        assert form.values["minutes-bike"] == ["20"]
        assert "met de auto hooguit 30" in await parent.page("/wensen")


async def test_wrong_travel_comes_back(app, family):
    """Unknown postcodes, numbers that are none and impossible choices are told at their field."""
    good = {"postcode4": "3511", "minutes-car": "45", "max_placements": "2", "childcare_need": "none"}
    wrong = [
        ({"postcode4": "0000"}, "postcode4"),
        ({"postcode4": "35\x0011"}, None),
        ({"postcode4": "3511 AB"}, "postcode4"),
        ({"minutes-car": "999999999999999999999"}, "minutes-car"),
        ({"minutes-car": "-5"}, "minutes-car"),
        ({"minutes-car": "\u0664\u0665"}, "minutes-car"),
        ({"minutes-car": ""}, "minutes-car"),
        ({"max_placements": "9"}, "max_placements"),
        ({"childcare_need": "oma"}, "childcare_need"),
        ({"childcare_need": "needs_place"}, "childcare_need"),
        ({"childcare_need": "needs_place", "children-a4_8": "veel"}, "children-a4_8"),
    ]
    async with visiting.parent(app, family) as parent:
        for change, field in wrong:
            answer = await parent.post("/wensen/reizen", {**good, **change})
            if field is None:  # control characters are dropped, the rest counts
                assert answer.status_code == 303
                continue
            assert answer.status_code == 422, change
            assert f'id="{field}-fout"' in answer.text, change
