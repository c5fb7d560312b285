"""`kill -9` between noting what happened, moving money and answering: started again, everything ends as without it."""

import json
from base64 import b64encode
from datetime import timedelta
from functools import partial

import pytest

import world
from faults.dying import ANSWERED, Mortals
from ledger.bookkeeping import CLERK, COLLEAGUE, TODAY, an_organisation
from leerbudget.bookings import actions as bookings
from leerbudget.entrypoints.sandbox import deeds
from leerbudget.entrypoints.sandbox.webhooks import signature
from leerbudget.entrypoints.simulator.faults import AFTER_COMMIT, AT_COMMIT
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import execute, fetch_all, fetch_one
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import check as check_books
from leerbudget.payments.actions import request_top_up
from leerbudget.payments.asking import refund_top_up, start_top_up
from leerbudget.payments.bank_rules import message_id_of
from leerbudget.payments.choosing import SANDBOX_WEBHOOK_SECRET
from leerbudget.payments.inbox import look_at, look_at_messages, receive
from leerbudget.payments.payouts import approve_payout, draft_payout
from leerbudget.payments.queries import check
from leerbudget.payments.statements import import_statements
from payments import test_own_shares as own
from payments.bank_world import OWN_IBAN, Line, one, status_of
from payments.pretend import PretendGateway
from payments.sandbox_server import gateway_to, sandbox_on_a_port
from payments.standings import changes, stands
from payments.test_payouts import OWN

POINTS = {
    "paid": (AT_COMMIT, AFTER_COMMIT, ANSWERED),
    "starting": (AFTER_COMMIT, ANSWERED),
    "refunding": (AFTER_COMMIT, ANSWERED),
    "importing": (AT_COMMIT, AFTER_COMMIT),
    "approving": (AT_COMMIT, AFTER_COMMIT),
}
"""Where the process ends in each case; where nothing is said, after each commit: before one is after the one before it."""
CENTS = 500_000


@pytest.fixture(scope="module")
def mortals():
    """Processes that can be told where to die."""
    found = Mortals()
    yield found
    found.close()


@pytest.fixture(scope="module")
async def served():
    """A made-up Stripe, whose clock is the tests'."""
    async with sandbox_on_a_port() as sandbox:
        sandbox.books.clock = lambda: TODAY
        yield sandbox


