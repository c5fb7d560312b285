"""What holds for every page: it renders for who may see it, and is not there for anybody else."""

import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import Person, forms_in
from leerbudget.bookings import actions as bookings
from leerbudget.bookings import seating, waiting
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.seating import SeatOrder
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.budgets import approvals, policies
from leerbudget.budgets.rules import GrantOrder, PolicyOrder
from leerbudget.catalogue.rules import TariffOrder
from leerbudget.catalogue.tariffs import add_tariffs
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.payments import actions as payments
from leerbudget.payments import bank_queries, explaining, own_shares, payees, payouts
from leerbudget.payments import queries as payment_queries
from leerbudget.payments.choosing import EXAMPLE
from leerbudget.payments.statements import import_statements
from leerbudget.payments.tasks import open_task
from payments.bank_world import OWN_IBAN, Line, one
from payments.pretend import PretendGateway

PARENT_PAGES = (
    "/mijn",
    "/wensen",
    "/wensen/toevoegen",
    "/wensen/{wish}/wijzigen",
    "/wensen/beschikbaarheid",
    "/wensen/reizen",
    "/inschrijvingen",
    "/inschrijvingen/{booking}",
    "/inschrijvingen/{booking}/annuleren",
    "/inschrijvingen/{booking}/andere-datum",
    "/inschrijvingen/{booking}/inhalen",
    "/inschrijvingen/{unpaid}/betalen",
    "/budget",
    "/budget/{budget}",
    "/bijeenkomsten/{session}/inschrijven",
    "/bijeenkomsten/{full}/wachtlijst",
    "/wachtlijst/{seats}",
)
TRAINER_PAGES = (
    "/trainer",
    "/trainer/bijeenkomsten/{booked}",
    "/trainer/bijeenkomsten/{booked}/afgelasten",
    "/trainer/bijeenkomsten/{booked}/elearning",
    "/trainer/facturen",
    "/mijn-rekening",
)
FINANCE_PAGES = (
    "/organisatie",
    "/organisatie/stortingen/{top_up}",
    "/organisatie/factuurgegevens",
    "/organisatie/aanvragen/{request}",
    "/organisatie/beleid",
    "/organisatie/beleid/{policy}",
    "/organisatie/verrekening",
    "/organisatie/tarieven",
    "/organisatie/tarieven/{own_tariff}",
)
COORDINATOR_PAGES = (
    *("/rondes", "/rondes/{round}", "/stortingen", "/stortingen/taken/{task}"),
    *("/stortingen/{paid}/terugbetalen", "/stortingen/vertrouwen/{organisation}", "/bank", "/bank/regels/{entry}"),
    *("/uitbetalingen", "/uitbetalingen/{payout}", "/uitbetalingen/rekeningen/{account}"),
    *("/gesprekken", "/gesprekken/{dialogue}", "/tarieven", "/tarieven/{tariff}"),
)
GUEST_PAGES = ("/mijn-plekken", "/mijn-plekken/{own_seat}")
PUBLIC_PAGES = ("/", "/inloggen", "/inloggen/bevestigen", "/zoeken", "/bijeenkomsten/{session}", "/bronnen")
PERSONAL_PAGES = (*PARENT_PAGES, *TRAINER_PAGES, *FINANCE_PAGES, *COORDINATOR_PAGES, *GUEST_PAGES)


@dataclass
class Scene:
    """A parent, a trainer, a finance officer, a coordinator and a professional, each with something to see."""

    ids: dict[str, object]
    parent: Person
    trainer: Person
    finance: Person
    coordinator: Person
    guest: Person
    stranger: Person

    def at(self, path: str) -> str:
        """The address of a page in this scene."""
        return path.format(**self.ids)

    def seer(self, path: str) -> Person:
        """Who the page is for."""
        for pages, person in (
            (PARENT_PAGES, self.parent),
            (TRAINER_PAGES, self.trainer),
            (FINANCE_PAGES, self.finance),
            (COORDINATOR_PAGES, self.coordinator),
            (GUEST_PAGES, self.guest),
        ):
            if path in pages:
                return person
        return self.stranger


async def booked(family: UUID, session: UUID, **more: object) -> UUID:
    persons = tuple(await world.parents_of(family))[:1]
    request = BookingRequest(id=new_id(), family=family, session=session, persons=persons, **more)
    return (await bookings.book(request, actor=None)).booking


async def offered(family: UUID) -> dict[str, object]:
    """A full session, and seats in another one that are offered to the family that waited for it."""
    full, other, seats = await world.a_session(seats=1), await world.a_session(seats=1, price_cents=0), new_id()
    for session in (full, other):
        first = await world.a_family()
        await world.a_budget(first)
        taken = await booked(first, session)
    await waiting.join(WaitingOrder(seats, family, other, tuple(await world.parents_of(family))[:1]), actor=None)
    await bookings.cancel(taken, actor=None)
    await waiting.offer_free_seats()
    return {"full": full, "seats": seats}


