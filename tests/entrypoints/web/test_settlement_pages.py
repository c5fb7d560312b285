"""What an organisation settles with others, through its page and through the JSON interface."""

import pytest

from entrypoints.web import visiting
from ledger.bookkeeping import CLERK
from leerbudget.foundation.clock import travelling
from leerbudget.payments.settling import settle_months
from payments.settling_world import a_country, on

PAGE = "/organisatie/verrekening"


@pytest.fixture
async def country(world_db):
    """Six families of the first organisation and two of the second learned at the second's trainer, and one at the first's."""
    made = await a_country(families=[6, 2], employers=[0, 1])
    for family in made.families[0] + made.families[1]:
        await made.pays("2027-01-20", family, 1, 4_500)
    await made.pays("2027-01-20", made.families[0][0], 0, 1_250)
    with travelling(on("2027-02-02")):
        await settle_months(actor=CLERK)
    return made


async def test_each_organisation_sees_its_side(app, country):
    """The guest sees where its six families' money went; the host sees the sum only, for its own two would follow."""
    guest, host = country.organisations
    async with visiting.finance(app, guest) as finance:
        page = await finance.page(PAGE)
        assert "januari\u00a02027" in page
        assert "€\u00a0270,00" in page  # to the other
        assert "€\u00a012,50" in page  # what came into its pot, for one seat of its own
        assert "Van wie dit kwam, tonen wij niet." in page
        assert "Per saldo" not in page
        assert 'href="/organisatie/verrekening"' in await finance.page("/organisatie")
        answer = (await finance.get(f"/api/v1/organisations/{guest}/settlements")).json()
    (month,) = answer["items"]
    assert (month["earned_cents"], month["guests"], month["from_others_cents"]) == (1_250, [], None)
    assert (month["paid_cents"], [share["cents"] for share in month["hosts"]]) == (27_000, [27_000])
    async with visiting.finance(app, host) as finance:
        page = await finance.page(PAGE)
        assert "€\u00a0360,00" in page
        assert "Van wie dit kwam, tonen wij niet." in page
        assert "€\u00a0270,00" not in page
        assert "€\u00a090,00" not in page
        assert "Verdiend door uw trainers" in await finance.page("/organisatie")


async def test_before_the_first_month_the_page_says_so(app, world_db):
    """An organisation that settled nothing reads when that will be; a page that is not there is the first one."""
    made = await a_country(families=[1], employers=[])
    async with visiting.finance(app, made.organisations[0]) as finance:
        for address in (PAGE, f"{PAGE}?pagina=7", f"{PAGE}?pagina=x"):
            assert "Er is nog geen maand verrekend." in await finance.page(address)
        assert "Verdiend door uw trainers" not in await finance.page("/organisatie")


async def test_who_only_looks_along_sees_nothing_of_it(app, country):
    """A municipality's viewer has neither the page nor a link to it."""
    async with visiting.finance(app, country.organisations[0], "municipality_viewer") as viewer:
        assert (await viewer.get(PAGE)).status_code == 404
        assert PAGE not in await viewer.page("/organisatie")
