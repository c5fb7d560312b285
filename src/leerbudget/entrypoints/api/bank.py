"""The bank account of the programme: statements in, what nobody expected, and tasks about money."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from leerbudget.entrypoints.api.types import CLEAN_LINE, Answer, Body, Instant, ShortText, told
from leerbudget.entrypoints.http.guards import requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import InvalidInput
from leerbudget.payments import bank_queries, desk, explaining, queries, tasks
from leerbudget.payments.bank_errors import NoOwnAccount
from leerbudget.payments.choosing import own_account
from leerbudget.payments.iso20022 import BANK_FILE_BYTES_MAX
from leerbudget.payments.pain import OwnAccount
from leerbudget.payments.statements import import_statements

FILE_BODY_BYTES_MAX = 2 * BANK_FILE_BYTES_MAX
"""A file as a JSON string: its quotes and line ends take two signs."""

BankFile = Annotated[
    str, Meta(min_length=1, max_length=BANK_FILE_BYTES_MAX, description="The XML file of the bank, as text.")
]
TopUpReference = Annotated[
    str, Meta(min_length=1, max_length=40, pattern=CLEAN_LINE, description="The ISO 11649 reference of a top-up.")
]


class BankFileOrder(Body, frozen=True, kw_only=True):
    """A file of the bank."""

    file: BankFile


class StatementsTold(Answer, frozen=True, kw_only=True):
    """What an import did: how many of the entries were known before, how many went where, how many wait.

    `gaps`: accounts whose statement does not open where the one before closed; one may be missing.
    """

    statements: int
    entries: int
    known: int
    placed: int
    waiting: int
    gaps: list[str]


class BankStatementTold(Answer, frozen=True, kw_only=True):
    """A statement that was imported: `entries` first seen in it, `waiting` of them for a person."""

    id: UUID
    iban: str
    number: str
    opening_cents: int
    closing_cents: int
    closing_on: date
    imported_at: Instant
    entries: int
    waiting: int


class BankStatements(Answer, frozen=True, kw_only=True):
    """Statements, the last imported first."""

    items: list[BankStatementTold]


class BankEntry(Answer, frozen=True, kw_only=True):
    """Money that the bank booked and nobody knows. `suspense_cents`: how much of it waits; `note`: what was written along."""

    id: UUID
    bank_ref: str
    direction: Literal["in", "out"]
    amount_cents: int
    suspense_cents: int
    booked_on: date
    party_name: str | None
    party_iban: str | None
    note: str | None
    reference: str | None
    return_reason: str | None


class BankEntries(Answer, frozen=True, kw_only=True):
    """The entries that a person must look at, the oldest first."""

    items: list[BankEntry]


class BankEntryExplanation(Body, frozen=True, kw_only=True):
    """What an entry is for, and why somebody knows.

    `what`: `payment` (then `reference` names it: what came in is for it, what left is a refund of it), `send-back` (the
    next payout returns it), `cost` (what the bank takes or gives), `known` (confirmed by hand before), `gateway` (a
    payment company paid us).
    """

    what: Literal["payment", "send-back", "cost", "known", "gateway"]
    reason: ShortText
    reference: TopUpReference | None = None


class BankEntryTold(Answer, frozen=True, kw_only=True):
    """An entry, and how it stands now."""

    id: UUID
    state: str
    suspense_cents: int
    reason: str | None


class FinanceTask(Answer, frozen=True, kw_only=True):
    """Something about money that a person must look at; `subject` names it at the bank or the payment service.

    `contacts`: the parents of a family that paid itself, with their addresses.
    """

    id: UUID
    kind: str
    subject: str
    amount_cents: int
    opened_at: Instant
    reference: str | None
    organisation_name: str | None
    closed_at: Instant | None
    outcome: str | None
    contacts: list[str]


class FinanceTasks(Answer, frozen=True, kw_only=True):
    """Open tasks, the oldest first."""

    items: list[FinanceTask]


class OutcomeOrder(Body, frozen=True, kw_only=True):
    """What was done about a task."""

    outcome: ShortText


class BankController(Controller):
    """Statements and their entries."""

    path = "/bank"
    tags = ("finance",)

    @get(
        "/statements",
        guards=[requires("see_bank")],
        summary="Bank statements that were imported",
        operation_id="listBankStatements",
    )
    async def statements(self) -> BankStatements:
        """The last fifty."""
        return BankStatements(items=[told(BankStatementTold, each) for each in await desk.statements()])

    @post(
        "/statements",
        guards=[requires("import_bank_file")],
        request_max_body_size=FILE_BODY_BYTES_MAX,
        summary="Import a bank statement (camt.053)",
        operation_id="importBankStatements",
    )
    async def take_in(self, request: HouseRequest, data: JSONBody[BankFileOrder]) -> StatementsTold:
        """All of it, or nothing. The same file again changes nothing."""
        own, file, login = own_of(request), data.file.encode(), request.actor.login
        done = await again(lambda: import_statements(file, [own.iban], actor=login))
        waiting = done.placed["suspense"]
        return StatementsTold(
            statements=done.statements,
            entries=done.entries,
            known=done.known,
            placed=sum(done.placed.values()) - waiting,
            waiting=waiting,
            gaps=list(done.gaps),
        )

    @get(
        "/entries",
        guards=[requires("see_bank")],
        summary="Money of which nobody knows what it is for",
        operation_id="listBankEntries",
    )
    async def entries(self) -> BankEntries:
        """It waits in suspense until somebody says."""
        return BankEntries(items=[told(BankEntry, each) for each in await bank_queries.unmatched()])

    @put(
        "/entries/{entry_id:uuid}/explanation",
        guards=[requires("explain_bank_entry")],
        summary="Say what an entry is for",
        operation_id="explainBankEntry",
    )
    async def explain(
        self, request: HouseRequest, entry_id: FromPath[UUID], data: JSONBody[BankEntryExplanation]
    ) -> BankEntryTold:
        """With a reason, for who checks the books. Again has no effect."""
        if (data.reference is None) is (data.what == "payment"):
            message = "Noem een kenmerk als het een storting is, en anders geen."
            raise InvalidInput(errors=[{"path": "reference", "message": message}])
        login, reference = request.actor.login, data.reference
        if reference is not None:
            await again(
                lambda: explaining.assign_by_reference(entry_id, reference, data.reason, actor=login),
            )
        else:
            await again(lambda: explaining.EXPLANATIONS[data.what](entry_id, data.reason, actor=login))
        return told(BankEntryTold, await desk.entry(entry_id))


class FinanceTaskController(Controller):
    """What a person must look at."""

    path = "/finance-tasks"
    tags = ("finance",)
    guards = (requires("handle_finance_tasks"),)

    @get(summary="Open tasks about money", operation_id="listFinanceTasks")
    async def listed(self) -> FinanceTasks:
        """Paid otherwise than asked, called back, books that differ, and the like."""
        return FinanceTasks(items=[told(FinanceTask, each) for each in await queries.open_tasks()])

    @put("/{task_id:uuid}/outcome", summary="Close a task about money", operation_id="closeFinanceTask")
    async def close(self, request: HouseRequest, task_id: FromPath[UUID], data: JSONBody[OutcomeOrder]) -> FinanceTask:
        """Say what was done; it moves no money. The same again has no effect."""
        login = request.actor.login
        await again(lambda: tasks.close_task(task_id, data.outcome, actor=login))
        return told(FinanceTask, await queries.task(task_id))


def own_of(request: HouseRequest) -> OwnAccount:
    """The programme's own bank account.

    Raises:
        NoOwnAccount: it is not set.
    """
    own = own_account(request.app.state.settings)
    if own is None:
        raise NoOwnAccount
    return own
