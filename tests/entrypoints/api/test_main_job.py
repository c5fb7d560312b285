"""The main job over HTTP, from a top-up to a paid seat, as programs would do it, with the real solver."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

import world
from entrypoints.api.stage import log_in
from entrypoints.http.browsing import ORIGIN, client_for
from leerbudget.bookings import queries as bookings
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.rounds import actions as rounds
from leerbudget.rounds.solving import SolveLimits

API = "/api/v1"
WORDS = "Wij willen beter begrijpen waarom hij wegloopt."


class Client:
    """Somebody's program: logged in, and surprised by any other status than the one it expects."""

    def __init__(self, browser: httpx.AsyncClient) -> None:
        self._browser = browser

    async def __call__(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """The answer's JSON."""
        answer = await self._browser.request(method, API + path, json=body)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None


@pytest.fixture
async def as_somebody(app) -> AsyncIterator[Callable[..., Any]]:
    """Makes a logged-in client for a role."""
    async with AsyncExitStack() as stack:

        async def make(role: str, scope: UUID | None = None, person: UUID | None = None) -> Client:
            browser = await stack.enter_async_context(client_for(app, headers=ORIGIN))
            await log_in(browser, f"{role}-{person or scope or 'land'}@fictief.example", person, [(role, scope)])
            return Client(browser)

        yield make


async def a_parent(as_somebody, organisation: UUID, **about: Any) -> tuple[Client, UUID, UUID]:
    """A family's first parent: (client, family, person)."""
    family = await world.a_family(organisation=organisation, **about)
    person = (await world.parents_of(family))[0]
    return await as_somebody("foster_parent", family, person), family, person


async def fund(finance: Client, coordinator: Client, organisation: UUID, families: list[UUID]) -> None:
    """A thousand euros by bank, confirmed by somebody else, and two hundred for each family."""
    top_up = str(new_id())
    order = {"id": top_up, "amount_cents": 100_000}
    told = await finance("POST", f"/organisations/{organisation}/top-ups", order, status=201)
    assert (told["state"], told["reference"][:2]) == ("open", "RF")
    assert [each["id"] for each in (await coordinator("GET", "/top-ups"))["items"]] == [top_up]
    day = {"received_on": clock.today().isoformat()}
    await coordinator("PUT", f"/top-ups/{top_up}/confirmation", day)
    period = {"starts_on": day["received_on"], "expires_on": (clock.today() + timedelta(days=200)).isoformat()}
    for number, family in enumerate(families):
        grant = {"id": str(new_id()), "external_ref": f"2027-{number}", "family": str(family), "amount_cents": 20_000}
        await finance("POST", f"/organisations/{organisation}/grants", grant | period, status=201)


async def wish_for(parent: Client, family: UUID, person: UUID) -> str:
    """When, how and what."""
    base = f"/families/{family}"
    await parent("PUT", f"{base}/availability", {"persons": [{"person": str(person), "week": "1" * 21}]})
    order = {"postcode4": "3511", "travel_minutes_max": {"car": 45}, "online_ok": True}
    await parent("PUT", f"{base}/preferences", order)
    wish = {"id": str(new_id()), "persons": [str(person)], "theme": "trauma", "words": {"situation": WORDS}}
    return (await parent("POST", f"{base}/wishes", wish, status=201))["id"]


async def publish_session(trainer: Client, trainer_id: UUID, course: UUID, *, day: int) -> str:
    """An online evening for at most two people."""
    start, end = (moment.isoformat() for moment in world.in_days(day))
    order = {
        "id": str(new_id()),
        "course": str(course),
        "trainer": str(trainer_id),
        "price_cents": 4500,
        "seats_min": 1,
        "seats_max": 2,
        "meetings": [{"starts_at": start, "ends_at": end}],
        "decide_on": (clock.today() + timedelta(days=day - 7)).isoformat(),
        "state": "confirmed",
    }
    return (await trainer("POST", "/course-sessions", order, status=201))["id"]


async def decide(coordinator: Client) -> dict[str, Any]:
    """Open a round, have a worker solve it, look at it, publish it; the round as the coordinator sees it."""
    days = {"starts_on": clock.today().isoformat(), "ends_on": (clock.today() + timedelta(days=90)).isoformat()}
    order = {"id": str(new_id()), "name": "Voorjaar", "seed": 11} | days
    path = f"/matching-rounds/{(await coordinator('POST', '/matching-rounds', order, status=201))['id']}"
    assert (await coordinator("PUT", f"{path}/solution", status=202))["solving"]
    assert await rounds.solve_requested(SolveLimits(seconds=20, workers=1, gap=0.0)) == 1
    found = await coordinator("GET", path)
    assert (found["round"]["state"], found["violations"]) == ("audited", [])
    assert found["round"]["score"] <= found["round"]["bound"]
    until = (clock.now() + timedelta(days=5)).isoformat()
    told = await coordinator("PUT", f"{path}/publication", {"answer_until": until})
    assert (told["offered"], told["waiting"] > 0) == (0, True)
    assert await rounds.offer_announced() == 1
    assert (await coordinator("PUT", f"{path}/publication", {"answer_until": until}))["waiting"] == 0
    return await coordinator("GET", path) | {"path": path}


async def test_the_main_job_over_http(as_somebody):
    """Top-up, grant, wish, round, proposal, acceptance, own booking, cancellation, attendance, payment."""
    organisation = await world.an_organisation()
    trainer_id, trainer_person = await world.a_trainer()
    parent, family, person = await a_parent(as_somebody, organisation)
    other, other_family, other_person = await a_parent(as_somebody, organisation)
    finance = await as_somebody("organisation_finance", organisation)
    coordinator = await as_somebody("coordinator")
    trainer = await as_somebody("trainer", trainer_id, trainer_person)
    await fund(finance, coordinator, organisation, [family, other_family])
    course = await world.a_course()
    matched = await publish_session(trainer, trainer_id, course, day=30)
    spare = await publish_session(trainer, trainer_id, await world.a_course(theme="attachment"), day=40)
    wish = await wish_for(parent, family, person)
    await wish_for(other, other_family, other_person)

    decided = await decide(coordinator)
    assert decided["totals"]["by_state"] == {"offered": 2}
    await look_at_the_files(coordinator, decided["path"])
    (proposal,) = (await parent("GET", f"/families/{family}/proposals"))["items"]
    assert (proposal["wish"], proposal["course_session"], proposal["price_cents"]) == (wish, matched, 4500)
    assert proposal["reasons"][0]["sentence"]
    assert (await parent("PUT", f"/proposals/{proposal['id']}/acceptance"))["state"] == "accepted"
    (refused,) = (await other("GET", f"/families/{other_family}/proposals"))["items"]
    assert (await other("PUT", f"/proposals/{refused['id']}/refusal", {}))["state"] == "declined"
    await other("PUT", f"/proposals/{refused['id']}/acceptance", status=409)

    await book_and_cancel(parent, family, person, spare)
    overview = await parent("GET", f"/families/{family}/overview")
    assert (overview["free_cents"], overview["held_cents"], overview["upcoming_bookings"]) == (15_500, 4500, 1)
    assert overview["wishes"] == {"booked": 1}
    with clock.travelling(clock.now() + timedelta(days=31)):
        await finish(await as_somebody("trainer", trainer_id, trainer_person), matched, str(person))
        parent = await as_somebody("foster_parent", family, person)
        (budget,) = (await parent("GET", f"/families/{family}/budgets"))["items"]
        assert (budget["spent_cents"], budget["held_cents"], budget["free_cents"]) == (4500, 0, 15_500)
        await add_up(parent, family, 15_500)
    assert await ledger.check() == []
    assert await bookings.inconsistencies() == []


async def look_at_the_files(coordinator: Client, path: str) -> None:
    """What was asked and what came out, without names or private words."""
    instance, outcome = [await coordinator("GET", f"{path}/{name}") for name in ("instance", "outcome")]
    assert instance["format"] == "leerbudget-instance/1"
    assert len(outcome["placements"]) == 2
    assert not any(word in str(instance) for word in ("fictief", "@", WORDS))
    assert not any(key in seeker for seeker in instance["seekers"] for key in ("avoid", "professionals"))


async def book_and_cancel(parent: Client, family: UUID, person: UUID, session: str) -> None:
    """The quote is the booking is the cancellation: the same cents, and the money back."""
    order = {"course_session": session, "persons": [str(person)]}
    quote = await parent("POST", f"/families/{family}/booking-quotes", order)
    key = str(new_id())
    receipt = await parent("POST", f"/families/{family}/bookings", order | {"id": key}, status=201)
    assert (receipt["price_cents"], receipt["payment"]) == (quote["price_cents"], quote["payment"])
    assert (await parent("GET", f"/bookings/{key}"))["state"] == "confirmed"
    preview = await parent("GET", f"/bookings/{key}/cancellation")
    assert (preview["fee_cents"], preview["refund_cents"]) == (0, 4500)
    done = await parent("PUT", f"/bookings/{key}/cancellation")
    assert done == {name: preview[name] for name in done}


async def finish(trainer: Client, session: str, person: str) -> None:
    """Who came, and closed."""
    (participant,) = (await trainer("GET", f"/course-sessions/{session}/participants"))["items"]
    assert (participant["person"], participant["attendance"]) == (person, ["planned"])
    (meeting,) = (await trainer("GET", f"/course-sessions/{session}"))["meetings"]
    path = f"/course-sessions/{session}"
    await trainer("PUT", f"{path}/completion", status=409)
    assert await trainer("PUT", f"{path}/meetings/{meeting['id']}/attendance", {"absent": []}) == {"present": 1}
    assert (await trainer("PUT", f"{path}/completion"))["state"] == "done"


async def add_up(parent: Client, family: UUID, free_cents: int) -> None:
    """The statement in pages of two: every line once, and together what is free."""
    lines, cursor = [], ""
    while True:
        page = await parent("GET", f"/families/{family}/transfers?limit=2{cursor}")
        lines += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len({line["number"] for line in lines}) == len(lines) > 4
    assert sum(line["free_change_cents"] for line in lines) == lines[-1]["free_after_cents"] == free_cents


async def test_a_parents_name_is_never_published_as_a_leader(as_somebody):
    """A trainer who knows a parent's id from a list of participants cannot put that name on a public page."""
    trainer, person = await world.a_trainer()
    client = await as_somebody("trainer", trainer, person)
    (parent,) = await world.parents_of(await world.a_family())
    start, end = world.in_days(40)
    order = {
        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "course": str(await world.a_course()),
        "trainer": str(trainer),
        "state": "conditional",
        "price_cents": 0,
        "seats_min": 1,
        "seats_max": 5,
        "meetings": [{"starts_at": start.isoformat(), "ends_at": end.isoformat()}],
        "decide_on": world.in_days(30)[0].date().isoformat(),
        "people": [{"person": str(parent), "role": "facilitator"}],
    }
    problem = await client("POST", "/course-sessions", order, status=422)
    assert problem["errors"][0]["path"] == "people[0].person"
    assert await fetch_value("SELECT count(*) FROM course_session") == 0
