"""The scenarios of our own bank: statements, answers and people in whatever order, some twice, one end."""

import random
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import pytest

from ledger.bookkeeping import CLERK, COLLEAGUE, PAYEE_IBAN, TODAY, an_organisation
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import fetch_all, fetch_one
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments.actions import cancel_top_up, confirm_top_up, request_top_up
from leerbudget.payments.asking import refund_top_up
from leerbudget.payments.bank_errors import BankFileDefines, OtherCurrency, StatementDoesNotAddUp
from leerbudget.payments.bank_rules import message_id_of
from leerbudget.payments.errors import TopUpEnded
from leerbudget.payments.explaining import known_by_hand
from leerbudget.payments.pain import OwnAccount
from leerbudget.payments.payees import confirm_account, propose_account
from leerbudget.payments.payouts import approve_payout, draft_payout, import_status
from leerbudget.payments.queries import check
from leerbudget.payments.statements import import_statements
from payments.bank_world import OWN_IBAN, Line, camt, one, statement, status_of
from payments.orders import some_orders, with_duplicates
from payments.settling_world import a_country, on
from payments.standings import changes, stands

OWN = OwnAccount(OWN_IBAN, "Leerbudget (fictief)")
PAY_DAY = on("2027-02-02")


@pytest.fixture(autouse=True)
async def books_fit(world_db):
    """Whatever a story did, payments and books fit afterwards."""
    yield
    with travelling(PAY_DAY):
        assert [*await check(), *await check_books()] == []


@dataclass
class Stage:
    """One organisation with its payments; entries at the bank that are named after it."""

    tag: str
    organisation: object = None
    references: list[str] = field(default_factory=list)
    payments: list[object] = field(default_factory=list)

    async def asks(self, *amounts):
        """The organisation asks for payments of these amounts."""
        self.organisation = await an_organisation()
        with travelling(TODAY):
            for cents in amounts:
                self.payments.append(new_id())
                self.references.append(
                    await request_top_up(self.payments[-1], self.organisation, cents, None, actor=CLERK)
                )
        return self

    def line(self, name, cents, **said):
        """An entry at the bank."""
        return Line(cents, f"{self.tag}{name}", **said)

    def file(self, number, *lines, **rest):
        """A statement with these entries."""
        return one(*lines, number=f"{self.tag}{number}", **rest)


async def imports(file, refused=None):
    """A statement is imported; if it is wrong, that is said each time."""
    with travelling(PAY_DAY):
        if refused is None:
            await import_statements(file, [OWN_IBAN], actor=None)
            return
        with pytest.raises(refused):
            await import_statements(file, [OWN_IBAN], actor=None)


async def always_ends(events_of, events, stages, expected, at_last=None):
    """Tell each stage its events in another order, with duplicates; each changes just this.

    `events_of(stage)`: what happens, so many `events`, each an async function that can be called again; `at_last(stage)`: what always
    happens after it.
    """
    chance = random.Random(5)  # noqa: S311 - a story, not a secret
    for place, order in enumerate(some_orders(range(events))):
        stage = stages(place)
        stage = stage if isinstance(stage, Stage) else await stage
        events, before = events_of(stage), await stands()
        for event in with_duplicates(order, chance):
            await events[event]()
        if at_last is not None:
            await at_last(stage)
        assert changes(before, await stands()) == expected, order


# --- 9: a bank transfer ---------------------------------------------------------------------------------------------


def transfers(stage):
    """Exact; short, and too much for the rest; over; without a reference but with exactly an open amount; and overlaps."""
    exact, short, over, _ = stage.references
    a, b = stage.line("A", 50_000, structured=exact), stage.line("B", 5_000, note=short)
    c, d = stage.line("C", 3_000, note=short), stage.line("D", 6_400, note=over)
    e = stage.line("E", 8_000, note="storting")
    return [
        partial(imports, stage.file("1", a, b)),
        partial(imports, stage.file("2", c, d)),
        partial(imports, stage.file("3", e)),
        partial(imports, stage.file("4", b, c, e)),
        partial(imports, stage.file("5", d, a)),
    ]


