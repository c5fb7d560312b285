"""Tariffs: what a course costs, by scope and period (R06). Everybody reads them, as they read the prices of sessions."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from leerbudget.catalogue import price_list
from leerbudget.catalogue.errors import TariffUnknown
from leerbudget.catalogue.rules import PRICE_CENTS_MAX, TariffOrder
from leerbudget.catalogue.tariffs import add_tariffs, end_tariff
from leerbudget.entrypoints.api.types import (
    CLEAN_LINE,
    Answer,
    Body,
    CursorText,
    Day,
    Limit,
    make_cursor,
    read_cursor,
    told,
)
from leerbudget.entrypoints.http.authentication import PUBLIC
from leerbudget.entrypoints.http.guards import requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import InvalidInput

TariffCents = Annotated[
    int, Meta(ge=0, le=PRICE_CENTS_MAX, description="Euro cents per person for all meetings, incl. VAT.")
]
RegionName = Annotated[str, Meta(min_length=1, max_length=80, pattern=CLEAN_LINE)]
MunicipalityName = Annotated[str, Meta(min_length=1, max_length=60, pattern=CLEAN_LINE)]


class OwnTariffOrder(Body, frozen=True, kw_only=True):
    """What a course costs when this organisation gives it. `id` is made by the caller: again has no effect.

    `ends_on` is the last day; null is until further notice.
    """

    id: UUID
    course: UUID
    price_cents: TariffCents
    starts_on: Day
    ends_on: Day | None = None


class SharedTariffOrder(Body, frozen=True, kw_only=True):
    """What a course costs in the country, a youth region or a municipality. `id` is made by the caller.

    A municipality names itself, a youth region all its municipalities and its own name in `region`.
    """

    id: UUID
    course: UUID
    scope: Literal["national", "youth_region", "municipality"]
    region: RegionName | None = None
    municipalities: Annotated[list[MunicipalityName], Meta(min_length=1, max_length=400)] | None = None
    price_cents: TariffCents
    starts_on: Day
    ends_on: Day | None = None


class Tariff(Answer, frozen=True, kw_only=True):
    """A tariff. `ends_on` null: until further notice; before `starts_on`: withdrawn before it began."""

    id: UUID
    course: UUID
    course_title: str
    scope: str
    region: str | None
    municipalities: list[str]
    organisation: UUID | None
    organisation_name: str | None
    price_cents: int
    starts_on: date
    ends_on: date | None


class Tariffs(Answer, frozen=True, kw_only=True):
    """A page of tariffs, those that ended included; `next_cursor` is null on the last."""

    items: list[Tariff]
    next_cursor: str | None


class TariffEnd(Body, frozen=True, kw_only=True):
    """The last day on which a tariff holds: today or later. Before its first day, it never holds."""

    last_day: Day


class TariffController(Controller):
    """The tariffs of country, youth regions and municipalities, and the list of all of them."""

    path = "/tariffs"
    tags = ("tariffs",)

    @get(summary="Tariffs by course", operation_id="listTariffs", opt={PUBLIC: True})
    async def listed(
        self,
        course: Annotated[UUID | None, QueryParameter(description="Of this course only.")] = None,
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Tariffs:
        """All of them, in the order in which they were made. The most specific one is the price of a session."""
        after = read_cursor(cursor, (str,))
        found = await price_list.tariffs(course=course, after=_id(after), limit=limit + 1)
        shown = found[:limit]
        more = len(found) > limit
        return Tariffs(
            items=[_told(each) for each in shown], next_cursor=make_cursor(str(shown[-1].id)) if more else None
        )

    @post(guards=[requires("set_tariffs")], summary="Add a tariff", operation_id="addTariff")
    async def add(self, request: HouseRequest, data: JSONBody[SharedTariffOrder]) -> Tariff:
        """It is the price of sessions that are published from now on; what was published keeps its price."""
        order = TariffOrder(
            id=data.id,
            external_ref=f"api-{data.id}",
            course=data.course,
            scope=data.scope,
            price_cents=data.price_cents,
            starts_on=data.starts_on,
            ends_on=data.ends_on,
            region=data.region,
            municipalities=None if data.municipalities is None else tuple(data.municipalities),
        )
        return await _added(request, order)

    @put("/{tariff_id:uuid}/end", guards=[requires("set_tariffs")], summary="End a tariff", operation_id="endTariff")
    async def end(self, request: HouseRequest, tariff_id: FromPath[UUID], data: JSONBody[TariffEnd]) -> Tariff:
        """Another may follow it the day after. What was published stays as it is."""
        return await _ended(request, tariff_id, None, data.last_day)


class OwnTariffController(Controller):
    """The tariffs of an organisation, for what its own people give."""

    path = "/organisations/{organisation_id:uuid}/tariffs"
    tags = ("tariffs",)

    @post(
        guards=[requires("set_own_tariffs", organisation="organisation_id")],
        summary="Add a tariff of the organisation",
        operation_id="addOwnTariff",
    )
    async def add(
        self, request: HouseRequest, organisation_id: FromPath[UUID], data: JSONBody[OwnTariffOrder]
    ) -> Tariff:
        """It goes before every other tariff of the course where the organisation gives it."""
        order = TariffOrder(
            id=data.id,
            external_ref=f"api-{data.id}",
            course=data.course,
            scope="organisation",
            price_cents=data.price_cents,
            starts_on=data.starts_on,
            ends_on=data.ends_on,
            organisation=organisation_id,
        )
        return await _added(request, order)

    @put(
        "/{tariff_id:uuid}/end",
        guards=[requires("set_own_tariffs", organisation="organisation_id")],
        summary="End a tariff of the organisation",
        operation_id="endOwnTariff",
    )
    async def end(
        self,
        request: HouseRequest,
        organisation_id: FromPath[UUID],
        tariff_id: FromPath[UUID],
        data: JSONBody[TariffEnd],
    ) -> Tariff:
        """Another may follow it the day after. What was published stays as it is."""
        return await _ended(request, tariff_id, organisation_id, data.last_day)


async def _added(request: HouseRequest, order: TariffOrder) -> Tariff:
    await again(lambda: add_tariffs([order], actor=request.actor.login))
    return _told(await price_list.tariff(order.id))


async def _ended(request: HouseRequest, tariff: UUID, organisation: UUID | None, last_day: date) -> Tariff:
    """End a tariff of that organisation, or of nobody in particular.

    Raises:
        TariffUnknown: there is no such tariff, or it is somebody else's.
    """
    if (await price_list.tariff(tariff)).organisation != organisation:
        raise TariffUnknown
    await again(lambda: end_tariff(tariff, last_day, actor=request.actor.login))
    return _told(await price_list.tariff(tariff))


def _told(view: price_list.TariffView) -> Tariff:
    return told(Tariff, view)


def _id(keys: tuple[str | int, ...] | None) -> UUID | None:
    """The id in a cursor.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return None if keys is None else UUID(str(keys[0]))
    except ValueError as failure:
        raise InvalidInput(errors=[{"path": "cursor", "message": "Deze plaats in de lijst bestaat niet."}]) from failure
