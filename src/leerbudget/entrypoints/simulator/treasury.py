"""What people who handle money do in the year: top-ups come in, statements are read, trainers are paid each month."""

from typing import Final

from leerbudget.entrypoints.demo import filling
from leerbudget.entrypoints.simulator.bank import account_number
from leerbudget.entrypoints.simulator.stage import Stage
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.payments import actions as payments
from leerbudget.payments.bank_queries import file_of, payout_accounts, unmatched
from leerbudget.payments.choosing import EXAMPLE
from leerbudget.payments.explaining import assign_by_reference, from_gateway, send_back
from leerbudget.payments.payees import confirm_account, propose_account
from leerbudget.payments.payouts import approve_payout, draft_payout
from leerbudget.payments.queries import open_tasks
from leerbudget.payments.statements import import_statements

BY_STATEMENT: Final = 0.5
"""Chance that a top-up is seen on the bank's statement, instead of confirmed by a person [guess]."""
READS_AGAIN: Final = 0.2
MISTAKES: Final = 0.03
"""Chance a day that money comes in that is not for us [guess]."""
SERVICE: Final = "Betaaldienst (fictief)"
WEEK_DAYS: Final = 7
ACCOUNTS_ON, PAYOUT_ON = 2, 3
"""Days of the month: trainers without an account give one, and the month that is over is paid."""


async def pay_in(stage: Stage, day: int, payer: str) -> None:
    """An organisation asks for a bank reference and pays; the statement brings it, or somebody else confirms it."""
    top_up = next(each for each in stage.world.top_ups if each.organisation_ref == payer)
    name, email = next((each.name, each.email) for each in stage.world.organisations if each.ref == payer)
    key, organisation, cents = new_id(), stage.ids.organisations[payer], top_up.amount_cents
    actor, cashier = stage.logins[email], stage.logins[filling.CASHIER]
    asked = await stage.desk.ask("asks to top up", payments.request_top_up, key, organisation, cents, None, actor=actor)
    confirm = payments.confirm_top_up
    await stage.desk.must_refuse(
        "confirms its own top-up", "second_person_needed", confirm, key, clock.today(), actor=actor
    )
    if stage.dice.chance(BY_STATEMENT):
        stage.bank.receives(day, cents, name, f"Storting {asked.value}")
    else:
        await stage.desk.ask("confirms a top-up", confirm, key, clock.today(), actor=cashier)
        stage.by_hand_cents += cents
    stage.paid_in_cents += cents
    stage.payers.add(payer)


async def read_statement(stage: Stage, day: int) -> None:
    """The bank's statement of the day is read, and now and then read again."""
    file = stage.bank.statement(day, clock.today())
    if file is None:
        return
    desk, cashier = stage.desk, stage.logins[filling.CASHIER]
    await desk.ask("reads a statement", import_statements, file, [EXAMPLE.iban], actor=cashier)
    if stage.dice.chance(READS_AGAIN):
        again = await desk.ask("reads it again", import_statements, file, [EXAMPLE.iban], actor=cashier)
        if again.done and (again.value.known != again.value.entries or sum(again.value.placed.values())):
            desk.troubles.append(f"the statement of day {day} had an effect the second time")


async def money_moves(stage: Stage, day: int) -> None:
    """Strangers pay us by mistake, and the payment service pays out once a week."""
    stage.till.work()
    if stage.dice.chance(MISTAKES):
        stage.bank.receives(day, stage.dice.between(1, 50_000), "Familie Anders (fictief)", "contributie")
        stage.desk.counts["strangers pay by mistake"] += 1
    if day % WEEK_DAYS == 0:
        cents = stage.till.pay_out(f"po_{day}")
        if cents:
            stage.bank.receives(day + 1, cents, SERVICE, f"po_{day}")


async def work_off(stage: Stage, day: int) -> None:
    """What waits for a person: money that is for nothing goes back, a refund that failed is paid at the bank."""
    desk, cashier = stage.desk, stage.logins[filling.CASHIER]
    for entry in await unmatched():
        if entry.party_name == SERVICE:
            await desk.ask("knows a payout of the service", from_gateway, entry.id, "Betaaldienst", actor=cashier)
        elif entry.direction == "in":
            await desk.ask("sends money back", send_back, entry.id, "Niet voor ons", actor=cashier)
        else:
            said = entry.id, entry.reference or "", "Met de hand terugbetaald"
            await desk.ask("knows a refund paid by hand", assign_by_reference, *said, actor=cashier)
    for task in await open_tasks():
        if task.kind == "refund_failed" and task.id not in stage.paid_by_hand:
            stage.paid_by_hand.add(task.id)
            stage.bank.pays_by_hand(day, task.amount_cents, "Gezin (fictief)", f"Terugbetaling {task.reference}")
            desk.counts["pays a refund by hand"] += 1


async def pay_trainers(stage: Stage, day: int) -> None:
    """At the beginning of a month one draws up what trainers earned, another approves, and the bank gets the order."""
    today = clock.today().day
    if today == ACCOUNTS_ON:
        await _give_accounts(stage)
    if today != PAYOUT_ON:
        return
    key, one, other = new_id(), stage.logins[filling.COORDINATOR], stage.logins[filling.CASHIER]
    desk = stage.desk
    drafted = await desk.ask("drafts a payout", draft_payout, key, actor=one, refusals=("nothing_to_pay",))
    if not drafted.done:
        return
    await desk.must_refuse("approves its own payout", "another_person_needed", approve_payout, key, EXAMPLE, actor=one)
    await desk.ask("approves a payout", approve_payout, key, EXAMPLE, actor=other)
    paid = stage.bank.pays(day, await file_of(key))
    stage.desk.counts["payments to trainers"] += paid
    if paid != drafted.value:
        desk.troubles.append(f"payout {key} has {drafted.value} lines, its file {paid} payments")


async def _give_accounts(stage: Stage) -> None:
    """Who has no account that can be used gives one, and somebody else confirms it."""
    for ref, trainer in sorted(stage.ids.trainers.items()):
        if any(each.confirmed_at for each in await payout_accounts(trainer)):
            continue
        stage.accounts += 1
        key, iban = new_id(), account_number(stage.accounts)
        name = f"Trainer {ref} (fictief)"
        await stage.desk.ask("gives an account", propose_account, key, trainer, iban, name, actor=None)
        await stage.desk.ask("confirms an account", confirm_account, key, actor=stage.logins[filling.CASHIER])