async def unpaid(family: UUID) -> UUID:
    """A seat after the period of every budget: the family pays for it itself, and has not yet."""
    session = await world.a_session(meetings=(world.in_days(400),))
    request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family))[:1])
    quote = await own_shares.quote(request, gateway=PretendGateway(), actor=None)
    asked = replace(request, own_shown_cents=quote.own_cents)
    await own_shares.book(asked, gateway=PretendGateway(), return_url="https://leerbudget.example", actor=None)
    return request.id


async def a_request(organisation: UUID, family: UUID) -> UUID:
    """A grant above the organisation's limit, asked by somebody who is not in the scene."""
    await approvals.set_limit(organisation, 0, actor=None)
    today, request = clock.today(), new_id()
    order = GrantOrder(request, "1", family, organisation, 1_000, today, today + timedelta(days=100))
    await approvals.grant_or_ask(request, [order], actor=new_id())
    return request


async def a_policy(organisation: UUID) -> UUID:
    """A policy of next month."""
    policy, starts = new_id(), clock.today() + timedelta(days=30)
    order = PolicyOrder(policy, organisation, "Groep A", 25_000, "family", starts, starts + timedelta(days=300))
    await policies.add_policy(order, actor=None)
    return policy


async def a_dialogue() -> dict[str, object]:
    """A dialogue with somebody in it and somebody in line."""
    dialogue = await world.a_dialogue()
    await seating.give(SeatOrder(new_id(), dialogue, await world.a_professional()), actor=None)
    await seating.wait(SeatOrder(new_id(), dialogue, await world.a_professional()), actor=None)
    return {"dialogue": dialogue}


async def tariffs(organisation: UUID) -> dict[str, object]:
    """One of the country and one of the organisation, for a course that nobody gives yet."""
    course, starts = await world.a_course(), clock.today() + timedelta(days=30)
    land = TariffOrder(new_id(), "land", course, "national", 4_500, starts)
    own = TariffOrder(new_id(), "own", course, "organisation", 4_000, starts, organisation=organisation)
    await add_tariffs([land, own], actor=None)
    return {"tariff": land.id, "own_tariff": own.id}


async def a_task():
    """Something about money that a person must look at."""
    await open_task("discrepancy", "stripe:txn_1", 100)
    return (await payment_queries.open_tasks())[0].id


async def money_at_the_desk(organisation: UUID, trainer: UUID) -> dict[str, object]:
    """A top-up that came in, an entry that waits, a payout that waits for a second person, an account to confirm."""
    paid, account, payout = new_id(), new_id(), new_id()
    reference = await payments.request_top_up(paid, organisation, 50_000, None, actor=None)
    lines = [Line(50_000, "A", structured=reference), Line(7_000, "B"), Line(900, "C")]
    await import_statements(one(*lines, iban=EXAMPLE.iban), [EXAMPLE.iban], actor=None)
    back, entry = sorted(await bank_queries.unmatched(), key=lambda each: each.amount_cents)
    await explaining.send_back(back.id, "Onbekend", actor=None)
    await payouts.draft_payout(payout, actor=new_id())
    await payees.propose_account(account, trainer, OWN_IBAN, "T. (fictief)", actor=None)
    return {"paid": paid, "organisation": organisation, "entry": entry.id, "payout": payout, "account": account}


@pytest.fixture
async def scene(app):
    family = await world.a_family(parents=2)
    organisation = await world.an_organisation()
    budget = await world.a_budget(family, euros=400, organisation=organisation)
    member, person = await world.a_trainer()
    sessions = [
        await world.a_session(trainer=member, childcare={"a4_8": 3}, people_there=((person, "trainer"),)),
        await world.a_session(trainer=member, meetings=(world.in_days(40), world.in_days(47))),
    ]
    worker = await world.a_professional()
    top_up = new_id()
    reference = await payments.request_top_up(top_up, organisation, 2_500_000, "PO-1", actor=None)
    ids = {
        **await offered(family),
        **await a_dialogue(),
        "own_seat": await world.a_seat_offered(worker, await world.a_dialogue(meetings=(world.in_days(80),))),
        "wish": await visiting.a_wish(family),
        "booking": await booked(family, sessions[1]),
        "unpaid": await unpaid(family),
        "session": sessions[0],
        "booked": sessions[1],
        "top_up": reference,
        "task": await a_task(),
        **await money_at_the_desk(organisation, member),
        "budget": budget,
        "request": await a_request(organisation, family),
        "policy": await a_policy(organisation),
        **await tariffs(organisation),
        "round": await visiting.a_round(),
    }
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        yield Scene(
            ids,
            await enter(visiting.parent(app, family)),
            await enter(visiting.trainer(app, member, person)),
            await enter(visiting.finance(app, organisation)),
            await enter(visiting.coordinator(app)),
            await enter(visiting.professional(app, worker)),
            await enter(visiting.stranger(app)),
        )


