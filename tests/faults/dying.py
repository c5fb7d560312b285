"""Work about money in processes that end themselves with `kill -9`, at a named point, the nth time they pass it.

One process imports everything once and forks each of them, before it has a connection or an event loop of its own. The
points are those of the simulator's faults, and one more: a gateway did what was asked, and nobody hears its answer.
"""

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
from base64 import b64decode
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

ANSWERED = "the gateway did it, and its answer is not heard"
SECONDS_MAX = 120


class Mortals:
    """The process that forks them."""

    def __init__(self):
        folder = str(Path(__file__).parents[1])
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": folder},
        )

    async def run(self, **request):
        """Have the work done by a process of its own; whether it was killed.

        `work`, its `args`, on the database `dsn`, at the `moment`; `point` and `nth`: where it ends, nowhere without
        them; `apart`: with the steps of noting facts each in a transaction of its own (a negative control).
        """
        return await asyncio.to_thread(self._run, json.dumps(request, default=str))

    def _run(self, request):
        self._process.stdin.write(request.encode() + b"\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        assert code in {0, -signal.SIGKILL}, f"the work itself failed: {code}"
        return code != 0

    def close(self):
        """End it."""
        self._process.stdin.close()
        self._process.wait(SECONDS_MAX)
        self._process.stdout.close()


def serve():
    """Fork a process for each line of standard input; tell how it ended."""
    from leerbudget.entrypoints.simulator import faults
    from leerbudget.payments import asking, inbox, own_shares, payouts, statements, stripe_gateway  # noqa: F401 - not in every fork
    from leerbudget.payments.pain import CreditTransfer, OwnAccount, payment_order
    from payments.bank_world import OWN_IBAN, kept_schemas

    faults._STATEMENTS = ("execute", "copy_records_to_table")  # to die after only reading is to die before
    kept_schemas()
    transfer = CreditTransfer("x", "T. Voorbeeld (fictief)", OWN_IBAN, 1, "x")
    payment_order(OwnAccount(OWN_IBAN, "x"), "x", [transfer], execution_on=date(2027, 2, 2), made_at=datetime.now(UTC))
    asyncio.run(_once_in_vain())
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                asyncio.run(_work(json.loads(line)))
                code = 0
            except BaseException:  # noqa: BLE001 - told, and then the process ends as it would
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


async def _once_in_vain():
    """Stripe's library imports as it goes: let it do so here, and not in every fork."""
    from leerbudget.payments.errors import GatewaySilent
    from leerbudget.payments.gateways import PaymentOrder, RefundOrder

    one = UUID(int=1)
    lapses = datetime.now(UTC) + timedelta(hours=1)
    order = PaymentOrder(one, "top_up", ("ideal",), 5_000, "RF18539007547034", "http://x.test/", lapses)
    nobody = _gateway("http://127.0.0.1:9", None)
    asked = (
        nobody.start(order, key="x"),
        nobody.fetch("cs_test_x"),
        nobody.refund(RefundOrder(one, "cs_test_x", one, 1), key="x"),
    )
    for each in asked:
        with suppress(GatewaySilent):
            await each


async def _work(request):
    from leerbudget.entrypoints.simulator.faults import Faults
    from leerbudget.foundation.clock import travelling
    from leerbudget.foundation.database import close_pool, open_pool
    from leerbudget.payments import facts

    class Dying(Faults):
        """Ends the process at one passing of one point."""

        def __init__(self):
            self.passed = 0

        def strikes(self, here):
            """Not when it says no."""
            self.passed += here == request.get("point")
            if here == request.get("point") and self.passed == request["nth"]:
                os.kill(os.getpid(), signal.SIGKILL)
            return False

    dying = Dying()
    if request.get("apart"):
        facts.together = _each_by_itself
    await open_pool(request["dsn"], size=1)
    try:
        with travelling(datetime.fromisoformat(request["moment"])), dying.in_the_pool():
            await WORKS[request["work"]](_gateway(request["gateway"], dying), **request["args"])
    finally:
        await close_pool()


@asynccontextmanager
async def _each_by_itself():
    with nullcontext():
        yield


def _gateway(address, dying):
    if address is None:
        return None
    from leerbudget.payments.choosing import SANDBOX_KEY, SANDBOX_WEBHOOK_SECRET
    from leerbudget.payments.stripe_gateway import StripeGateway

    class Answering(StripeGateway):
        """Answers nobody, when it strikes."""

        async def start(self, order, *, key):
            """Ask for money."""
            return self._then(await super().start(order, key=key))

        async def fetch(self, gateway_ref):
            """Look."""
            return self._then(await super().fetch(gateway_ref))

        async def refund(self, order, *, key):
            """Give money back."""
            return self._then(await super().refund(order, key=key))

        def _then(self, answer):
            dying.strikes(ANSWERED)
            return answer

    return Answering(
        SANDBOX_KEY, (SANDBOX_WEBHOOK_SECRET,), name="sandbox", environment="test", api_base=address, retries=0
    )


# --- the work: as the worker, the command and the pages do it --------------------------------------------------------


async def _look(gateway):
    from leerbudget.payments.inbox import look_at_messages

    await look_at_messages({"sandbox": gateway})


async def _start(gateway, payment, organisation, cents):
    from leerbudget.payments.asking import start_top_up

    where = "https://leerbudget.example/terug"
    await start_top_up(UUID(payment), UUID(organisation), cents, None, gateway=gateway, return_url=where, actor=None)


async def _refund(gateway, payment, refund, cents):
    from leerbudget.payments.asking import refund_top_up

    await refund_top_up(UUID(payment), cents, id=UUID(refund), gateways={"sandbox": gateway}, actor=None)


async def _ask_again(gateway, **_):
    from leerbudget.payments.asking import ask_again

    await ask_again({"sandbox": gateway})


async def _release(_):
    from leerbudget.payments.receivables import release_held

    await release_held()


async def _place(_):
    from leerbudget.payments.own_shares import place_all

    await place_all()


async def _confirm(_, payment, day, actor):
    from leerbudget.payments.actions import confirm_top_up

    await confirm_top_up(UUID(payment), date.fromisoformat(day), actor=UUID(actor))


async def _import(_, file, iban):
    from leerbudget.payments.statements import import_statements

    await import_statements(b64decode(file), [iban], actor=None)


async def _approve(_, payout, iban, actor):
    from leerbudget.payments.pain import OwnAccount
    from leerbudget.payments.payouts import approve_payout

    await approve_payout(UUID(payout), OwnAccount(iban, "Leerbudget (fictief)"), actor=UUID(actor))


async def _status(_, file):
    from leerbudget.payments.payouts import import_status

    await import_status(b64decode(file), actor=None)


WORKS = {
    "look": _look,
    "start": _start,
    "refund": _refund,
    "ask again": _ask_again,
    "release": _release,
    "place": _place,
    "confirm": _confirm,
    "import": _import,
    "approve": _approve,
    "status": _status,
}

if __name__ == "__main__":
    serve()
