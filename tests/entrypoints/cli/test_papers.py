"""`leerbudget papers` as people run it: in a process of its own, against a database of its own."""

import asyncio
import json

import pytest

import world
from entrypoints.cli.commanding import forked
from entrypoints.cli.commanding import on as at
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import give_login
from leerbudget.papers.actions import set_billing
from leerbudget.payments import actions as payments
from leerbudget.payments.rules import readable
from papers.invoicing_world import PAYER, agrees, issued
from papers.validating import faults
from payments.settling_world import a_country


@pytest.fixture
def run(world_db, tmp_path):
    """Runs `leerbudget papers …`; exit code, what it printed, and what it complained of."""

    async def papers(*words: object) -> tuple[int, str, str]:
        done = await asyncio.to_thread(forked, "papers", *map(str, words), env=at(world_db))
        return done.returncode, done.stdout, done.stderr

    return papers


async def test_papers_of_a_top_up_are_written_all_or_none(run, tmp_path):
    """By the reference as it is printed; a file that cannot be made leaves none of the others."""
    organisation, top_up = await world.an_organisation(), new_id()
    reference = await payments.request_top_up(top_up, organisation, 123_450, "INK-7", actor=None)
    files = {name: tmp_path / name for name in ("request", "receipt", "ubl")}
    words = [part for name, file in files.items() for part in (f"--{name}", file)]
    code, _, complained = await run("top-up", readable(reference), *words)
    assert (code, "nothing_received" in complained, [*tmp_path.iterdir()]) == (1, True, [])
    await set_billing(organisation, PAYER, actor=None)
    await payments.confirm_top_up(top_up, clock.today(), actor=None)
    assert (await run("top-up", reference, *words))[0] == 0
    assert [files[name].read_bytes()[:4] for name in ("request", "receipt")] == [b"%PDF"] * 2
    assert faults(files["ubl"].read_bytes()) == []
    assert (await run("top-up", reference))[0] == 2


async def test_invoices_are_issued_listed_and_written(run, tmp_path):
    """Issued once; by month, as JSON, and as files."""
    country = await a_country(families=[1], employers=[None])
    await agrees(country.trainers[0], "2027-01-04")
    await country.pays("2027-01-05", country.families[0][0], 0, 12_100)
    assert await issued("2027-02-02") == 1
    assert await run("issue") == (0, "issued: nothing was due\n", "")
    assert await run("check") == (0, "", "differences: 0\n")
    (listed,) = json.loads((await run("invoices", "--month", "2027-01", "--json"))[1])
    assert (listed["gross_cents"], listed["vat_cents"]) == (12_100, 2_100)
    assert "LB-00001" in (await run("invoices"))[1]
    assert json.loads((await run("invoices", "--month", "2027-02", "--json"))[1]) == []
    assert (await run("invoices", "--month", "januari"))[0] == (await run("invoice", listed["id"]))[0] == 2
    files = tmp_path / "a.pdf", tmp_path / "a.xml"
    assert (await run("invoice", listed["id"], "--pdf", files[0], "--ubl", files[1]))[0] == 0
    assert files[0].read_bytes().startswith(b"%PDF")
    assert faults(files[1].read_bytes()) == []
    code, _, complained = await run("invoice", new_id(), "--pdf", tmp_path / "b.pdf")
    assert (code, "invoice_unknown" in complained) == (1, True)


async def test_a_vat_treatment_is_written_down_by_who_may(run):
    """With evidence, by a coordinator; the list says it, and a mistake is one line."""
    course, (trainer, _) = await world.a_course(), await world.a_trainer()
    for email, role in (("c@fictief.example", "coordinator"), ("p@fictief.example", "platform_admin")):
        await give_login(email, None, [(role, None)])
    words = ("vat-set", course, trainer, "exempt", "--from", clock.today(), "--evidence", "Gezien.")
    code, _, complained = await run(*words, "--by", "c@fictief.example")
    assert (code, "legal_basis" in complained, complained.count("\n")) == (2, True, 1)
    basis = ("--legal-basis", "artikel 11 Wet OB 1968")
    assert (await run(*words, *basis, "--by", "p@fictief.example"))[0] == 1
    assert (await run(*words, *basis, "--by", "c@fictief.example"))[0] == 0
    (listed,) = json.loads((await run("vat-list", "--json"))[1])
    assert (listed["treatment"], listed["legal_basis"]) == ("exempt", "artikel 11 Wet OB 1968")
    assert "artikel 11" in (await run("vat-list"))[1]
