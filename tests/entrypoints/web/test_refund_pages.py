"""Giving money of a top-up back, in two steps, and letting an organisation's direct debits count at once."""

from datetime import timedelta

import pytest

import world
from entrypoints.web import visiting
from entrypoints.web.visiting import count, forms_in
from ledger.bookkeeping import a_grant
from leerbudget.budgets import queries as budgets
from leerbudget.budgets.actions import grant
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.payments import actions, asking, desk, inbox, queries, receivables
from leerbudget.payments.errors import RefundTooLarge
from leerbudget.payments.rules import HELD_DAYS
from payments.bank_world import books
from payments.pretend import PretendGateway


@pytest.fixture
async def pretend(app):
    """An application with a payment service that can be told to be silent."""
    app.state.gateways["stripe"] = PretendGateway()
    yield app.state.gateways["stripe"]
    app.state.gateways.clear()


@pytest.fixture
async def organisation(world_db):
    """A fictional organisation; afterwards payments and books fit."""
    yield await world.an_organisation()
    assert [*await queries.check(), *await ledger.check()] == []


async def paid(organisation, pretend, cents=125_000, method="ideal"):
    """A top-up that was paid online."""
    top_up = new_id()
    await asking.start_top_up(
        *(top_up, organisation, cents, None), gateway=pretend, return_url="https://x.example", actor=None
    )
    (ref,) = [each.gateway_ref for each in await queries.top_ups_of(organisation) if each.id == top_up]
    pretend.tell(ref, "received", cents, method=method)
    await inbox.look_at(pretend, ref)
    return top_up


async def told(kind):
    """To whom and about how much a kind of notice was posted."""
    rows = await fetch_all(
        "SELECT address, context->>'amount_cents' AS cents FROM outbox_message WHERE kind = $1", kind
    )
    return sorted((row["address"], int(row["cents"])) for row in rows)


async def test_money_goes_back_after_a_look_at_what_it_does(app, organisation, pretend):
    """From the payment's page: the amount, the pot before and after, and only then the money; twice is once."""
    top_up = await paid(organisation, pretend)
    place = f"/stortingen/{top_up}/terugbetalen"
    async with visiting.coordinator(app) as coordinator, visiting.finance(app, organisation) as finance:
        assert place in await coordinator.page(f"/organisatie/stortingen/{top_up}")
        assert place not in await finance.page(f"/organisatie/stortingen/{top_up}")
        before = await books()
        seen = await coordinator.submit(place, place, amount="250")
        assert seen.status_code == 200
        assert "1.000,00" in seen.text
        assert await books() == before
        (form,) = (each for each in forms_in(seen.text) if each.action == place)
        changed = await coordinator.post(place, {**form.values, "amount": "260"})
        assert (changed.status_code, await books()) == (200, before)
        for _ in "ab":
            done = await coordinator.post(place, form.values)
            assert done.headers["location"] == f"/organisatie/stortingen/{top_up}?melding=terugbetaald"
        assert (await budgets.pot(organisation)).free_cents == 100_000
        assert "Hiervan ging of gaat" in await finance.page(f"/organisatie/stortingen/{top_up}")


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("1.250,01", "kan hoogstens"),
        ("900", "Het is al toegekend."),
        ("niets", "Vul een bedrag in"),
        ("0", "Vul een bedrag in"),
        ("", "Vul een bedrag in"),
    ],
)
async def test_more_than_was_paid_or_is_free_is_refused_and_the_form_keeps_its_values(
    app, organisation, pretend, amount, words
):
    """Beside the amount, with what is possible; the books stay as they are."""
    top_up = await paid(organisation, pretend)
    family = await world.a_family(organisation=organisation)
    await grant(a_grant(family, organisation, 50_000), actor=None)
    place, before = f"/stortingen/{top_up}/terugbetalen", await books()
    async with visiting.coordinator(app) as coordinator:
        answer = await coordinator.submit(place, place, amount=amount)
        assert (answer.status_code, words in answer.text) == (422, True)
        (form,) = (each for each in forms_in(answer.text) if each.action == place)
        assert form.values["amount"] == [amount]
        straight = await coordinator.post(place, {**form.values, "shown": "125001", "amount": "1.250,01"})
        assert straight.status_code == 422
    assert await books() == before


async def test_a_dry_run_is_what_happens_then(app, organisation, pretend):
    """The same numbers as the refund itself; a dry run beyond the bounds is refused like the refund."""
    top_up = await paid(organisation, pretend)
    for cents in (1, 30_000, 94_999):
        before, seen = await books(), await asking.preview_refund(top_up, cents)
        assert await books() == before
        await asking.refund_top_up(top_up, cents, id=new_id(), gateways={"stripe": pretend}, actor=None)
        assert (await budgets.pot(organisation)).free_cents == seen.free_after_cents == seen.free_before_cents - cents
    with pytest.raises(RefundTooLarge):
        await asking.preview_refund(top_up, 1)


