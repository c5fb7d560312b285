"""Invoices that are made out for trainers: once, without gaps, to the cent, and never changed."""

import asyncio
from datetime import UTC, date, datetime
from random import Random

import asyncpg
import pytest

import world
from ledger.bookkeeping import CLERK
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import give_login
from leerbudget.ledger.actions import account_of, record
from leerbudget.ledger.rules import TransferOrder
from leerbudget.papers import actions
from leerbudget.papers.actions import (
    TreatmentOrder,
    agree_self_billing,
    end_self_billing,
    issue_invoices,
    set_treatment,
)
from leerbudget.papers.errors import (
    InvoiceUnknown,
    ProgrammeUnknown,
    SelfBillingKnown,
    SelfBillingOpen,
    SupplierUnknown,
    TreatedUnknown,
    TreatmentKnown,
    TreatmentTooLate,
)
from leerbudget.papers.queries import (
    agreements_of,
    differences,
    earned_by_month,
    invoice,
    invoices,
    invoices_of,
    to_invoice_oneself,
    treatments,
)
from leerbudget.papers.rules import EXAMPLE
from papers.invoicing_world import BASIS, SUPPLIER, a_lesson, agrees, is_exempt, issued
from payments.settling_world import a_country, on

STORIES = 12


@pytest.fixture
async def country(world_db):
    """An organisation with two families, a trainer of its own and two who work for nobody."""
    return await a_country(families=[2], employers=[0, None, None])


async def told(trainer):
    """Every invoice of a trainer: number, kind, month and cents."""
    return [(each.number, each.kind, each.month.month, each.gross_cents) for each in await invoices_of(trainer)]


async def test_a_month_that_is_over_is_invoiced_once(country):
    """Nothing on the first day of the next month; on the second the whole month, and never again."""
    ana, families = country.trainers[1], country.families[0]
    await agrees(ana, "2027-01-20")
    await country.pays("2027-01-05", families[0], 1, 18_000)
    await country.pays("2027-01-31", families[1], 1, 1)
    await country.pays("2027-02-01", families[1], 1, 500)
    assert await issued("2027-02-01") == 0
    assert await issued("2027-02-02") == 1
    assert await issued("2027-02-02") == await issued("2027-02-28") == 0
    assert await told(ana) == [(1, "invoice", 1, 18_001)]
    made = await invoice((await invoices_of(ana))[0].id)
    assert (made.supplier, made.buyer, made.agreed_on) == (SUPPLIER, EXAMPLE, date(2027, 1, 20))
    assert [(line.gross_cents, line.net_cents, line.vat_cents) for line in made.lines] == [(18_001, 14_877, 3_124)]
    assert await issued("2027-06-02") == 1  # months without anything have none
    assert await told(ana) == [(2, "invoice", 2, 500), (1, "invoice", 1, 18_001)]


async def test_a_trainer_hears_of_every_invoice_once(country):
    """At every address that logs in for them; who did not agree hears nothing."""
    _, ana, ben = country.trainers
    await give_login("ana@trainers.fictief.example", None, [("trainer", ana)])
    await give_login("ben@trainers.fictief.example", None, [("trainer", ben)])
    await agrees(ana, "2027-01-05")
    for day in ("2027-01-06", "2027-02-06"):
        for trainer in (1, 2):
            await country.pays(day, country.families[0][0], trainer, 12_100)
    for day in ("2027-02-02", "2027-02-03", "2027-03-02"):
        await issued(day)
    rows = await fetch_all(
        "SELECT address, context ->> 'link' AS link FROM outbox_message WHERE kind = 'invoice_issued'"
    )
    assert [tuple(row) for row in rows] == [("ana@trainers.fictief.example", "/trainer/facturen")] * 2


async def test_whoever_works_for_an_organisation_or_did_not_agree_gets_none(country):
    """Their months are settled, or theirs to invoice; what they can invoice is told to the cent."""
    _, ana, ben = country.trainers
    for trainer in (0, 1, 2):
        await country.pays("2027-01-05", country.families[0][0], trainer, 12_100)
    await agrees(country.trainers[0], "2027-01-05")
    await agrees(ben, "2027-02-01")  # when January was over
    assert await issued("2027-02-02") == 0
    with travelling(on("2027-02-02")):
        for trainer, cents in ((country.trainers[0], []), (ana, [12_100]), (ben, [12_100])):
            months = await to_invoice_oneself(trainer)
            assert [sum(line.gross_cents for line in each.lines) for each in months] == cents
            assert all(line.vat_cents == 2_100 for each in months for line in each.lines)


