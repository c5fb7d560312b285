"""Tariffs (R06): the coordinator's for country, youth regions and municipalities, an organisation's for what it gives."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.catalogue import price_list
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.errors import (
    CatalogueUnknown,
    TariffEndNotPossible,
    TariffKnown,
    TariffNotValid,
    TariffOverlaps,
    TariffUnknown,
)
from leerbudget.catalogue.price_list import TariffView
from leerbudget.catalogue.rules import TariffOrder
from leerbudget.catalogue.tariffs import add_tariffs, end_tariff
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.organisations import cents_of, day_in, own_organisation
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.entrypoints.web.wording import LABELS
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.identity.permissions import require

SHARED, OWN = "/tarieven", "/organisatie/tarieven"
SCOPES = ("national", "youth_region", "municipality")
"""What the coordinator chooses from; an organisation sets its own tariffs only."""

FIELDS = {"price_cents": "price", "organisation": "course"}
"""Place in a tariff → field of the form, where they are called differently."""

SHOWN_MAX = 200


class TariffPages(Controller):
    """For the coordinator."""

    path = SHARED
    include_in_schema = False

    @get("/")
    async def listed(self, request: HouseRequest) -> Response[str]:
        """Every tariff that holds now or later, and adding one."""
        require(request.user, "set_tariffs")
        return await _list_page(request, None)

    @post("/")
    async def add(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Add a tariff of the country, a youth region or a municipality."""
        require(request.user, "set_tariffs")
        return await _add(request, None)

    @get("/{tariff_id:uuid}")
    async def one(self, request: HouseRequest, tariff_id: FromPath[UUID]) -> Response[str]:
        """One tariff."""
        require(request.user, "set_tariffs")
        return await _tariff_page(request, tariff_id, None)

    @post("/{tariff_id:uuid}")
    async def end(self, request: HouseRequest, tariff_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Let it end early."""
        require(request.user, "set_tariffs")
        return await _end(request, tariff_id, None)


class OwnTariffPages(Controller):
    """For an organisation's finance officers."""

    path = OWN
    include_in_schema = False

    @get("/")
    async def listed(self, request: HouseRequest) -> Response[str]:
        """The organisation's tariffs that hold now or later, and adding one."""
        return await _list_page(request, own_organisation(request, "set_own_tariffs"))

    @post("/")
    async def add(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Add a tariff for what the organisation gives."""
        return await _add(request, own_organisation(request, "set_own_tariffs"))

    @get("/{tariff_id:uuid}")
    async def one(self, request: HouseRequest, tariff_id: FromPath[UUID]) -> Response[str]:
        """One tariff."""
        return await _tariff_page(request, tariff_id, own_organisation(request, "set_own_tariffs"))

    @post("/{tariff_id:uuid}")
    async def end(self, request: HouseRequest, tariff_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Let it end early."""
        return await _end(request, tariff_id, own_organisation(request, "set_own_tariffs"))


# --- listing and adding -----------------------------------------------------------------------------------------


async def _list_page(
    request: HouseRequest, organisation: UUID | None, form: Form | None = None, status: int = 200
) -> Response[str]:
    chosen = an_id(request.query_params.get("cursus", ""))
    found = await price_list.tariffs_from(clock.today(), course=chosen, organisation=organisation, limit=SHOWN_MAX + 1)
    view = View(
        address=SHARED if organisation is None else OWN,
        own=organisation is not None,
        tariffs=[_line(each, link=each.organisation == organisation) for each in found[:SHOWN_MAX]],
        more=len(found) > SHOWN_MAX,
        courses=[(str(each.id), each.title) for each in await catalogue.courses(state="admitted")],
        filter=Form(values={"cursus": str(chosen or "")}),
        scopes=[(scope, LABELS["tariff_scope"][scope]) for scope in SCOPES],
    )
    empty = {
        "tariff_id": str(new_id()),
        "scope": "national",
        "starts_on": str(clock.today()),
        "course": str(chosen or ""),
    }
    return await page(request, "tarieven.html", view, form=form or Form(values=empty), status=status)


def _line(each: TariffView, *, link: bool) -> View:
    return View(
        id=each.id if link else None,
        course=each.course_title,
        scope=each.scope,
        name=_name(each),
        price_cents=each.price_cents,
        starts_on=each.starts_on,
        ends_on=each.ends_on,
    )


def _name(each: TariffView) -> str | None:
    return each.region or each.organisation_name or next(iter(each.municipalities), None)


async def _add(request: HouseRequest, organisation: UUID | None) -> Response[str] | Response[None]:
    form = await filled_in(request)
    order, errors = _order(form, organisation)
    if order is not None:
        try:
            await add_tariffs([order], actor=request.actor.login)
            return moved(f"{SHARED if organisation is None else OWN}?cursus={order.course}", "tarief-toegevoegd")
        except TariffNotValid as refusal:
            errors = {FIELDS.get(each["path"], each["path"]): each["message"] for each in refusal.data["problems"]}
        except TariffOverlaps as refusal:
            errors = {"starts_on": str(refusal)}
        except (CatalogueUnknown, TariffKnown) as refusal:
            errors = {"course": str(refusal)}
    fresh = Form(values={**form.values, "tariff_id": str(new_id())}, errors=errors)
    return await _list_page(request, organisation, fresh, 422)


def _order(form: Form, organisation: UUID | None) -> tuple[TariffOrder | None, dict[str, str]]:
    """What the form says as a tariff, or what is not right with it."""
    tariff_id, course = an_id(form.value("tariff_id")), an_id(form.value("course"))
    price, starts_on = cents_of(form.value("price")), day_in(form.value("starts_on"))
    ends_on, scope = form.value("ends_on"), form.value("scope")
    errors = {
        "course": "" if course and tariff_id else "Kies een cursus.",
        "scope": "" if organisation or scope in SCOPES else "Kies voor wie het tarief is.",
        "price": "" if price is not None else "Vul een bedrag in, zoals 45 of 45,00.",
        "starts_on": "" if starts_on else "Kies de eerste dag.",
        "ends_on": "" if not ends_on or day_in(ends_on) else "Kies de laatste dag, of laat dit leeg.",
    }
    errors = {name: told for name, told in errors.items() if told}
    if errors or tariff_id is None or course is None or price is None or starts_on is None:
        return None, errors
    scoped: Mapping[str, Any] = {"scope": "organisation", "organisation": organisation}
    if organisation is None:
        named = tuple(dict.fromkeys(" ".join(each.split()) for each in form.value("municipalities").split(",")))
        region = " ".join(form.value("region").split())[:80]
        scoped = {
            "scope": scope,
            "region": region if scope == "youth_region" else None,
            "municipalities": None if scope == "national" else tuple(filter(None, named)),
        }
    order = TariffOrder(
        id=tariff_id,
        external_ref=f"page-{tariff_id}",
        course=course,
        price_cents=price,
        starts_on=starts_on,
        ends_on=day_in(ends_on) if ends_on else None,
        **scoped,
    )
    return order, {}


# --- one of them ------------------------------------------------------------------------------------------------


async def _own(tariff: UUID, organisation: UUID | None) -> TariffView:
    """A tariff of this organisation; of none, for the coordinator.

    Raises:
        TariffUnknown: there is no such tariff, or it is somebody else's.
    """
    found = await price_list.tariff(tariff)
    if found.organisation != organisation:
        raise TariffUnknown
    return found


async def _tariff_page(
    request: HouseRequest, tariff: UUID, organisation: UUID | None, form: Form | None = None, status: int = 200
) -> Response[str]:
    found = await _own(tariff, organisation)
    view = View(
        address=SHARED if organisation is None else OWN,
        id=found.id,
        course=found.course_title,
        scope=found.scope,
        name=_name(found),
        municipalities=list(found.municipalities),
        price_cents=found.price_cents,
        starts_on=found.starts_on,
        ends_on=found.ends_on,
        withdrawn=found.withdrawn,
        over=found.ends_on is not None and found.ends_on <= clock.today(),
    )
    asked = form or Form(values={"last_day": str(clock.today())})
    return await page(request, "tarief.html", view, form=asked, status=status)


async def _end(request: HouseRequest, tariff: UUID, organisation: UUID | None) -> Response[str] | Response[None]:
    found = await _own(tariff, organisation)
    form = await filled_in(request)
    last_day, told = day_in(form.value("last_day")), "Kies de laatste dag."
    if last_day is not None:
        try:
            await end_tariff(found.id, last_day, actor=request.actor.login)
            return moved(f"{SHARED if organisation is None else OWN}/{found.id}", "tarief-eindigt")
        except TariffEndNotPossible as refusal:
            told = str(refusal)
    return await _tariff_page(request, tariff, organisation, with_errors(form, {"last_day": told}), 422)
