"""People with a browser, for tests of pages: they log in, read pages, fill in the forms that the pages have."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import httpx
from litestar import Litestar

import world
from entrypoints.http.browsing import ORIGIN, client_for
from leerbudget.entrypoints.http.csrf import token_for
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.ids import new_id
from leerbudget.identity import actions as identity
from leerbudget.people import queries as people
from leerbudget.rounds import actions as rounds
from leerbudget.rounds import queries as round_queries
from leerbudget.rounds.queries import ProposalView
from leerbudget.rounds.solving import SolveLimits
from leerbudget.wishes import actions as wishes
from leerbudget.wishes.rules import PreferenceOrder, WeekOrder, WishOrder

ALWAYS = "1" * 21
Values = Mapping[str, str | Sequence[str]]


@dataclass
class HtmlForm:
    """A form as it stands in a page: what a browser would send when nothing is changed, buttons left out."""

    method: str
    action: str
    values: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[HtmlForm] = []
        self._open: HtmlForm | None = None
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = HtmlForm(found.get("method", "get"), found.get("action", ""))
            self.forms.append(self._open)
        if self._open is None:
            return
        name = found.get("name", "")
        if tag == "input" and name:
            unticked = found.get("type") in ("checkbox", "radio") and "checked" not in found
            self._open.values.setdefault(name, [])
            self._open.values[name] += [] if unticked else [found.get("value", "")]
        elif tag == "textarea":
            self._area = name
            self._open.values[name] = [""]
        elif tag == "select":
            self._select = name
            self._open.values.setdefault(name, [])
        elif tag == "option" and self._select and ("selected" in found or not self._open.values[self._select]):
            self._open.values[self._select] = [found.get("value", "")]
        elif tag == "button" and name:
            self._open.buttons.append((name, found.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._area:
            self._open.values[self._area] = [self._open.values[self._area][0] + data]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None


def forms_in(html: str) -> list[HtmlForm]:
    """Every form of a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


