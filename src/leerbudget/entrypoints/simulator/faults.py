"""Faults at named points, by seed: a process that dies, a connection that is cut off, a mail server that refuses.

They happen where the house meets PostgreSQL, the mail server and the payment service, so every action meets them. The connections of
the pool are wrapped; nothing in the house knows of it. Statements run one by one, so the same seed meets the same faults.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import asyncpg

from leerbudget.fictional.dice import Dice
from leerbudget.foundation.database import DB
from leerbudget.notifications.delivery import Delivery
from leerbudget.notifications.errors import DeliveryFailed
from leerbudget.notifications.rules import Letter

SHARES: Final[dict[str, float]] = {
    "no connection is free": 0.002,
    "the server ends the connection before a statement": 0.002,
    "the server ends the connection at the commit": 0.004,
    "the process dies after the commit, before the answer": 0.008,
    "the mail server refuses": 0.04,
    "the worker dies after the mail server accepted": 0.03,
    "the payment service does not answer": 0.03,
    "the payment service's answer gets lost": 0.03,
    "the payment service's message gets lost": 0.1,
}
"""Point → how often, each time it is passed."""
NO_CONNECTION, AT_STATEMENT, AT_COMMIT, AFTER_COMMIT, MAIL_REFUSED, MAIL_ACCEPTED, *_REST = SHARES
SERVICE_SILENT, SERVICE_UNHEARD, MESSAGE_LOST = _REST
END_MILLISECONDS_MAX = 5_000

_STATEMENTS = ("fetch", "fetchrow", "fetchval", "execute", "copy_records_to_table")


class Crashed(BaseException):
    """The process that did the work ends here; nobody hears an answer."""


class Faults:
    """Decides by seed at which passing of a point a fault happens. Outside `happening` none does.

    Args:
        dice: the chance.
        dsn: for the connection that ends other connections.
        wanted: False lets nothing happen at all.
    """

    def __init__(self, dice: Dice, dsn: str, *, wanted: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._dice, self._dsn, self._wanted, self._on = dice, dsn, wanted, False

    def strikes(self, point: str) -> bool:
        """Whether the fault of this point happens now."""
        if not self._on or not self._dice.chance(SHARES[point]):
            return False
        self.counts[point] += 1
        return True

    @contextmanager
    def happening(self) -> Iterator[None]:
        """Within the block faults happen."""
        before, self._on = self._on, self._wanted
        try:
            yield
        finally:
            self._on = before

    @contextmanager
    def in_the_pool(self) -> Iterator[None]:
        """Within the block every connection of the open pool can fail."""
        whole: Any = DB.pool
        broken: Any = _Pool(whole, self)
        DB.pool = broken
        try:
            yield
        finally:
            DB.pool = whole

    async def end(self, connection: Any) -> None:
        """Have the server end a connection, as a restart would, and wait until this end has noticed.

        When the news arrives is chance: a pool that has not heard it yet would hand the dead connection out again.
        """
        other = await asyncpg.connect(self._dsn)
        try:
            await other.fetchval(
                "SELECT pg_terminate_backend($1, $2)", connection.get_server_pid(), END_MILLISECONDS_MAX
            )
        finally:
            await other.close()
        async with asyncio.timeout(END_MILLISECONDS_MAX / 1000):
            while not connection.is_closed():  # noqa: ASYNC110 - the driver tells nobody
                await asyncio.sleep(0.001)


class _Pool:
    """A pool whose connections can fail."""

    def __init__(self, whole: Any, faults: Faults) -> None:
        self._whole, self._faults = whole, faults

    async def acquire(self, *, timeout: float) -> Any:  # noqa: ASYNC109 - as asyncpg has it
        if self._faults.strikes(NO_CONNECTION):
            raise TimeoutError
        return _Connection(await self._whole.acquire(timeout=timeout), self._faults)

    async def release(self, connection: Any) -> None:
        await self._whole.release(connection.whole)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


class _Connection:
    """A connection that can end before a statement, and whose answer can get lost."""

    def __init__(self, whole: Any, faults: Faults) -> None:
        self.whole, self.faults = whole, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.whole, name)
        return self._breakable(found) if name in _STATEMENTS else found

    def _breakable(self, statement: Any) -> Any:
        async def run(*args: Any, **options: Any) -> Any:
            alone = not self.whole.is_in_transaction()
            if self.faults.strikes(AT_STATEMENT):
                await self.faults.end(self.whole)
            answer = await statement(*args, **options)
            if alone and self.faults.strikes(AFTER_COMMIT):
                raise Crashed(AFTER_COMMIT)
            return answer

        return run

    def transaction(self, **options: Any) -> Any:
        inner = self.whole.is_in_transaction()
        transaction = self.whole.transaction(**options)
        return transaction if inner else _Transaction(transaction, self)


class _Transaction:
    """A transaction that can fail at the commit, and whose answer can get lost."""

    def __init__(self, whole: Any, connection: _Connection) -> None:
        self._whole, self._connection = whole, connection

    async def start(self) -> None:
        await self._whole.start()

    async def commit(self) -> None:
        faults = self._connection.faults
        if faults.strikes(AT_COMMIT):
            await faults.end(self._connection.whole)
        await self._whole.commit()
        if faults.strikes(AFTER_COMMIT):
            raise Crashed(AFTER_COMMIT)

    async def rollback(self) -> None:
        await self._whole.rollback()


class Post:
    """The mail server: keeps how often each Message-ID was handed over, and fails now and then."""

    def __init__(self, delivery: Delivery, faults: Faults) -> None:
        """`delivery`: where the letters go."""
        self.handed: Counter[str] = Counter()
        self.again: set[str] = set()
        self._delivery, self._faults = delivery, faults

    async def deliver(self, letter: Letter) -> None:
        """Hand a letter over.

        Raises:
            DeliveryFailed: refused this time.
            Crashed: accepted, but the worker does not live to write that down.
        """
        if self._faults.strikes(MAIL_REFUSED):
            raise DeliveryFailed(reason="451 later opnieuw (nagebootst)")
        await self._delivery.deliver(letter)
        self.handed[letter.message_id] += 1
        if self._faults.strikes(MAIL_ACCEPTED):
            self.again.add(letter.message_id)
            raise Crashed(MAIL_ACCEPTED)