async def test_a_silent_payment_service_does_not_undo_the_decision(app, organisation, pretend):
    """It is decided and asked again later; the page says so."""
    top_up = await paid(organisation, pretend)
    place = f"/stortingen/{top_up}/terugbetalen"
    async with visiting.coordinator(app) as coordinator:
        form = await coordinator.form(place, place)
        pretend.moods.append("silent")
        done = await coordinator.post(place, {**form.values, "amount": "250", "shown": "25000"})
        assert done.headers["location"].endswith("melding=terugbetaling-volgt")
    assert (await budgets.pot(organisation)).free_cents == 100_000


async def test_a_trusted_organisation_does_not_wait(app, organisation, pretend):
    """A debit waits and its payer is told from when it counts; trusted, with a reason, it counts at once; ended, it waits."""
    async with visiting.coordinator(app) as coordinator, visiting.finance(app, organisation) as finance:
        first = await paid(organisation, pretend, 50_000, "sepa_debit")
        assert f"/stortingen/{first}/terugbetalen" not in await coordinator.page(f"/organisatie/stortingen/{first}")
        asked = {"amount": "1", "refund_id": str(new_id())}
        refused = await coordinator.post(f"/stortingen/{first}/terugbetalen", asked)
        assert refused.status_code == 409
        place = f"/stortingen/vertrouwen/{organisation}"
        assert (await coordinator.submit(place, place, reason=" ")).status_code == 422
        assert (await coordinator.submit(place, place, reason="Getekende afspraak")).status_code == 303
        assert "Getekende afspraak" in await coordinator.page(place)
        again = await coordinator.post(place, {"reason": "Nog een keer"})
        assert (again.status_code, "al vertrouwd" in again.text, "Nog een keer" in again.text) == (409, True, True)
        await paid(organisation, pretend, 60_000, "sepa_debit")
        assert (await budgets.pot(organisation)).free_cents == 60_000
        for _ in "ab":
            assert (await coordinator.post(f"{place}/beeindigen")).status_code == 303
        assert await desk.trusted(organisation) is None
        await paid(organisation, pretend, 70_000, "sepa_debit")
        assert (await budgets.pot(organisation)).free_cents == 60_000
        assert (await coordinator.get(f"/stortingen/vertrouwen/{new_id()}")).status_code == 404
        assert (await finance.get(place)).status_code == 404
    address = f"organisation_finance-{organisation}@fictief.example"
    assert await told("top_up_held") == [(address, 50_000), (address, 70_000)]
    assert await told("top_up_received") == [(address, 60_000)]


async def test_a_debit_that_cannot_be_called_back_any_more_is_told_once(app, organisation, pretend):
    """On day 57 it reaches the pot, and its payer hears that it is there."""
    async with visiting.finance(app, organisation):
        await paid(organisation, pretend, 50_000, "sepa_debit")
        assert await told("top_up_received") == []
        with clock.travelling(clock.now() + timedelta(days=HELD_DAYS)):
            assert [await receivables.release_held() for _ in "ab"] == [1, 0]
        assert [cents for _, cents in await told("top_up_received")] == [50_000]


async def test_what_happens_to_a_payment_is_told_once_in_any_order(app, organisation, pretend):
    """Called back, won or lost, given back: each once, to the finance officer; what ended is not told as if it began."""
    async with visiting.finance(app, organisation):
        first, second = await paid(organisation, pretend, 50_000), await paid(organisation, pretend, 60_000)
        refs = {each.id: each.gateway_ref for each in await queries.top_ups_of(organisation)}
        pretend.tell(refs[first], "dispute_opened", 50_000)
        for _ in "ab":
            await inbox.look_at(pretend, refs[first])
        assert len(await told("call_back_opened")) == 1
        pretend.tell(refs[first], "dispute_won", 50_000)
        pretend.tell(refs[second], "dispute_opened", 60_000)
        pretend.tell(refs[second], "dispute_lost", 60_000)
        for ref in (refs[first], refs[second], refs[first]):
            await inbox.look_at(pretend, ref)
        assert [cents for _, cents in await told("call_back_won")] == [50_000]
        assert [cents for _, cents in await told("call_back_lost")] == [60_000]
        assert [cents for _, cents in await told("call_back_opened")] == [50_000]
        assert await count("SELECT count(*) FROM outbox_message WHERE kind = 'top_up_received'") == 2


async def test_without_a_finance_officer_the_administrators_are_told(app, organisation):
    """Money is never news to nobody while there is somebody."""
    async with visiting.finance(app, organisation, role="organisation_admin"):
        top_up = new_id()
        await actions.request_top_up(top_up, organisation, 50_000, None, actor=None)
        await actions.confirm_top_up(top_up, clock.today(), actor=None)
    assert [address for address, _ in await told("top_up_received")] == [
        f"organisation_admin-{organisation}@fictief.example"
    ]