class Person:
    """Somebody with a browser. `token` is empty for a stranger."""

    def __init__(self, client: httpx.AsyncClient, token: str = "") -> None:
        self.client = client
        self.token = token

    @property
    def csrf(self) -> str:
        """What every form of this person's pages must carry."""
        return token_for(self.token) if self.token else ""

    async def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return await self.client.get(path)

    async def page(self, path: str) -> str:
        """A page that must be there."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.headers.get('location')}"
        return answer.text

    async def post(self, path: str, values: Values | None = None, *, token: str | None = None) -> httpx.Response:
        """Send a form with the token of this web session (or another)."""
        data = {"_csrf_token": self.csrf if token is None else token, **(values or {})}
        return await self.client.post(path, data=data, headers=ORIGIN)

    async def upload(self, path: str, content: bytes, *, name: str = "bank.xml") -> httpx.Response:
        """Choose a file in the form at this address and send it as a browser does."""
        files = {"file": (name, content, "text/xml")}
        return await self.client.post(path, data={"_csrf_token": self.csrf}, files=files, headers=ORIGIN)

    async def send(self, path: str, body: object) -> httpx.Response:
        """JSON, as a program of the same login sends it."""
        return await self.client.post(path, json=body, headers=ORIGIN)

    async def form(self, path: str, action: str) -> HtmlForm:
        """The form of a page that posts to this address."""
        found = [form for form in forms_in(await self.page(path)) if form.action == action]
        assert found, f"{path} has no form to {action}"
        return found[0]

    async def submit(self, path: str, action: str, **changes: str | Sequence[str]) -> httpx.Response:
        """Fill in the form of a page and send it as the browser would: what is not changed goes along as it is."""
        form = await self.form(path, action)
        strange = changes.keys() - form.values.keys() - {name for name, _ in form.buttons}
        assert not strange, f"the form to {action} has no {strange}"
        values: dict[str, Any] = {**form.values, **changes}
        return await self.client.post(action, data=values, headers=ORIGIN)


@asynccontextmanager
async def somebody(
    app: Litestar, email: str, person: UUID | None, roles: Sequence[tuple[str, UUID | None]]
) -> AsyncIterator[Person]:
    """Somebody with these roles, logged in."""
    login = await identity.give_login(email, person, list(roles))
    session = await identity._new_session(login, clock.now())  # the mailed link has tests of its own
    async with client_for(app) as client:
        client.cookies.set(app.state.session_cookie.name, session.token, domain="leerbudget.test")
        yield Person(client, session.token)


@asynccontextmanager
async def parent(app: Litestar, family: UUID, *, which: int = 0) -> AsyncIterator[Person]:
    """A parent of a family."""
    person = (await people.persons_of(family))[which]
    async with somebody(app, str(person.email), person.id, [("foster_parent", family)]) as made:
        yield made


@asynccontextmanager
async def trainer(app: Litestar, member: UUID, person: UUID) -> AsyncIterator[Person]:
    """A trainer of the pool."""
    email = str((await people.person(person)).email)
    async with somebody(app, email, person, [("trainer", member)]) as made:
        yield made


@asynccontextmanager
async def finance(app: Litestar, organisation: UUID, role: str = "organisation_finance") -> AsyncIterator[Person]:
    """A finance officer (or another role) of an organisation."""
    async with somebody(app, f"{role}-{organisation}@fictief.example", None, [(role, organisation)]) as made:
        yield made


@asynccontextmanager
async def coordinator(app: Litestar) -> AsyncIterator[Person]:
    """The coordinator."""
    async with somebody(app, "coordinator@fictief.example", None, [("coordinator", None)]) as made:
        yield made


@asynccontextmanager
async def professional(app: Litestar, person: UUID) -> AsyncIterator[Person]:
    """A foster-care worker."""
    email = str((await people.person(person)).email)
    async with somebody(app, email, person, [("foster_care_worker", None)]) as made:
        yield made


@asynccontextmanager
async def stranger(app: Litestar) -> AsyncIterator[Person]:
    """Somebody who is not logged in."""
    async with client_for(app) as client:
        yield Person(client)


async def a_wish(
    family: UUID,
    *,
    theme: str = "trauma",
    stated_by: UUID | None = None,
    persons: Sequence[UUID] | None = None,
    situation: str = "",
    wants_to_learn: str = "",
) -> UUID:
    """A wish that can be matched: week, travel and all."""
    going = tuple(persons or await world.parents_of(family))
    await wishes.set_weeks([WeekOrder(person, ALWAYS) for person in going])
    await wishes.set_preference(PreferenceOrder(family, None, "3511", {"car": 45}, online_ok=False))
    wish = new_id()
    order = WishOrder(
        id=wish,
        family=family,
        stated_by=stated_by or going[0],
        persons=going,
        theme=theme,
        situation=situation,
        wants_to_learn=wants_to_learn,
    )
    await wishes.state_wish(order, actor=None)
    return wish


async def count(sql: str, *values: object) -> int:
    """A number from the database."""
    found: int = await fetch_value(sql, *values)
    return found


def day_text(days: int) -> str:
    """A day as date fields have it, so many days from today."""
    return (clock.today() + timedelta(days=days)).isoformat()


async def a_round(*, decided: bool = False) -> UUID:
    """An open matching round over the coming months; `decided` freezes, solves and audits it with the real solver."""
    round_id, today = new_id(), clock.today()
    await rounds.open_round(
        round_id, name="Proefronde", starts_on=today, ends_on=today + timedelta(days=120), seed=1, actor=None
    )
    if decided:
        await rounds.freeze(round_id, actor=None)
        await rounds.solve(round_id, SolveLimits(seconds=20, workers=1, gap=0.0), actor=None)
        assert await rounds.check(round_id, actor=None) == []
    return round_id


async def offers(family: UUID, *, days: int = 7) -> list[ProposalView]:
    """A matching round is decided and published; the family's proposals."""
    round_id = await a_round(decided=True)
    await rounds.publish(round_id, answer_until=clock.now() + timedelta(days=days), actor=None)
    return await round_queries.proposals_of(family)
