"""What people come to do, from the first page to the last, in a real browser on the real application.

Every page on the way is looked at with axe on a phone and on a desk, and must fit in both.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
import uvicorn
from playwright.async_api import Browser, Page, expect

import world
from browser.conftest import Visit, context_options, take_picture
from entrypoints.http.browsing import settings_for
from entrypoints.web.visiting import a_wish, day_text
from leerbudget.app import create_app
from leerbudget.bookings import actions as bookings
from leerbudget.bookings.actions import BookingRequest
from leerbudget.budgets import approvals
from leerbudget.entrypoints.worker.mail import deliver_due
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.identity import actions as identity
from leerbudget.ledger import queries as ledger
from leerbudget.notifications.delivery import delivery_for
from leerbudget.people import queries as people
from leerbudget.rounds import actions as rounds
from leerbudget.rounds.solving import SolveLimits

QUICK = SolveLimits(seconds=20, workers=1, gap=0.0)
PHONE, DESK = (390, 844), (1280, 900)
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|RF[0-9A-Z]+")
CHECKED: set[tuple[str, str]] = set()
"""Address without ids, and title, of every page that was looked at in this run."""


class Walk:
    """Somebody who walks through the site; every page they see is checked."""

    def __init__(self, visit: Visit, base: str, *, javascript: bool) -> None:
        self.visit = visit
        self.page: Page = visit.page
        self.base = base
        self.javascript = javascript
        self.problems: list[str] = []

    async def go(self, path: str) -> None:
        """Open an address and look around."""
        await self.page.goto(self.base + path)
        await self.look()

    async def press(self, name: str | re.Pattern[str], *, role: str = "button") -> None:
        """Press a button (or follow a link) within the page and look at where it leads."""
        await self.page.locator("main").get_by_role(role, name=name).first.click()
        await self.page.wait_for_load_state()
        await self.look()

    async def see(self, text: str) -> None:
        """The page says this."""
        await expect(self.page.locator("main")).to_contain_text(text)

    async def look(self) -> None:
        """Check the page on a desk and on a phone, unless one like it was checked before; axe needs scripts."""
        where = ID.sub("…", self.page.url.removeprefix(self.base).partition("?")[0])
        kind = (where, await self.page.title())
        if not self.javascript or kind in CHECKED:
            return
        CHECKED.add(kind)
        for width, height in (PHONE, DESK):
            await self.page.set_viewport_size({"width": width, "height": height})
            found = [*await self.visit.overflow(), *await self.visit.axe()]
            self.problems += [f"{where} at {width}: {line}" for line in found]

    async def log_in(self, email: str) -> None:
        """Ask for the link, find it in the mailbox, press its button."""
        await self.go("/inloggen")
        await self.page.get_by_label("Uw e-mailadres").fill(email)
        await self.press("Stuur mij een link")
        if not self.javascript:
            await deliver_due(delivery_for(None, self.base), self.base)
        await self.press(re.compile("Open de postbus"), role="link")
        await deliver_due(delivery_for(None, self.base), self.base)  # with scripts the mailbox fills by itself
        await self.press("Uw link om in te loggen", role="link")
        await self.press("Open de link uit deze mail", role="link")
        await self.press("Inloggen")

    def all_well(self) -> None:
        """Nothing was wrong on the way, nothing came from elsewhere, no script complained."""
        strange = [url for url in self.visit.requested if not url.startswith(self.base + "/")]
        assert self.problems + self.visit.complaints + strange == []


@pytest.fixture
async def site(built_assets, world_db) -> AsyncIterator[str]:
    """The application of the demonstration under a real server on a free port; its address."""
    app = create_app(settings_for(environment="demo"))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server._serve())
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def walking(chromium: Browser, site: str, *, javascript: bool = True) -> AsyncIterator[Walk]:
    context = await chromium.new_context(**context_options(*DESK, javascript=javascript))
    try:
        yield Walk(Visit(await context.new_page()), site, javascript=javascript)
    finally:
        await context.close()


async def a_parent(family: UUID) -> str:
    """A login for the first parent of a family; the address."""
    person = (await people.persons_of(family))[0]
    await identity.give_login(str(person.email), person.id, [("foster_parent", family)])
    return str(person.email)


async def with_offer() -> tuple[UUID, str]:
    """A family with an open proposal, and its login."""
    family = await world.a_family()
    await world.a_budget(family, euros=250)
    await a_wish(family)
    await world.a_session(price_cents=4500, meetings=(world.in_days(30), world.in_days(37)))
    round_id, today = new_id(), clock.today()
    await rounds.open_round(
        round_id, name="Voorjaar", starts_on=today, ends_on=today + timedelta(days=90), seed=1, actor=None
    )
    await rounds.request_solve(round_id, actor=None)
    await rounds.solve_requested(QUICK)
    await rounds.publish(round_id, answer_until=clock.now() + timedelta(days=7), actor=None)
    return family, await a_parent(family)


async def from_proposal_to_cancellation(walk: Walk, email: str) -> None:
    """Mail, link, proposal, yes, confirmation, bookings, cancelling with the amount, the budget that shows it."""
    await walk.log_in(email)
    await walk.press("Bekijk het voorstel", role="link")
    await walk.see("Waarom past dit bij u?")
    await walk.see("€\u00a045,00 uit leerbudget van")
    await walk.press("Ja, wij gaan")
    await walk.see("Gelukt, u bent ingeschreven")
    await walk.press("Naar uw inschrijvingen", role="link")
    await walk.see("Ingeschreven")
    await walk.press(re.compile("^Annuleren"), role="link")
    await walk.see("krijgt u €\u00a045,00 van de €\u00a045,00 terug")
    await walk.press("Ja, annuleren")
    await walk.see("Geannuleerd")
    await walk.go("/budget")
    await walk.see("Gereserveerd voor Cursus")
    await walk.see("Weer vrij van Cursus")
    await walk.see("€\u00a0250,00")
    walk.all_well()


async def test_a_parent_from_mail_to_seat_and_back(site, chromium):
    """From the mailed link to a proposal with reasons, a seat, its cancellation and the budget that shows it."""
    _, email = await with_offer()
    async with walking(chromium, site) as walk:
        await from_proposal_to_cancellation(walk, email)
    assert await ledger.check() == []


async def test_a_parent_without_javascript_does_the_same(site, chromium):
    """The same journey works when the browser runs no scripts at all."""
    _, email = await with_offer()
    async with walking(chromium, site, javascript=False) as walk:
        await from_proposal_to_cancellation(walk, email)


async def test_a_parent_states_a_wish_and_books_directly(site, chromium):
    """A wish with a week and travel, and a seat found by searching: within five pages, no approval (R03)."""
    family = await world.a_family(parents=2)
    await world.a_budget(family, euros=250)
    await world.a_session(course=await world.a_course(theme="behaviour"), childcare={"a4_8": 3})
    email = await a_parent(family)
    async with walking(chromium, site) as walk:
        page = walk.page
        await walk.log_in(email)
        await walk.press("Wens toevoegen", role="link")
        await page.get_by_label("Wat speelt er bij u thuis?").fill("Er is vaak ruzie over de telefoon.")
        await walk.press("Wens opslaan")
        await walk.see("Kies een thema")
        await page.get_by_label("Omgaan met gedrag").check()
        await walk.press("Wens opslaan")
        await walk.see("Uw wens is opgeslagen")
        await walk.press("Week aanpassen", role="link")
        await page.get_by_role("group", name="De week van").first.get_by_label("maandagavond").check()
        await walk.press("Week opslaan")
        await walk.see("kan op 1\u00a0dagdeel")
        await walk.go("/zoeken")
        await page.get_by_label("Thema", exact=True).select_option("behaviour")
        await page.wait_for_url("**thema=behaviour**")
        await walk.press(re.compile("Cursus"), role="link")
        await walk.press("Inschrijven", role="link")
        await page.get_by_label("Kinderen die meekomen").fill("1")
        await walk.press("Verder")
        await walk.see("Klopt dit?")
        await walk.press("Inschrijven")
        await walk.see("Gelukt, u bent ingeschreven")
        await walk.go("/mijn")
        await walk.see("Uw volgende bijeenkomst")
        walk.all_well()


async def test_a_trainer_says_who_was_there(site, chromium):
    """After the last meeting the trainer fills in who was there; the session is finished and paid."""
    before = clock.now() - timedelta(days=20)
    with clock.travelling(before):
        family = await world.a_family()
        await world.a_budget(family)
        member, person = await world.a_trainer()
        session = await world.a_session(
            trainer=member, people_there=((person, "trainer"),), meetings=(world.in_days(14),)
        )
        request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family)))
        await bookings.book(request, actor=None)
    with clock.travelling(before + timedelta(days=8)):
        await bookings.decide_sessions()
    email = str((await people.person(person)).email)
    await identity.give_login(email, person, [("trainer", member)])
    async with walking(chromium, site) as walk:
        await walk.log_in(email)
        await walk.press("Aanwezigheid invullen", role="link")
        await walk.press(re.compile("^Aanwezigheid van"), role="link")
        await walk.press("Opslaan")
        await walk.see("Vul in of")
        await walk.page.get_by_label("Was er", exact=True).check()
        await walk.press("Opslaan")
        await walk.see("De bijeenkomst is afgerond")
        await walk.see("Is geweest")
        walk.all_well()
    assert await ledger.check() == []


async def test_money_comes_in_with_four_eyes_and_goes_out_to_families(site, chromium):
    """A finance officer asks for a reference, the coordinator confirms, the officer grants."""
    organisation = await world.an_organisation()
    for _ in range(5):
        await world.a_family(organisation=organisation)
    await identity.give_login("geld@fictief.example", None, [("organisation_finance", organisation)])
    await identity.give_login("kas@fictief.example", None, [("coordinator", None)])
    async with walking(chromium, site) as officer, walking(chromium, site) as cashier:
        await officer.log_in("geld@fictief.example")
        await officer.page.get_by_label("Bedrag in euro's").fill("2.500")
        await officer.press("Verder")
        await officer.see("Zo maakt u het geld over")
        await cashier.log_in("kas@fictief.example")
        await cashier.go("/stortingen")
        await cashier.press(re.compile("^RF"), role="link")
        await cashier.page.get_by_label("Op welke dag kwam het binnen?").fill(day_text(0))
        await cashier.press("Ontvangst bevestigen")
        await cashier.see("De storting is bevestigd")
        await officer.go("/organisatie")
        await officer.see("€\u00a02.500,00")
        await officer.page.get_by_label("Bedrag per gezin").fill("400")
        await officer.press("Toekennen")
        await officer.see("De leerbudgetten zijn toegekend")
        await officer.see("€\u00a02.000,00")
        officer.all_well()
        cashier.all_well()
    assert await ledger.check() == []


async def test_a_group_is_granted_with_four_eyes_and_the_family_reads_its_statement(site, chromium):
    """An officer adds a policy, draws families and asks; a colleague approves; a parent reads where it came from."""
    organisation = await world.an_organisation()
    families = [await world.a_family(organisation=organisation) for _ in range(6)]
    await world.fill_pot(organisation, 3_000)
    await approvals.set_limit(organisation, 100_000, actor=None)
    for email, role in (
        ("een@fictief.example", "organisation_finance"),
        ("twee@fictief.example", "organisation_admin"),
    ):
        await identity.give_login(email, None, [(role, organisation)])
    (parent,) = await people.persons_of(families[0])
    await identity.give_login(str(parent.email), parent.id, [("foster_parent", families[0])])
    async with walking(chromium, site) as asks, walking(chromium, site) as decides, walking(chromium, site) as reads:
        await asks.log_in("een@fictief.example")
        await asks.press("Beleid en groepen vergelijken", role="link")
        for label, text in (
            ("Naam", "Groep A"),
            ("Bedrag in euro's", "250"),
            ("Eerste dag", day_text(0)),
            ("Laatste dag", day_text(90)),
        ):
            await asks.page.get_by_label(label, exact=True).fill(text)
        await asks.press("Beleid toevoegen")
        await asks.press("Loten")
        await asks.see("Gezinnen in de groep")
        await asks.press("Toekennen aan de groep")
        await asks.see("U vroeg dit zelf aan")
        await decides.log_in("twee@fictief.example")
        await decides.press(re.compile("1\\.500"), role="link")
        await take_picture(decides.page, "reis-aanvraag")
        await decides.press("Goedkeuren")
        await decides.see("De leerbudgetten zijn toegekend")
        await decides.go("/organisatie/beleid")
        await decides.see("€\u00a01.500,00")
        await reads.log_in(str(parent.email))
        await reads.go("/budget")
        await reads.press(re.compile("^Leerbudget"), role="link")
        await reads.see("Zo is het opgeteld")
        await take_picture(reads.page, "reis-afschrift")
        for walk in (asks, decides, reads):
            walk.all_well()
    assert await ledger.check() == []


async def test_a_coordinator_runs_a_round(site, chromium):
    """Open, have it solved, watch the page refresh itself, look at the fairness, publish."""
    for _ in range(6):
        family = await world.a_family()
        await world.a_budget(family)
        await a_wish(family)
    await world.a_session(seats=4)
    await identity.give_login("coordinator@fictief.example", None, [("coordinator", None)])
    async with walking(chromium, site) as walk:
        await walk.log_in("coordinator@fictief.example")
        await walk.page.get_by_label("Naam").fill("Voorjaar")
        await walk.press("Ronde openen")
        await walk.press("Vastzetten en berekenen")
        await walk.see("We zoeken de beste verdeling")
        await rounds.solve_requested(QUICK)
        await walk.see("Onafhankelijke controle")  # without a press: the page asks again by itself
        await walk.look()
        await walk.see("Is het eerlijk verdeeld?")
        await walk.press("Publiceren")
        await walk.see("De voorstellen gaan eruit")
        await rounds.offer_announced()
        await walk.see("Wacht op antwoord")
        await expect(walk.page.locator("main")).not_to_contain_text("gaan eruit")
        walk.all_well()