async def test_what_came_back_is_a_line_in_the_month_in_which_it_did(country):
    """The line names the invoice it corrects; in the same month it just makes the invoice less."""
    ana, family = country.trainers[1], country.families[0][0]
    await agrees(ana, "2027-01-05")
    early = await country.pays("2027-01-06", family, 1, 12_100)
    same = await country.pays("2027-02-05", family, 1, 24_200)
    await country.pays("2027-02-06", family, 1, 36_300)
    await country.gets_back("2027-02-07", early)
    await country.gets_back("2027-02-08", same)
    assert await issued("2027-03-02") == 2
    assert await told(ana) == [(2, "invoice", 2, 24_200), (1, "invoice", 1, 12_100)]
    made = await invoice((await invoices_of(ana))[0].id)
    lines = [(line.kind, line.gross_cents, line.corrects) for line in made.lines]
    assert sorted(lines, key=str) == [("course", 60_500, None), ("returned", -12_100, 1), ("returned", -24_200, None)]
    assert made.corrected == {1: date(2027, 3, 2)}


async def test_a_month_in_which_more_came_back_than_was_earned_is_a_credit_note(country):
    """It counts in the same series, names what it corrects, and all invoices together are what was earned."""
    ana, family = country.trainers[1], country.families[0][0]
    await agrees(ana, "2027-01-05")
    early = await country.pays("2027-01-06", family, 1, 12_100)
    await country.gets_back("2027-03-07", early)
    await country.pays("2027-03-08", family, 1, 100)
    assert await issued("2027-04-02") == 2
    assert await told(ana) == [(2, "credit_note", 3, -12_000), (1, "invoice", 1, 12_100)]
    assert (await invoice((await invoices_of(ana))[0].id)).corrected == {1: date(2027, 4, 2)}


async def test_what_comes_back_of_a_month_that_was_not_ours_is_not_ours_to_correct(country):
    """A trainer who agreed later, or no longer agrees, corrects the own invoice; nothing is in two or in none."""
    ana, family = country.trainers[1], country.families[0][0]
    before = await country.pays("2027-01-06", family, 1, 12_100)
    await agrees(ana, "2027-02-05")
    ours = await country.pays("2027-02-06", family, 1, 24_200)
    await country.gets_back("2027-02-07", before)
    with travelling(on("2027-03-31")):
        await end_self_billing(ana, actor=None)
    await country.gets_back("2027-03-07", ours)
    assert await issued("2027-04-02") == 1
    assert await told(ana) == [(1, "invoice", 2, 24_200)]
    with travelling(on("2027-04-02")):
        own = {each.month.month: sum(line.gross_cents for line in each.lines) for each in await to_invoice_oneself(ana)}
    assert own == {1: 12_100, 2: -12_100, 3: -24_200}


async def a_story(random, country):
    """Four months in which one trainer earns, pays back, agrees and stops at random; when invoices are made."""
    ana, family, paid = country.trainers[0], country.families[0][0], []
    deeds = ["pays", "pays", "back", "agrees", "ends"]
    steps = [(random.randint(1, 4), random.randint(1, 28), random.choice(deeds)) for _ in range(14)]
    for month, day, what in sorted(steps):
        when = f"2027-{month:02}-{day:02}"
        if what == "pays":
            paid.append(await country.pays(when, family, 0, random.randint(1, 7_000)))
        elif what == "back" and paid:
            await country.gets_back(when, paid.pop(random.randrange(len(paid))))
        elif what == "ends":
            with travelling(on(when)):
                await end_self_billing(ana, actor=None)
        elif what == "agrees" and not any(each.ended_at is None for each in await agreements_of(ana)):
            await agrees(ana, when)
    return sorted({*random.sample(range(2, 6), random.randint(0, 3)), 6})


async def test_invoices_and_what_is_left_to_oneself_are_what_was_earned(world_db):
    """Whatever happens in four months, and whenever invoices are made: together to the cent, numbers without gaps."""
    kinds = set()
    for seed in range(STORIES):
        country = await a_country(families=[1], employers=[None])
        ana = country.trainers[0]
        story = Random(seed)  # noqa: S311 - a story to repeat, not a secret
        for month in await a_story(story, country):
            await issued(f"2027-{month:02}-02")
        with travelling(on("2027-06-02")):
            own = [line.gross_cents for each in await to_invoice_oneself(ana) for line in each.lines]
        made = [await invoice(head.id) for head in await invoices_of(ana)]
        earned = await earned_by_month(date(2027, 6, 1), [ana])
        ours = [line.gross_cents for view in made for line in view.lines]
        assert sum(ours) + sum(own) == sum(each.cents for found in earned.values() for each in found), seed
        assert [view.head.number for view in made] == list(range(len(made), 0, -1)), seed
        for view in made:
            assert view.head.gross_cents == sum(line.gross_cents for line in view.lines), seed
            assert view.head.net_cents == sum(line.net_cents for line in view.lines), seed
        with travelling(on("2027-06-02")):
            assert await differences() == [], seed
        kinds |= {view.head.kind for view in made} | ({"own"} if own else set())
    assert kinds == {"invoice", "credit_note", "own"}  # the stories are of every kind


