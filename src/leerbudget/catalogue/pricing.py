"""What a session costs when it is published, and by which tariff (R06).

Part of the actions of this room (`publishing.write`); nobody else calls it. Which tariff applies depends on where a
session is held, who gives it and the day in Amsterdam of its first meeting, never on who comes: everybody in one room
pays the same. A session that is published keeps its price and its tariff, whatever happens to tariffs afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from leerbudget.catalogue.errors import PriceNotTariff, TariffMissing
from leerbudget.catalogue.rules import TARIFF_SCOPES, SessionOrder
from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.money import euros


@dataclass(frozen=True, slots=True)
class Applied:
    """The tariff that applies to a session."""

    tariff: UUID
    price_cents: int


# Who gives a session: whoever its trainer works for on that day, as is known now; for a trainer who works for oneself,
# whoever offers the course.
_APPLYING = """
SELECT DISTINCT ON (o.number) o.number, t.id, t.price_cents
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::date[]) WITH ORDINALITY AS o(course, venue, trainer, day, number)
JOIN course c ON c.id = o.course
LEFT JOIN LATERAL (SELECT organisation FROM trainer_employer
                   WHERE trainer = o.trainer AND from_month <= o.day ORDER BY from_month DESC LIMIT 1) e ON true
LEFT JOIN venue v ON v.id = o.venue
JOIN tariff t ON t.course = o.course AND t.starts_on <= o.day AND (t.ends_on IS NULL OR t.ends_on >= o.day)
  AND CASE t.scope WHEN 'national' THEN true
                   WHEN 'organisation' THEN t.organisation = coalesce(e.organisation, c.organisation)
                   ELSE v.municipality = ANY(t.municipalities) END
ORDER BY o.number, array_position($5::text[], t.scope::text) DESC
"""


async def applying(orders: Sequence[SessionOrder]) -> list[Applied | None]:
    """The tariff that applies to each order, the most specific one; None where there is none."""
    rows = await fetch_all(
        _APPLYING,
        [order.course for order in orders],
        [order.venue for order in orders],
        [order.trainer for order in orders],
        [order.first_day for order in orders],
        list(TARIFF_SCOPES),
    )
    found = {row["number"]: Applied(row["id"], row["price_cents"]) for row in rows}
    return [found.get(number) for number in range(1, len(orders) + 1)]


async def priced(orders: Sequence[SessionOrder], before: Mapping[str, SessionOrder]) -> list[SessionOrder]:
    """The orders with a price and where it comes from. `before`: what stands in the catalogue, by reference.

    What is published already keeps both, unless it gets another course, place, trainer, first day or price.
    A draft may have any price; that is looked at when it is published.

    Raises:
        PriceNotTariff: a tariff applies, and the price is another one.
        TariffMissing: there is neither a price nor a tariff.
    """
    done = {order.external_ref: _kept(order, before.get(order.external_ref)) for order in orders}
    asking = [order for order in orders if done[order.external_ref] is None]
    problems: list[dict[str, str]] = []
    for order, tariff in zip(asking, await applying(asking), strict=True):
        problems += _problems(order, tariff)
        done[order.external_ref] = _by(order, tariff)
    if problems:
        refusal = TariffMissing if problems[0]["code"] == TariffMissing.code else PriceNotTariff
        raise refusal(problems=problems, first=problems[0]["message"])
    return [done[order.external_ref] or order for order in orders]


def _kept(order: SessionOrder, before: SessionOrder | None) -> SessionOrder | None:
    """The order at the price that was published, if it can stay; otherwise None."""
    if before is None or before.state == "draft" or not order.priced_like(before):
        return None
    if order.price_cents not in (None, before.price_cents):
        return None
    return replace(order, price_cents=before.price_cents, tariff=before.tariff)


def _by(order: SessionOrder, tariff: Applied | None) -> SessionOrder:
    """The order at its tariff; a draft at another price has none."""
    if tariff is None or order.price_cents not in (None, tariff.price_cents):
        return replace(order, tariff=None)
    return replace(order, price_cents=tariff.price_cents, tariff=tariff.tariff)


def _problems(order: SessionOrder, tariff: Applied | None) -> list[dict[str, str]]:
    if tariff is None and order.price_cents is None:
        code, message = TariffMissing.code, "Vul een prijs in: er is geen tarief voor deze plek en deze dag."
    elif tariff is not None and order.state != "draft" and order.price_cents not in (None, tariff.price_cents):
        code, message = PriceNotTariff.code, f"Hier geldt op die dag een tarief van {euros(tariff.price_cents)}."
    else:
        return []
    return [{"ref": order.external_ref, "path": "price_cents", "code": code, "message": message}]
