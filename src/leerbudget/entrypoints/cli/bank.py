"""`leerbudget payments …` for the bank: statements in, payouts out, and what a person must look at."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import click
import msgspec

from leerbudget.entrypoints.cli.files import file_argument, out_argument, whole_file
from leerbudget.entrypoints.cli.values import Line
from leerbudget.entrypoints.cli.with_database import with_database
from leerbudget.foundation.errors import NotFound, SettingsError
from leerbudget.foundation.ids import new_id
from leerbudget.foundation.money import euros
from leerbudget.foundation.settings import Settings
from leerbudget.identity.permissions import PERMISSIONS
from leerbudget.identity.queries import logins
from leerbudget.ledger.rules import REASON_LENGTH
from leerbudget.payments import bank_queries, explaining, payees, payouts, statements
from leerbudget.payments.pain import OwnAccount

Answer = TypeVar("Answer")

BY = click.option("--by", "email", required=True, help="The e-mail address of the login who does this.")


def own_account() -> OwnAccount:
    """The programme's own bank account.

    Raises:
        SettingsError: it is not set.
    """
    settings = Settings.from_environment()
    if settings.bank_iban is None:
        raise SettingsError(message="Zet LEERBUDGET_BANK_IBAN: de bankrekening van het programma.")
    return OwnAccount(settings.bank_iban, settings.bank_holder)


async def person(email: str, verb: str) -> UUID:
    """The login with this address, who may do this to everything.

    Raises:
        NotFound: there is none, or it may not.
    """
    roles = {role for role, relation in PERMISSIONS[verb] if relation == "all"}
    for login in await logins(emails=[email.strip().lower()]):
        if not login.locked and roles & {role for role, _ in login.roles}:
            return login.id
    raise NotFound


def as_person(email: str, verb: str, work: Callable[[UUID], Awaitable[Answer]]) -> Answer:
    """The work's answer, done by the login with this address."""

    async def done() -> Answer:
        return await work(await person(email, verb))

    return with_database(done, role="app")