async def test_a_correction_in_the_books_is_a_line_of_its_own(country):
    """With VAT as long as nobody wrote down anything else."""
    ana = country.trainers[1]
    await agrees(ana, "2027-01-05")
    with travelling(on("2027-01-06")):
        bank = await account_of("bank", None, constrained=False)
        order = TransferOrder(
            new_id(), "correction", "c1", "posted", bank, country.accounts[1], 121, reason="Vergeten uur"
        )
        await record([order], actor=CLERK)
    assert await issued("2027-02-02") == 1
    (line,) = (await invoice((await invoices_of(ana))[0].id)).lines
    assert (line.kind, line.session, line.gross_cents, line.vat_cents) == ("correction", None, 121, 21)


async def test_vat_follows_what_was_written_down_for_the_last_meeting(world_db):
    """21 percent until the day from which something else was written down; each course and trainer by itself."""
    with travelling(datetime(2027, 1, 2, 12, tzinfo=UTC)):
        (ana, _), family, late = await world.a_trainer(), await world.a_family(), await world.a_family()
        course, other = await world.a_course(), await world.a_course()
        for each in (family, late):
            await world.a_budget(each, euros=900)
        await agree_self_billing(new_id(), ana, SUPPLIER, actor=None)
        await is_exempt(course, ana, date(2027, 2, 10))
        await is_exempt(other, (await world.a_trainer())[0], date(2027, 1, 2))
    lessons = {}
    plan = (("before", course, (5, 9), 9), ("after", course, (5, 10), 13), ("other", other, (10, 11), 18))
    for name, taught, days, hour in plan:
        meetings = [tuple(datetime(2027, 2, day, at, tzinfo=UTC) for at in (hour, hour + 2)) for day in days]
        lessons[name] = await a_lesson(ana, taught, meetings, family=family, late=late if name == "other" else None)
    assert await issued("2027-03-02") == 1
    made = await invoice((await invoices_of(ana))[0].id)
    found = {(line.kind, line.session): line for line in made.lines}
    assert {key: (line.treatment, line.legal_basis, line.gross_cents) for key, line in found.items()} == {
        ("course", lessons["before"]): ("standard_21", None, 4_500),
        ("course", lessons["after"]): ("exempt", BASIS, 4_500),
        ("course", lessons["other"]): ("standard_21", None, 4_500),
        ("cancellation", lessons["other"]): ("standard_21", None, 4_500),
    }
    line = found["course", lessons["before"]]
    assert (line.first_on, line.last_on) == (date(2027, 2, 5), date(2027, 2, 9))


async def test_a_treatment_counts_from_a_day_and_never_back(world_db):
    """Written down with evidence, repeated without effect, replaced by another from then on, never for a month before."""
    with travelling(on("2027-03-15")):
        course, (ana, _) = await world.a_course(), await world.a_trainer()
        order = TreatmentOrder(new_id(), course, ana, "exempt", "Gezien.", date(2027, 3, 1), "art. 11")
        await set_treatment(order, actor=CLERK)
        await set_treatment(order, actor=CLERK)
        back = TreatmentOrder(new_id(), course, ana, "standard_21", "Toch niet.", date(2027, 4, 1))
        await set_treatment(back, actor=CLERK)
        assert [(each.treatment, each.valid_from.month) for each in await treatments(course, ana)] == [
            ("standard_21", 4),
            ("exempt", 3),
        ]
        for error, wrong in [
            (TreatmentKnown, TreatmentOrder(order.id, course, ana, "standard_21", "Anders.", date(2027, 3, 1))),
            (TreatmentTooLate, TreatmentOrder(new_id(), course, ana, "standard_21", "x", date(2027, 2, 28))),
            (TreatedUnknown, TreatmentOrder(new_id(), new_id(), ana, "standard_21", "x", date(2027, 3, 1))),
            (TreatedUnknown, TreatmentOrder(new_id(), course, new_id(), "standard_21", "x", date(2027, 3, 1))),
            (InvalidInput, TreatmentOrder(new_id(), course, ana, "exempt", "x", date(2027, 3, 1))),
        ]:
            with pytest.raises(error):
                await set_treatment(wrong, actor=CLERK)


