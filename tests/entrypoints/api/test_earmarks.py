"""Money for a place or for certain courses over the JSON interface: granting, policies, seeing, being refused."""

import pytest

import world
from entrypoints.api.stage import log_in
from entrypoints.http.browsing import ORIGIN, client_for
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id

API = "/api/v1"


@pytest.fixture
async def organisation(world_db):
    made = await world.an_organisation()
    await world.fill_pot(made, 1_000)
    return made


def a_grant(family, **earmarks):
    """€ 100 for this year, as a body."""
    days = {"starts_on": str(clock.today()), "expires_on": str(clock.today().replace(month=12, day=31))}
    days["expires_on"] = f"{clock.today().year + 1}-12-31"
    made = new_id()
    return {"id": str(made), "external_ref": str(made), "family": str(family), "amount_cents": 10_000} | days | earmarks


async def test_earmarks_go_in_and_come_back(app, organisation):
    """By names and ids in a grant and in a policy; the family reads them; a venue says in which municipality it lies."""
    family, course = await world.a_family(organisation=organisation), await world.a_course()
    session = await world.a_session(course=course, postcode4="6861")
    earmarks = {"municipalities": ["Renkum", "Arnhem"], "courses": [str(course)]}
    own = f"{API}/organisations/{organisation}"
    async with client_for(app, headers=ORIGIN) as finance, client_for(app, headers=ORIGIN) as parent:
        await log_in(finance, "geld@fictief.example", None, [("organisation_finance", organisation)])
        answer = await finance.post(f"{own}/grants", json=a_grant(family, **earmarks))
        assert answer.status_code == 201, answer.text
        policy = {"id": str(new_id()), "name": "A", "amount_cents": 1, "per": "family", **earmarks}
        policy |= {"starts_on": str(clock.today()), "ends_on": str(clock.today())}
        assert (await finance.post(f"{own}/policies", json=policy)).status_code == 201
        (listed,) = (await finance.get(f"{own}/policies")).json()["items"]
        (person,) = await world.parents_of(family)
        await log_in(parent, "ouder@fictief.example", person, [("foster_parent", family)])
        (budget,) = (await parent.get(f"{API}/families/{family}/budgets")).json()["items"]
        for shown in (listed, budget):
            assert (shown["municipalities"], shown["courses"]) == (["Arnhem", "Renkum"], [str(course)])
        venue = (await parent.get(f"{API}/course-sessions/{session}")).json()["venue"]
        assert venue["municipality"] == "Renkum"
        elsewhere = await world.a_session(postcode4="3511")
        order = {"id": str(new_id()), "course_session": str(elsewhere), "persons": [str(person)]}
        refused = await parent.post(f"{API}/families/{family}/bookings", json=order)
        assert (refused.status_code, refused.json()["code"]) == (409, "earmark_excludes")


@pytest.mark.parametrize(
    ("earmarks", "path"),
    [
        ({"municipalities": []}, "municipalities"),
        ({"courses": []}, "courses"),
        ({"municipalities": ["Atlantis"]}, "municipalities"),
        ({"municipalities": ["Renkum\u202e"]}, "municipalities[0]"),
        ({"courses": [str(new_id())]}, "courses"),
    ],
)
async def test_what_does_not_exist_is_refused_with_its_place(app, organisation, earmarks, path):
    """Empty lists, unknown municipalities and unknown courses: 422, the code, and where; nothing is granted."""
    family = await world.a_family(organisation=organisation)
    own = f"{API}/organisations/{organisation}"
    policy = {"id": str(new_id()), "name": "A", "amount_cents": 1, "per": "family", **earmarks}
    policy |= {"starts_on": str(clock.today()), "ends_on": str(clock.today())}
    async with client_for(app, headers=ORIGIN) as finance:
        await log_in(finance, "geld@fictief.example", None, [("organisation_finance", organisation)])
        for address, body in (("grants", a_grant(family, **earmarks)), ("policies", policy)):
            answer = await finance.post(f"{own}/{address}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), answer.text
            assert [place["path"] for place in answer.json()["errors"]] == [path]
        assert (await finance.get(f"{own}/pot")).json()["granted_cents"] == 0