async def test_transfers_in_any_order_are_credited_once():
    """Scenario 9 and overlapping statements of 10: what was asked is in the pot, the rest waits, nothing is guessed."""
    expected = {
        "cents": {"bank": -72_400, "organisation_pot": 63_000, "suspense": 9_400},
        "payments": {"succeeded": 3, "open": -3},
        "tasks": {"not_as_asked 1000": 1, "not_as_asked 400": 1, "unmatched 8000": 1},
        "waiting": {"in": 9_400},
    }
    await always_ends(transfers, 5, lambda n: Stage(f"T{n}").asks(50_000, 7_000, 6_000, 8_000), expected)


# --- 9: confirmed by hand, and on the statement of the same money ----------------------------------------------------


async def confirmed(stage):
    """A colleague saw the money arrive; nothing when the statement was first."""
    with travelling(PAY_DAY):
        try:
            await confirm_top_up(stage.payments[0], TODAY.date(), actor=COLLEAGUE)
        except TopUpEnded:
            assert (await fetch_one("SELECT state FROM payment WHERE id = $1", stage.payments[0]))[
                "state"
            ] == "succeeded"


async def explained(stage):
    """Somebody looks at what waits of this money and says that it was confirmed before."""
    sql = "SELECT id FROM bank_entry WHERE bank_ref LIKE $1 AND state = 'suspense' AND payment IS NOT NULL"
    for row in await fetch_all(sql, f"{stage.tag}%"):
        with travelling(PAY_DAY):
            await known_by_hand(row["id"], "Was al bevestigd", actor=CLERK)


async def withdrawn(stage):
    """The organisation withdraws its other payment, of which nobody knows that it was paid; or it hears that it was."""
    with travelling(PAY_DAY), suppress(TopUpEnded):
        await cancel_top_up(stage.payments[1], actor=CLERK)


def by_hand_and_by_bank(stage):
    """A confirmation, a statement with the same money and one that overlaps, and a withdrawn payment that is paid."""
    money = stage.line("A", 50_000, structured=stage.references[0])
    late = stage.line("B", 7_000, structured=stage.references[1])
    return [
        partial(confirmed, stage),
        partial(imports, stage.file("1", money)),
        partial(imports, stage.file("2", money, late)),
        partial(explained, stage),
        partial(withdrawn, stage),
    ]


async def test_money_that_was_confirmed_by_hand_and_stands_on_a_statement_counts_once():
    """Whoever was first; and what a withdrawn payment brings in is the organisation's."""
    expected = {"cents": {"bank": -57_000, "organisation_pot": 57_000}, "payments": {"succeeded": 2, "open": -2}}
    await always_ends(by_hand_and_by_bank, 5, lambda n: Stage(f"H{n}").asks(50_000, 7_000), expected, at_last=explained)


# --- 10: files that are wrong ---------------------------------------------------------------------------------------


def right_and_wrong_files(stage):
    """A statement, one that overlaps, and the same with an entry removed, with a DTD, and in dollars."""
    money, more = stage.line("A", 50_000, structured=stage.references[0]), stage.line("B", 300, note="wie?")
    dollars = stage.line("C", 50_000, structured=stage.references[0], currency="USD")
    removed = stage.file("4", more, closing=50_300)
    with_dtd = camt(statement(more, number=f"{stage.tag}5"), before="<!DOCTYPE x>")
    return [
        partial(imports, stage.file("1", money)),
        partial(imports, stage.file("2", money, more)),
        partial(imports, stage.file("3", dollars, more), OtherCurrency),
        partial(imports, removed, StatementDoesNotAddUp),
        partial(imports, with_dtd, BankFileDefines),
    ]


async def test_wrong_files_between_right_ones_change_nothing():
    """Scenario 10: twice, overlapping, an entry removed, a DTD, another currency."""
    expected = {
        "cents": {"bank": -50_300, "organisation_pot": 50_000, "suspense": 300},
        "payments": {"succeeded": 1, "open": -1},
        "tasks": {"unmatched 300": 1},
        "waiting": {"in": 300},
    }
    await always_ends(right_and_wrong_files, 5, lambda n: Stage(f"W{n}").asks(50_000), expected)


# --- what goes out --------------------------------------------------------------------------------------------------


@dataclass
class Paid(Stage):
    """A stage with a line of a payout that was approved."""

    line_id: object = None
    cents: int = 0
    message: str = ""

    def says(self, status, reason):
        """The bank's answer about the line."""

        async def told():
            with travelling(PAY_DAY):
                await import_status(status_of(self.message, (self.line_id.hex, status, reason)), actor=None)

        return told

    def booked(self):
        """The debit on a statement."""
        return self.line("OUT", -self.cents, end_to_end=self.line_id.hex, day="2027-02-03")

    def came_back(self, reason="AC04"):
        """The credit by which the payee's bank sends it back."""
        return self.line("BACK", self.cents, end_to_end=self.line_id.hex, returned=reason, day="2027-02-05")