async def test_one_agreement_at_a_time(country):
    """Again has no effect, another needs the first to end, and nobody agrees who is not there."""
    ana, first = country.trainers[1], new_id()
    with travelling(on("2027-01-05")):
        for _ in range(2):
            await agree_self_billing(first, ana, SUPPLIER, actor=None)
        for error, key, trainer, supplier in [
            (SelfBillingKnown, first, ana, SUPPLIER._replace(name="Ander")),
            (SelfBillingOpen, new_id(), ana, SUPPLIER),
            (SupplierUnknown, new_id(), new_id(), SUPPLIER),
            (InvalidInput, new_id(), country.trainers[2], SUPPLIER._replace(vat_id=None)),
        ]:
            with pytest.raises(error):
                await agree_self_billing(key, trainer, supplier, actor=None)
    with travelling(on("2027-02-05")):
        for _ in range(2):
            await end_self_billing(ana, actor=None)
        await agree_self_billing(new_id(), ana, SUPPLIER._replace(name="Ander"), actor=None)
    assert [(each.name, each.ended_at is None) for each in await agreements_of(ana)] == [
        ("Ander", True),
        (SUPPLIER.name, False),
    ]


async def test_without_a_programme_nothing_is_issued_and_it_is_told_when_something_is_due(country):
    """A worker without the programme's details only complains when an invoice waits for them."""
    assert await issued("2027-02-02", buyer=None) == 0
    await agrees(country.trainers[1], "2027-01-05")
    assert await issued("2027-02-02", buyer=None) == 0
    await country.pays("2027-01-06", country.families[0][0], 1, 100)
    with pytest.raises(ProgrammeUnknown):
        await issued("2027-02-02", buyer=None)
    assert await invoices() == []


async def test_issued_twenty_times_at_once_there_is_one_of_each(country, monkeypatch):
    """Whoever issues at the same moment waits for the other; without that lock most of them fail."""
    for number in (1, 2):
        await agrees(country.trainers[number], "2027-01-05")
        for month in (1, 2):
            await country.pays(f"2027-0{month}-06", country.families[0][0], number, 100)

    async def rush(day):
        with travelling(on(day)):
            done = await asyncio.gather(
                *(issue_invoices(EXAMPLE, actor=None) for _ in range(20)), return_exceptions=True
            )
        return [each for each in done if isinstance(each, Exception)], [each for each in done if each == 4]

    assert await rush("2027-03-02") == ([], [4])
    assert [each.number for number in (1, 2) for each in await invoices_of(country.trainers[number])] == [2, 1, 2, 1]
    for number in (1, 2):
        for month in (3, 4):
            await country.pays(f"2027-0{month}-06", country.families[0][0], number, 100)
    monkeypatch.setattr(actions, "_AGREEMENTS", actions._AGREEMENTS.replace("FOR NO KEY UPDATE", ""))
    failed, _ = await rush("2027-05-02")
    assert failed


async def test_an_invoice_that_differs_from_the_books_is_told(country, admin):
    """Nothing when all fits; a changed amount and a gap in the numbers are told, also after the agreement ended."""
    ana = country.trainers[1]
    await agrees(ana, "2027-01-05")
    for month in (1, 2):
        await country.pays(f"2027-0{month}-06", country.families[0][0], 1, 100)
    await issued("2027-03-02")
    with travelling(on("2027-03-05")):
        await end_self_billing(ana, actor=None)
        assert await differences() == []
        await admin.execute("ALTER TABLE invoice DISABLE TRIGGER invoice_is_final")
        await admin.execute(
            "UPDATE invoice SET gross_cents = 101, vat_cents = vat_cents + 1, number = 5 WHERE number = 2"
        )
        told = await differences()
    assert told[0].startswith("Factuur LB-00005")
    assert told[0].endswith("is € 1,01, maar in de boeken staat € 1,00.")
    assert "niet zonder gaten" in told[1]
    assert len(told) == 2


async def test_what_was_issued_is_final(country, admin):
    """Not even the owner of the tables changes an invoice, a line or a treatment; the application may not try."""
    await agrees(country.trainers[1], "2027-01-05")
    await country.pays("2027-01-06", country.families[0][0], 1, 100)
    await issued("2027-02-02")
    for table in ("invoice", "invoice_line", "vat_treatment"):
        for change in ("UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"):
            with pytest.raises(asyncpg.PostgresError, match="append-only"):
                await admin.execute(change.format(table))
    rights = await fetch_all(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee IN ('leerbudget_app', 'leerbudget_worker') AND privilege_type NOT IN ('SELECT', 'INSERT')"
        " AND table_name IN ('invoice', 'invoice_line', 'vat_treatment', 'self_billing', 'billing_details')"
    )
    assert rights == []
    with pytest.raises(InvoiceUnknown):
        await invoice(new_id())
    with pytest.raises(InvoiceUnknown):
        await invoice((await invoices())[0].id, country.trainers[2])