@click.command("import-camt")
@click.argument("file", type=file_argument)
def import_camt(file: Path) -> None:
    """Import a bank statement (camt.053): all of it, or nothing. The same file again changes nothing."""
    content, own = file.read_bytes(), own_account()
    done = with_database(lambda: statements.import_statements(content, [own.iban], actor=None), role="worker")
    click.echo(f"{done.statements} statements, {done.entries} entries, {done.known} of them known before")
    for state, count in done.placed.items():
        click.echo(f"  {count:6} {state}")
    for iban in done.gaps:
        click.echo(f"  {iban}: does not open where the statement before closed; one may be missing", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, one list.")
def unmatched(*, as_json: bool) -> None:
    """What the bank booked and nobody knows: the entries that a person must look at, the oldest first."""
    found = with_database(bank_queries.unmatched, role="reader")
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for each in found:
        sign = "" if each.direction == "in" else "-"
        said = " · ".join(part for part in (each.party_name, each.note) if part)
        click.echo(f"{each.id}  {each.booked_on}  {sign}{euros(each.suspense_cents):>16}  {said}")
    click.echo(f"{len(found)} waiting", err=True)


@click.command()
@click.argument("entry", type=click.UUID)
@click.option(
    "--payment", "reference", help="It is for the payment with this reference; of money that left: a refund of it."
)
@click.option(
    "--as",
    "what",
    type=click.Choice([*explaining.EXPLANATIONS]),
    help="send-back: for nothing here, the next payout returns it. cost: what the bank takes or gives. "
    "known: it was confirmed by hand before. gateway: a payment company paid us.",
)
@click.option("--reason", type=Line(REASON_LENGTH), required=True, help="Why, for who checks the books.")
@BY
def explain(entry: UUID, *, reference: str | None, what: str | None, reason: str, email: str) -> None:
    """Say what an entry of `leerbudget payments unmatched` is for.

    Raises:
        UsageError: none or both of --payment and --as.
    """
    if (reference is None) is (what is None):
        raise click.UsageError("Give --payment or --as.")

    async def work(actor: UUID) -> None:
        if what is not None:
            await explaining.EXPLANATIONS[what](entry, reason, actor=actor)
        else:
            await explaining.assign_by_reference(entry, str(reference), reason, actor=actor)

    as_person(email, "explain_bank_entry", work)
    click.echo("done")


@click.command("payout-accounts")
def payout_accounts() -> None:
    """The bank accounts of trainers that somebody must confirm, after asking the trainer by another way."""
    found = with_database(bank_queries.unconfirmed_accounts, role="reader")
    for each in found:
        click.echo(f"{each.id}  trainer {each.trainer}  {each.iban}  {each.holder_name}")
    click.echo(f"{len(found)} waiting", err=True)


@click.command("confirm-account")
@click.argument("account", type=click.UUID)
@click.option("--refuse", is_flag=True, help="Do not use it: the one that was confirmed before counts.")
@BY
def confirm_account(account: UUID, *, refuse: bool, email: str) -> None:
    """Confirm the bank account of a trainer, or refuse it. Who gave it cannot confirm it."""
    verb = payees.end_account if refuse else payees.confirm_account
    as_person(email, "confirm_payout_account", lambda actor: verb(account, actor=actor))
    click.echo("refused" if refuse else "confirmed")


@click.command("payout-draft")
@BY
def payout_draft(email: str) -> None:
    """Draft payments of everything that can be paid out now. Somebody else approves."""
    made = new_id()

    async def work(actor: UUID) -> list[bank_queries.LineView]:
        await payouts.draft_payout(made, actor=actor)
        return await bank_queries.lines_of(made)

    lines = as_person(email, "draft_payout", work)
    for line in lines:
        click.echo(f"  {euros(line.amount_cents):>16}  {line.purpose:9}  {line.iban}  {line.payee_name}")
    click.echo(f"drafted: {made} ({len(lines)} payments, {euros(sum(line.amount_cents for line in lines))})")


@click.command("payout-approve")
@click.argument("payout", type=click.UUID)
@BY
def payout_approve(payout: UUID, email: str) -> None:
    """Approve a draft of somebody else: from then on its money is on its way, and its file can be sent."""
    own = own_account()
    as_person(email, "approve_payout", lambda actor: payouts.approve_payout(payout, own, actor=actor))
    click.echo(f"approved: {payout}")


@click.command("payout-cancel")
@click.argument("payout", type=click.UUID)
@BY
def payout_cancel(payout: UUID, email: str) -> None:
    """Drop a draft. What was approved may be at the bank and cannot be dropped."""
    as_person(email, "draft_payout", lambda actor: payouts.cancel_payout(payout, actor=actor))
    click.echo(f"cancelled: {payout}")


@click.command("payouts")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, one list.")
def payouts_(*, as_json: bool) -> None:
    """Every payout, the latest first: what is drafted, under way, paid or came back."""
    found = with_database(bank_queries.payouts, role="reader")
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for each in found:
        told = f"{each.lines} payments, {euros(each.amount_cents)}, under way {euros(each.open_cents)}"
        click.echo(f"{each.id}  {each.state:9}  {told}, {each.rejected} came back")


@click.command("payout-file")
@click.argument("payout", type=click.UUID)
@click.option("--out", type=out_argument, help="Write to this file (default: the screen).")
def payout_file(payout: UUID, *, out: Path | None) -> None:
    """The file of an approved payout for the bank (pain.001). It is the same each time; a bank takes it once."""
    content = with_database(lambda: bank_queries.file_of(payout), role="reader")
    if out is None:
        click.echo(content)
        return
    with whole_file(out) as file:
        file.write(content)
    click.echo(f"{len(content)} bytes in {out}", err=True)


@click.command("import-pain002")
@click.argument("file", type=file_argument)
def import_pain002(file: Path) -> None:
    """Import what the bank says of a payout (pain.002). What it rejects can be paid again."""
    content = file.read_bytes()
    done = with_database(lambda: payouts.import_status(content, actor=None), role="worker")
    click.echo(f"{done.accepted} accepted, {done.rejected} rejected, {done.unchanged} unchanged")


BANK_COMMANDS = (
    *(import_camt, unmatched, explain, payout_accounts, confirm_account),
    *(payout_draft, payout_approve, payout_cancel, payouts_, payout_file, import_pain002),
)
