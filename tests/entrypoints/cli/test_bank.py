"""`leerbudget payments` for the bank, as people run it: statements in, payouts out, one line for what is refused."""

import asyncio
import json

import pytest

from entrypoints.cli.commanding import forked, on
from ledger.bookkeeping import PAYEE_IBAN
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import give_login
from leerbudget.payments.payees import propose_account
from payments.bank_world import OWN_IBAN, Line, one, rejecting, sums
from payments.settling_world import a_country
from payments.settling_world import on as moment

AN, BO = "an@fictief.example", "bo@fictief.example"


@pytest.fixture
def run(world_db, own_place):
    """Runs `leerbudget payments …` on 5 February 2027; exit code, what it printed, and what it complained of."""
    own_place.mkdir()
    clock = own_place / "clock"
    clock.write_text("2027-02-05T12:00:00+00:00")
    env = on(world_db, LEERBUDGET_BANK_IBAN=OWN_IBAN, LEERBUDGET_TEST_CLOCK=clock)

    async def payments(*words, **more):
        given = {name: value for name, value in (env | more).items() if value}
        done = await asyncio.to_thread(forked, "payments", *words, env=given)
        return done.returncode, done.stdout, done.stderr

    return payments


@pytest.fixture
async def coordinators(world_db):
    """Two people who may pay out."""
    for email in (AN, BO):
        await give_login(email, None, [("coordinator", None)])


async def test_a_month_of_the_bank(run, own_place, coordinators):
    """A statement in, an unknown receipt sent back, a trainer paid: each step by its command, and the books balance."""
    country = await a_country(families=[1], employers=[None])
    await country.pays("2027-01-20", country.families[0][0], 0, 18_000)
    account = new_id()
    with travelling(moment("2027-01-21")):
        await propose_account(account, country.trainers[0], PAYEE_IBAN, "T. Voorbeeld", actor=None)
    file = own_place / "camt.xml"
    file.write_bytes(one(Line(7_000, "A", note="contributie"), Line(-125, "B", note="kosten")))
    before = (await sums())["bank"]
    for known in (0, 2):
        code, said, _ = await run("import-camt", str(file))
        assert (code, f"2 entries, {known} of them known" in said) == (0, True)
    found = {each["bank_ref"]: each["id"] for each in json.loads((await run("unmatched", "--json"))[1])}
    why = ("--reason", "Gebeld", "--by", AN)
    assert (await run("explain", found["A"], "--as", "send-back", *why))[0] == 0
    assert (await run("explain", found["B"], "--as", "cost", *why))[0] == 0
    assert (await run("unmatched"))[1:] == ("", "0 waiting\n")
    assert str(account) in (await run("payout-accounts"))[1]
    assert (await run("confirm-account", str(account), "--by", AN))[:2] == (0, "confirmed\n")
    code, said, _ = await run("payout-draft", "--by", AN)
    assert (code, "(2 payments, € 250,00)" in said) == (0, True)
    payout = said.split("drafted: ")[1].split()[0]
    code, _, complained = await run("payout-approve", payout, "--by", AN)
    assert (code, "another_person_needed" in complained) == (1, True)
    assert (await run("payout-file", payout))[0] == 1
    assert (await run("payout-approve", payout, "--by", BO))[0] == 0
    out = own_place / "pain.xml"
    assert (await run("payout-file", payout, "--out", str(out)))[0] == 0
    assert out.read_text().rstrip() == (await run("payout-file", payout))[1].rstrip()
    assert "pain.001.001.09" in out.read_text()
    (view,) = json.loads((await run("payouts", "--json"))[1])
    assert (view["state"], view["open_cents"]) == ("approved", 25_000)
    file.write_bytes(rejecting(f"LB-{payout.replace('-', '')}"))
    assert (await run("import-pain002", str(file)))[:2] == (0, "0 accepted, 2 rejected, 0 unchanged\n")
    assert await sums() == {"bank": before - 7_000 + 125, "suspense": 7_000, "bank_costs": -125}
    assert "2 came back" in (await run("payouts"))[1]


async def test_what_is_refused_is_one_line(run, own_place, coordinators):
    """No setting, a wrong file, nobody with that address, nothing to pay, two purposes: an exit code and one line."""
    file = own_place / "camt.xml"
    file.write_bytes(one(Line(7_000, "A"), closing=1))
    nobody, entry = new_id(), str(new_id())
    refused = [
        (2, "telt niet op", "import-camt", str(file)),
        (2, "pain.002.001.03", "import-pain002", str(file)),
        (1, "payout_unknown", "payout-cancel", str(nobody), "--by", AN),
        (1, "not_found", "payout-draft", "--by", "wie@fictief.example"),
        (1, "nothing_to_pay", "payout-draft", "--by", AN),
        (2, "Give --payment or --as", "explain", entry, "--reason", "x", "--by", AN),
        (1, "top_up_unknown", "explain", entry, "--payment", "RF18539007547034", "--reason", "x", "--by", AN),
        (1, "bank_entry_unknown", "explain", entry, "--as", "cost", "--reason", "x", "--by", AN),
    ]
    for expected, words, *command in refused:
        code, _, complained = await run(*command)
        assert (code, len(complained.strip().splitlines())) == (expected, 1), complained
        assert words in complained
    code, _, complained = await run("import-camt", str(file), LEERBUDGET_BANK_IBAN="")
    assert (code, "LEERBUDGET_BANK_IBAN" in complained) == (2, True)