async def test_every_page_renders_for_whom_it_is_meant(scene):
    """With real data each page answers 200 in Dutch, personal ones are never stored, no id stands twice, and forms carry the token."""
    for path in (*PERSONAL_PAGES, *PUBLIC_PAGES):
        seer = scene.seer(path)
        answer = await seer.get(scene.at(path))
        assert answer.status_code == 200, (path, answer.status_code, answer.text[-2000:])
        assert '<html lang="nl">' in answer.text, path
        assert "no-store" in answer.headers["cache-control"], path
        ids = re.findall(r'\sid="([^"]+)"', answer.text)
        assert len(ids) == len(set(ids)), (path, [each for each in ids if ids.count(each) > 1])
        for form in forms_in(answer.text):
            if form.method == "post":
                assert form.values.get("_csrf_token") == [seer.csrf], (path, form.action)


async def test_public_pages_render_for_everybody(scene):
    """Logged in or not, whoever it is: the public pages are there, and nothing of them is stored for who is logged in."""
    for path in ("/", "/zoeken?postcode=3511&minuten=45", "/bijeenkomsten/{session}", "/bronnen"):
        for person in (scene.parent, scene.trainer, scene.finance, scene.coordinator):
            answer = await person.get(scene.at(path))
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), path
            assert "Uitloggen" in answer.text


async def test_strangers_are_sent_to_log_in(scene):
    """Who is not logged in gets the login page instead of any personal page, also when posting."""
    for path in PERSONAL_PAGES:
        answer = await scene.stranger.get(scene.at(path))
        assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen"), path
    for path in POSTS:
        answer = await scene.stranger.post(scene.at(path))
        assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen"), path


POSTS = (
    "/wensen",
    "/wensen/{wish}",
    "/wensen/{wish}/omhoog",
    "/wensen/{wish}/intrekken",
    "/wensen/beschikbaarheid",
    "/wensen/uitzonderingen",
    "/wensen/reizen",
    "/bijeenkomsten/{session}/inschrijven",
    "/inschrijvingen/{booking}/annuleren",
    "/inschrijvingen/{booking}/andere-datum",
    "/inschrijvingen/{booking}/inhalen",
    "/inschrijvingen/{booking}/inhalen/niet",
    "/inschrijvingen/{unpaid}/betalen/niet",
    "/bijeenkomsten/{full}/wachtlijst",
    "/wachtlijst/{seats}/aannemen",
    "/wachtlijst/{seats}/afwijzen",
    "/wachtlijst/{seats}/verlaten",
    "/organisatie/stortingen",
    "/organisatie/toekenningen",
    "/trainer/bijeenkomsten/{booked}/aanwezigheid/{booking}",
    "/trainer/bijeenkomsten/{booked}/afgelasten",
    "/trainer/bijeenkomsten/{booked}/elearning",
    "/trainer/bijeenkomsten/{booked}/elearning/gedaan",
    "/rondes",
    "/rondes/{round}/berekenen",
    "/rondes/{round}/publiceren",
    "/gesprekken/{dialogue}/plaatsen",
    "/gesprekken/{dialogue}/terugnemen",
    "/gesprekken/{dialogue}/van-de-lijst",
    "/mijn-plekken/{own_seat}/aannemen",
    "/mijn-plekken/{own_seat}/afwijzen",
    "/mijn-plekken/{own_seat}/afzeggen",
    "/organisatie/stortingen/{booking}/bevestigen",
    "/organisatie/factuurgegevens",
    "/trainer/facturen/afspraak",
    "/trainer/facturen/stoppen",
    "/stortingen/taken/{task}",
    "/stortingen/{paid}/terugbetalen",
    "/stortingen/vertrouwen/{organisation}",
    "/stortingen/vertrouwen/{organisation}/beeindigen",
    "/bank",
    "/bank/regels/{entry}",
    "/uitbetalingen",
    "/uitbetalingen/antwoord",
    "/uitbetalingen/{payout}/goedkeuren",
    "/uitbetalingen/{payout}/intrekken",
    "/uitbetalingen/rekeningen/{account}/bevestigen",
    "/uitbetalingen/rekeningen/{account}/afwijzen",
    "/mijn-rekening",
    "/organisatie/aanvragen/{request}/goedkeuren",
    "/organisatie/aanvragen/{request}/afwijzen",
    "/organisatie/beleid",
    "/organisatie/beleid/{policy}/gezinnen",
    "/organisatie/beleid/{policy}/toekennen",
    "/organisatie/tarieven",
    "/organisatie/tarieven/{own_tariff}",
    "/tarieven",
    "/tarieven/{tariff}",
)
"""Every address that takes a form, but answering proposals (in their own tests) and logging in."""