async def approved_lines(tag, subjects):
    """One payout of everything, approved; a stage for the line of each of these subjects, in their order."""
    payout = new_id()
    with travelling(PAY_DAY):
        await draft_payout(payout, actor=CLERK)
        await approve_payout(payout, OWN, actor=COLLEAGUE)
    lines = {row["subject"]: row for row in await fetch_all("SELECT id, subject, amount_cents FROM payout_line")}
    found = [lines[subject] for subject in subjects]
    message = message_id_of(payout)
    return [
        Paid(f"{tag}{n}", line_id=line["id"], cents=line["amount_cents"], message=message)
        for n, line in enumerate(found)
    ]


async def some_refunds(count):
    """Top-ups that came in by bank and of which 3,000 is to go back: the ids of the refunds."""
    stage, refunds = Stage("REF"), [new_id() for _ in range(count)]
    await stage.asks(*[10_000] * count)
    lines = [stage.line(str(n), 10_000, structured=ref) for n, ref in enumerate(stage.references)]
    await imports(stage.file("1", *lines))
    with travelling(PAY_DAY):
        for payment, refund in zip(stage.payments, refunds, strict=True):
            await refund_top_up(payment, 3_000, id=refund, gateways={}, actor=CLERK)
    return refunds


REFUNDS = {
    "paid": (
        lambda stage: [
            stage.says("ACSP", "G000"),
            partial(imports, stage.file("1", stage.booked(), day="2027-02-03")),
            partial(imports, stage.file("2", stage.booked(), stage.line("X", -1), day="2027-02-04")),
        ],
        {
            "cents": {"payout_clearing": -3_000, "bank": 3_001, "suspense": -1},
            "lines": {"approved": -1, "booked": 1},
            "tasks": {"refund_failed 3000": -1, "unmatched 1": 1},
            "waiting": {"out": 1},
        },
    ),
    "refused": (
        lambda stage: [stage.says("ACTC", "G000"), stage.says("RJCT", "AC04"), stage.says("PDNG", "G000")],
        {"cents": {"payout_clearing": -3_000, "refunds_owed": 3_000}, "lines": {"approved": -1, "rejected": 1}},
    ),
}


@pytest.mark.parametrize("name", REFUNDS)
async def test_a_refund_by_bank_in_any_order_is_paid_or_owed(name):
    """Scenario 13 by bank: answers and statements in any order; paid it closes its task, refused it is owed and it stays."""
    events_of, expected = REFUNDS[name]
    stages = await approved_lines("R", await some_refunds(6))
    await always_ends(events_of, 3, stages.__getitem__, expected)


def a_trainer_is_paid_and_it_comes_back(stage):
    """The bank takes it, books it, and the trainer's own bank sends it back; a statement has both."""
    out, back = stage.booked(), stage.came_back()
    return [
        stage.says("ACCP", "G000"),
        partial(imports, stage.file("1", out, day="2027-02-03")),
        partial(imports, stage.file("2", back, day="2027-02-05")),
        partial(imports, stage.file("3", out, back, day="2027-02-05")),
    ]


async def some_trainers(count):
    """Trainers who work for themselves, with an account and € 180,00 each."""
    country = await a_country(families=[1 + count // 5], employers=[None] * count)
    for place, trainer in enumerate(country.trainers):
        await country.pays("2027-01-20", country.families[0][place // 5], place, 18_000)
        with travelling(on("2027-01-21")):
            account = new_id()
            await propose_account(account, trainer, PAYEE_IBAN, "T. Voorbeeld (fictief)", actor=CLERK)
            await confirm_account(account, actor=COLLEAGUE)
    return country.trainers


async def test_a_payout_that_comes_back_is_payable_again_in_any_order():
    """Also when the statement with the return is read before the one with the debit: the trainer has it to receive, once."""
    stages = await approved_lines("P", await some_trainers(24))
    expected = {
        "cents": {"payout_clearing": -18_000, "trainer_payable": 18_000},
        "lines": {"approved": -1, "returned": 1},
    }
    await always_ends(a_trainer_is_paid_and_it_comes_back, 4, stages.__getitem__, expected)