class Scene:
    """What is there before the work, made anew for every kill."""

    def __init__(self, served):
        self.served, self.gateway, self.number = served, gateway_to(served), 0

    async def started(self):
        """A top-up at the gateway."""
        self.number += 1
        payment, organisation = new_id(), await an_organisation()
        started = await start_top_up(
            payment, organisation, CENTS, None, gateway=self.gateway, return_url="http://x.test/", actor=CLERK
        )
        return payment, started.gateway_ref

    async def looking(self, *happened):
        """A payment to which something happened at the gateway, with a message about it."""
        payment, ref = await self.started()
        session = self.served.books.get("checkout.session", ref)
        for deed in happened or (partial(deeds.pay, method="ideal"),):
            deed(self.served.books, session)
        await self._hears(ref)
        return {}, payment, ref

    async def _hears(self, ref):
        about = {"object": "checkout.session", "id": ref}
        event = {
            "object": "event",
            "id": f"evt_{new_id().hex}",
            "type": "x",
            "livemode": False,
            "data": {"object": about},
        }
        body = json.dumps(event).encode()
        signed = signature(body, SANDBOX_WEBHOOK_SECRET, int(TODAY.timestamp()))
        await receive({"sandbox": self.gateway}, "sandbox", body, {"stripe-signature": signed})

    async def paid(self):
        """By iDEAL."""
        return (await self.looking())[0]

    async def called_back(self):
        """A debit that was called back, of which nothing was told before."""
        return (await self.looking(deeds.pay_later, deeds.settle, deeds.dispute))[0]

    async def of_a_stranger(self):
        """Money whose metadata name another payment."""

        def renamed(books, session):
            deeds.pay(books, session, "ideal")
            books.get("payment_intent", session["payment_intent"])["metadata"] = {"payment_id": str(new_id())}

        return (await self.looking(renamed))[0]

    async def refund_returned(self):
        """A refund that we asked for and that came back."""
        _, payment, ref = await self.looking()
        await look_at_messages({"sandbox": self.gateway})
        await refund_top_up(payment, 3_000, id=new_id(), gateways={"sandbox": self.gateway}, actor=CLERK)
        intent = self.served.books.get("checkout.session", ref)["payment_intent"]
        (made,) = self.served.books.where("refund", payment_intent=intent)
        deeds.refund_fails(self.served.books, made)
        await self._hears(ref)
        return {}

    async def held(self):
        """A debit that came in 57 days ago."""
        await self.called_back_never()
        await look_at_messages({"sandbox": self.gateway})
        await execute("UPDATE payment SET held_until = $1 WHERE held_until IS NOT NULL AND released_at IS NULL", TODAY)
        return {}

    async def called_back_never(self):
        """A debit that came in."""
        return (await self.looking(deeds.pay_later, deeds.settle))[0]

    async def seated(self):
        """A family that paid its own share of a seat that is kept for it."""
        pretend, session = PretendGateway(), await world.a_session(price_cents=own.PRICE, seats=1)
        request = await own.a_request(await own.a_family(), session)
        await own.asked(pretend, request)
        await own.paid(pretend, request, placed=False)
        return {}

    async def too_late(self):
        """A family that paid its own share after the seat was given up."""
        pretend, session = PretendGateway(), await world.a_session(price_cents=own.PRICE, seats=1)
        request = await own.a_request(await own.a_family(), session)
        await own.asked(pretend, request)
        await bookings.decline(request.id, actor=None)
        await own.paid(pretend, request, placed=False)
        return {}

    async def starting(self):
        """An organisation that wants to pay."""
        return {"payment": new_id(), "organisation": await an_organisation(), "cents": CENTS}

    async def refunding(self):
        """A payment of which something is to go back."""
        payment, ref = await self.started()
        deeds.pay(self.served.books, self.served.books.get("checkout.session", ref), "ideal")
        await look_at(self.gateway, ref)
        return {"payment": payment, "refund": new_id(), "cents": 3_000}

    async def confirming(self):
        """A top-up by bank that a colleague will confirm."""
        payment, _ = await self._asked()
        return {"payment": payment, "day": TODAY.date(), "actor": COLLEAGUE}

    async def _asked(self):
        self.number += 1
        payment = new_id()
        return payment, await request_top_up(payment, await an_organisation(), CENTS, None, actor=CLERK)

    async def importing(self):
        """A statement with money for a top-up, too much by € 4,00, and money of which nobody knows."""
        _, reference = await self._asked()
        known = Line(CENTS + 400, f"K{self.number}", structured=reference)
        return {"file": self._file(one(known, Line(300, f"U{self.number}"), number=str(self.number))), "iban": OWN_IBAN}

    def _file(self, content):
        return b64encode(content).decode()

    async def approving(self):
        """A draft with a refund."""
        payment, reference = await self._asked()
        file = one(Line(CENTS, f"A{self.number}", structured=reference), number=f"A{self.number}")
        await import_statements(file, [OWN_IBAN], actor=None)
        await refund_top_up(payment, 3_000, id=new_id(), gateways={}, actor=CLERK)
        payout = new_id()
        await draft_payout(payout, actor=CLERK)
        return {"payout": payout, "iban": OWN_IBAN, "actor": COLLEAGUE}

    async def refusing(self):
        """A payout that was approved, and that the bank rejects."""
        payout = (await self.approving())["payout"]
        await approve_payout(payout, OWN, actor=COLLEAGUE)
        line = await fetch_one("SELECT id FROM payout_line WHERE payout = $1", payout)
        return {"file": self._file(status_of(message_id_of(payout), (line["id"].hex, "RJCT", "AC04")))}