async def test_without_the_token_nothing_is_done(scene):
    """Each form is refused with 403, in the site's frame, when its token is missing or another session's."""
    for path in (*POSTS, "/uitloggen", "/voorstellen/{wish}/aannemen", "/voorstellen/{wish}/afwijzen"):
        for token in ("", "0" * 64):
            for person in (scene.parent, scene.finance, scene.coordinator):
                answer = await person.post(scene.at(path), token=token)
                assert answer.status_code == 403, (path, answer.status_code)
                assert '<html lang="nl">' in answer.text


async def test_the_wrong_role_finds_nothing(scene):
    """A page of another role looks exactly like a page that does not exist."""
    everybody = (scene.parent, scene.trainer, scene.finance, scene.coordinator, scene.guest)
    for person in everybody:
        for path in PERSONAL_PAGES:
            if scene.seer(path) is person or (path.startswith("/organisatie/st") and person is scene.coordinator):
                continue
            answer = await person.get(scene.at(path))
            missing = await person.get("/bijeenkomsten/00000000-0000-7000-8000-000000000000")
            assert answer.status_code == 404, (path, answer.status_code)
            assert body(answer, path=scene.at(path)) == body(missing), path


def body(answer, path=""):
    """A page without what depends on the address that was asked."""
    return answer.text.replace(' aria-current="page"', "")


async def test_anothers_things_look_missing(scene, app):
    """Another family's, trainer's or organisation's things answer 404 with the very body of what does not exist."""
    family = await world.a_family()
    await world.a_budget(family)
    member, person = await world.a_trainer()
    organisation = await world.an_organisation()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        others = {
            PARENT_PAGES: await enter(visiting.parent(app, family)),
            TRAINER_PAGES: await enter(visiting.trainer(app, member, person)),
            FINANCE_PAGES: await enter(visiting.finance(app, organisation)),
            GUEST_PAGES: await enter(visiting.professional(app, await world.a_professional())),
        }
        for pages, other in others.items():
            for path in pages:
                if "{" not in path or "{session}" in path or "{full}" in path:
                    continue
                unknown = {**dict.fromkeys(scene.ids, new_id()), "top_up": "RF18539007547034"}
                found, missing = await other.get(scene.at(path)), await other.get(path.format(**unknown))
                assert (found.status_code, missing.status_code) == (404, 404), path
                assert body(found) == body(missing), path
        for path in POSTS:
            if "{" in path and "{session}" not in path and "{full}" not in path:
                for other in others.values():
                    answer = await other.post(scene.at(path), {"confirm": "ja"})
                    assert answer.status_code == 404, (path, answer.status_code)


async def test_unknown_addresses_get_a_page_of_the_site(scene):
    """A wrong address answers 404 with a page in the site's own frame."""
    for path in ("/nergens", "/bijeenkomsten/zz", "/rondes/1/2/3", "/voorstellen/{wish}".format(**scene.ids)):
        answer = await scene.parent.get(path)
        assert answer.status_code == 404, path
        assert "Deze pagina is er niet" in answer.text
        assert "leerbudget" in answer.text


async def test_opening_a_forms_address_leads_back_to_its_page(scene):
    """Who presses enter in the address bar after a form came back is not told that something is wrong."""
    for path in POSTS:
        person = scene.parent
        if path.startswith("/trainer"):
            person = scene.trainer
        elif path.startswith("/organisatie"):
            person = scene.coordinator if path.endswith("bevestigen") else scene.finance
        elif path.startswith("/mijn-plekken"):
            person = scene.guest
        elif path.startswith("/mijn-rekening"):
            person = scene.trainer
        elif path.startswith(("/rondes", "/gesprekken", "/tarieven", "/stortingen", "/bank", "/uitbetalingen")):
            person = scene.coordinator
        address = scene.at(path.replace("{booking}/bevestigen", "{top_up}/bevestigen"))
        answer = await person.client.get(address, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.status_code, str(answer.url))


async def test_a_mistake_of_ours_is_told_in_the_frame_of_the_site(scene, monkeypatch):
    """Something unforeseen answers 500 with a number to quote and no details; a busy database answers 503."""
    from leerbudget.budgets import queries as budgets
    from leerbudget.foundation.errors import Busy

    async def broken(_):
        raise RuntimeError("geheim")

    async def busy(_):
        raise Busy

    monkeypatch.setattr(budgets, "budgets_of", broken)
    answer = await scene.parent.get("/budget")
    assert answer.status_code == 500
    assert "Er ging bij ons iets mis" in answer.text
    assert "geheim" not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    monkeypatch.setattr(budgets, "budgets_of", busy)
    answer = await scene.parent.get("/budget")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "Het is even druk" in answer.text
