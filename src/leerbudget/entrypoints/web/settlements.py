"""What an organisation settles with others, month by month (R05). Never which family, trainer or course."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from litestar import Controller, Response, get

from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.organisations import own_organisation
from leerbudget.entrypoints.web.pages import View, page, paged
from leerbudget.payments.netting import SettledMonth, Share, told
from leerbudget.payments.settlements import matrix_of

MONTHS_ON_PAGE = 12


class SettlementPages(Controller):
    """For an organisation's finance officers."""

    include_in_schema = False

    @get("/organisatie/verrekening")
    async def months(self, request: HouseRequest) -> Response[str]:
        """Every month that was settled, latest first."""
        organisation = own_organisation(request, "see_settlements")
        every = told(organisation, await matrix_of(organisation))
        found, number, last = paged(every, request.query_params.get("pagina", ""), MONTHS_ON_PAGE)
        view = View(months=[_month(each, organisation) for each in found], page=number, last_page=last)
        return await page(request, "verrekening.html", view)


def _month(each: SettledMonth, own: UUID) -> View:
    return View(
        code=each.month,
        first_day=date.fromisoformat(f"{each.month}-01"),
        earned_cents=each.earned_cents,
        guests=_split(each.guests, own),
        from_others_cents=each.from_others_cents,
        paid_cents=each.paid_cents,
        hosts=_split(each.hosts, own),
        net_cents=each.net_cents,
    )


def _split(shares: Sequence[Share], own: UUID) -> list[View]:
    """The lines below a sum; none when there is nothing but what is too small to be shown apart."""
    if all(share.organisation is None for share in shares):
        return []
    return [View(name=_name(share, own), cents=share.cents) for share in shares]


def _name(share: Share, own: UUID) -> str:
    return "Uw eigen organisatie" if share.organisation == own else share.name or "Overige samen"
