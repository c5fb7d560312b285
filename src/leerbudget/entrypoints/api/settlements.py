"""What an organisation settles with others, month by month (R05)."""

from uuid import UUID

from litestar import Controller, get
from litestar.params import FromPath

from leerbudget.entrypoints.api.types import Answer
from leerbudget.entrypoints.http.guards import requires
from leerbudget.payments.netting import SettledMonth, Share, told
from leerbudget.payments.settlements import matrix_of


class SettlementShare(Answer, frozen=True, kw_only=True):
    """Cents with one organisation; null: with all that are too small to be shown apart. Below zero: more came back."""

    organisation: UUID | None
    organisation_name: str | None
    cents: int


class SettlementMonth(Answer, frozen=True, kw_only=True):
    """A month that was settled. Null: fewer than five families, also by subtraction.

    `earned_cents` went to the pot for seats at trainers who work for the organisation; `guests` says whose budgets
    paid for them (empty: only the sum may be told). `paid_cents` is what its own budgets paid for seats at trainers
    of others; `hosts` says whose. `net_cents` = `from_others_cents` - `paid_cents`.
    """

    month: str
    earned_cents: int
    guests: list[SettlementShare]
    from_others_cents: int | None
    paid_cents: int | None
    hosts: list[SettlementShare]
    net_cents: int | None


class Settlements(Answer, frozen=True, kw_only=True):
    """The months that were settled, latest first."""

    items: list[SettlementMonth]


class SettlementController(Controller):
    """Settling happens by itself; nobody asks for it."""

    path = "/organisations/{organisation_id:uuid}/settlements"
    tags = ("organisation",)

    @get(
        guards=[requires("see_settlements", organisation="organisation_id")],
        summary="What the organisation settled with others, by month",
        operation_id="listSettlements",
    )
    async def listed(self, organisation_id: FromPath[UUID]) -> Settlements:
        """Amounts only, never which family went where."""
        months = told(organisation_id, await matrix_of(organisation_id))
        return Settlements(items=[_month(each) for each in months])


def _month(each: SettledMonth) -> SettlementMonth:
    return SettlementMonth(
        month=each.month,
        earned_cents=each.earned_cents,
        guests=[_share(share) for share in each.guests],
        from_others_cents=each.from_others_cents,
        paid_cents=each.paid_cents,
        hosts=[_share(share) for share in each.hosts],
        net_cents=each.net_cents,
    )


def _share(share: Share) -> SettlementShare:
    return SettlementShare(organisation=share.organisation, organisation_name=share.name, cents=share.cents)
