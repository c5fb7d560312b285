"""Matching rounds through the coordinator's pages, with the real solver."""

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count, forms_in
from leerbudget.entrypoints.web.coordinating import _shown
from leerbudget.foundation.database import execute
from leerbudget.foundation.ids import new_id
from leerbudget.rounds import actions
from leerbudget.rounds.queries import FairnessRow
from leerbudget.rounds.solving import SolveLimits

QUICK = SolveLimits(seconds=20, workers=1, gap=0.0)


@pytest.fixture
async def families(world_db):
    made = []
    for number in range(6):
        family = await world.a_family(family_type="kinship" if number else "recruited")
        await world.a_budget(family)
        await visiting.a_wish(family)
        made.append(family)
    await world.a_session(seats=4)
    return made


async def test_a_round_from_opening_to_publication(app, families):
    """Open, ask for the answer, wait, look at the numbers, publish: each step is on the page, and twice is once."""
    async with visiting.coordinator(app) as coordinator:
        form = await coordinator.form("/rondes", "/rondes")
        filled = {**form.values, "name": "Voorjaar <b>", "seed": "20270401"}
        places = {(await coordinator.post("/rondes", filled)).headers["location"] for _ in range(2)}
        (place,) = places
        assert await count("SELECT count(*) FROM matching_round") == 1
        assert "Voorjaar &lt;b&gt;" in await coordinator.page("/rondes")
        for _ in range(2):
            answer = await coordinator.post(f"{place}/berekenen")
            assert (answer.status_code, answer.headers["location"]) == (303, place)
        waiting = await coordinator.page(place)
        assert 'hx-trigger="every 2s"' in waiting
        assert await actions.solve_requested(QUICK) == 1
        page = await coordinator.page(place)
        assert "Goed: " in page
        assert "Is het eerlijk verdeeld?" in page
        assert "Lotnummer" in page
        assert "20270401" in page
        assert "Ouder" not in page
        answer = await coordinator.submit(place, f"{place}/publiceren", answer_until="nooit")
        assert answer.status_code == 422
        assert 'id="answer_until-fout"' in answer.text
        answer = await coordinator.submit(place, f"{place}/publiceren", answer_until=visiting.day_text(-1))
        assert answer.status_code == 422
        answer = await coordinator.submit(place, f"{place}/publiceren", answer_until=visiting.day_text(7))
        assert answer.status_code == 303
        again = await coordinator.post(f"{place}/publiceren", {"answer_until": visiting.day_text(7)})
        assert again.status_code == 303
        other = await coordinator.post(f"{place}/publiceren", {"answer_until": visiting.day_text(9)})
        assert other.status_code == 409
        sending = await coordinator.page(place)
        assert "De voorstellen gaan eruit" in sending
        assert 'hx-trigger="every 2s"' in sending
        assert await actions.offer_announced() == 1
        published = await coordinator.page(place)
        assert "gaan eruit" not in published
        assert "Wacht op antwoord" in published
        assert {form.action for form in forms_in(published)} == {"/uitloggen"}
        assert (await coordinator.post(f"{place}/berekenen")).status_code == 409
    assert await count("SELECT count(*) FROM booking WHERE state = 'offered'") == 4


async def test_a_rejected_outcome_is_shown_and_cannot_be_published(app, families):
    """What the independent check found stands on the page; publishing is refused with a sentence."""
    round_id = await visiting.a_round(decided=True)
    report = '{"violations": ["capacity placements[0]: er zijn te veel mensen"], "count": 1, "rules": 20}'
    await execute("UPDATE matching_round SET state = 'rejected', audit = $2 WHERE id = $1", round_id, report)
    async with visiting.coordinator(app) as coordinator:
        page = await coordinator.page(f"/rondes/{round_id}")
        assert "er zijn te veel mensen" in page
        assert "publiceren" not in "".join(form.action for form in forms_in(page))
        answer = await coordinator.post(f"/rondes/{round_id}/publiceren", {"answer_until": visiting.day_text(7)})
        assert answer.status_code == 409
        assert "Er is niets gepubliceerd" in answer.text


async def test_a_cut_off_calculation_can_be_started_again(app, families):
    """A round that stays frozen because the solver died is not a dead end."""
    round_id = await visiting.a_round()
    await actions.freeze(round_id, actor=None)
    async with visiting.coordinator(app) as coordinator:
        page = await coordinator.page(f"/rondes/{round_id}")
        assert "We zoeken de beste verdeling" in page
        answer = await coordinator.submit(f"/rondes/{round_id}", f"/rondes/{round_id}/berekenen")
        assert answer.status_code == 303
        assert await actions.solve_requested(QUICK) == 1
        assert "Gecontroleerd" in await coordinator.page(f"/rondes/{round_id}")


async def test_a_wrong_round_comes_back(app, world_db):
    """Missing names, impossible days and lots are told at their field, with the rest kept."""
    good = {
        "round_id": str(new_id()),
        "name": "Zomer",
        "starts_on": visiting.day_text(1),
        "ends_on": visiting.day_text(90),
        "seed": "1",
    }
    wrong = [
        ({"name": ""}, "name"),
        ({"round_id": "x"}, "name"),
        ({"starts_on": "1 mei"}, "starts_on"),
        ({"ends_on": ""}, "ends_on"),
        ({"ends_on": visiting.day_text(-1)}, "ends_on"),
        ({"ends_on": visiting.day_text(800)}, "ends_on"),
        ({"seed": ""}, "seed"),
        ({"seed": "-1"}, "seed"),
        ({"seed": "99999999999999999999"}, "seed"),
        ({"seed": "\uff11"}, "seed"),
    ]
    async with visiting.coordinator(app) as coordinator:
        for change, field in wrong:
            answer = await coordinator.post("/rondes", {**good, **change})
            assert answer.status_code == 422, change
            assert f'id="{field}-fout"' in answer.text, change
            assert "<title>Fout: " in answer.text
            if field != "name":
                assert 'value="Zomer"' in answer.text
    assert await count("SELECT count(*) FROM matching_round") == 0


def test_left_out_groups_do_not_follow_from_the_total():
    """When the groups left out count fewer than five families together, the smallest shown group goes too."""
    rows = [FairnessRow("a", 20, 10), FairnessRow("b", 6, 3)]
    assert list(_shown("region", rows, 26)) == rows
    assert list(_shown("region", rows, 29)) == rows[:1]
    assert list(_shown("region", rows, 31)) == rows
    assert list(_shown("care_form", rows, 29)) == rows