CASES = {
    "paid": ("look", ("look",), {"gateway_clearing": -CENTS, "organisation_pot": CENTS}),
    "called_back": ("look", ("look",), {}),
    "of_a_stranger": ("look", ("look",), {"gateway_clearing": -CENTS, "suspense": CENTS}),
    "refund_returned": ("look", ("look",), {}),
    "held": ("release", ("release",), {"organisation_held": -CENTS, "organisation_pot": CENTS}),
    "seated": ("place", ("place",), {}),
    "too_late": ("place", ("place",), {"own_payment": -own.OWN, "refunds_owed": own.OWN}),
    "starting": ("start", ("start", "ask again"), {}),
    "refunding": ("refund", ("refund", "ask again"), {"organisation_pot": -3_000, "refunds_owed": 3_000}),
    "confirming": ("confirm", ("confirm",), {"bank": -CENTS, "organisation_pot": CENTS}),
    "importing": ("import", ("import",), {"bank": -CENTS - 700, "organisation_pot": CENTS, "suspense": 700}),
    "approving": ("approve", ("approve",), {"refunds_owed": -3_000, "payout_clearing": 3_000}),
    "refusing": ("status", ("status",), {"payout_clearing": -3_000, "refunds_owed": 3_000}),
}
"""What is done, what people and the worker do once the process is there again, and the cents that move."""


@pytest.mark.parametrize("name", CASES)
async def test_killed_at_every_point_it_ends_as_without(world_db, mortals, served, name):
    """At every passing of every point: started again, the same cents, states, tasks and questions; nothing twice."""
    work, after, cents = CASES[name]
    kills, ends = 0, []
    asked = {"dsn": world_db.dsns.app, "gateway": served.books.address}
    with travelling(TODAY):
        for point in POINTS.get(name, (AFTER_COMMIT,)):
            killed = nth = 1
            while killed:
                scene = Scene(served)
                scene.number = 1_000 * len(ends)
                args, before = await getattr(scene, name)(), await everything(served)
                killed = await mortals.run(work=work, args=args, moment=TODAY, point=point, nth=nth, **asked)
                if killed:
                    later = TODAY + timedelta(minutes=2)
                    for again in after:
                        assert not await mortals.run(work=again, args=args, moment=later, **asked)
                ends.append(changes(before, await everything(served)))
                kills, nth = kills + killed, nth + 1
        assert [*await check(), *await check_books()] == []
    assert ends[-1].get("cents", {}) == cents
    assert [end for end in ends if end != ends[-1]] == []
    assert kills >= 1


async def everything(served):
    """How everything stands here, the questions to gateways, and what the gateway has."""
    found = await stands()
    rows = await fetch_all("SELECT kind || ' ' || state AS what, count(*) AS many FROM payment_attempt GROUP BY 1")
    found["questions"] = type(found["cents"])({row["what"]: row["many"] for row in rows})
    found["gateway"] = type(found["cents"])({kind: len(each) for kind, each in served.books.objects.items()})
    return found


async def test_money_moved_apart_from_its_fact_is_noticed(world_db, mortals, served):
    """Negative control: with noting and moving each by itself, a kill between them loses money, and the check says so."""
    scene, asked = Scene(served), {"dsn": world_db.dsns.app, "gateway": served.books.address, "apart": True}
    troubles, nth, killed = [], 1, True
    with travelling(TODAY):
        while killed and not troubles:
            await scene.looking()
            killed = await mortals.run(work="look", args={}, moment=TODAY, point=AFTER_COMMIT, nth=nth, **asked)
            await mortals.run(work="look", args={}, moment=TODAY, **asked)
            troubles += await check()
            nth += 1
    assert "wat binnenkwam is niet wat werd bijgeschreven" in " ".join(troubles)
