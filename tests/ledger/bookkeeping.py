"""Builders for the money rooms, and a small language in which a bookkeeper can read a test.

A line is one event (`grant brood 25000 themes=trauma`); a balance sheet is a text table, one line an account.
Everything and everyone here is fictional (fictief).
"""

import shlex
from datetime import UTC, date, datetime
from uuid import UUID

import world
from leerbudget.budgets.actions import expire_due, give_back, grant, hold, lower, settle
from leerbudget.budgets.policies import add_policy, grant_by_policy, join_cohort
from leerbudget.budgets.rules import GrantOrder, PolicyOrder
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.database import execute
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.actions import account_of
from leerbudget.ledger.queries import balances
from leerbudget.payments.actions import confirm_top_up, request_top_up
from leerbudget.payments.bank_queries import lines_of, payouts
from leerbudget.payments.bank_rules import message_id_of
from leerbudget.payments.pain import OwnAccount
from leerbudget.payments.payees import confirm_account, propose_account
from leerbudget.payments.payouts import approve_payout, draft_payout, import_status
from leerbudget.payments.settling import settle_months
from leerbudget.payments.statements import import_statements
from leerbudget.trainers.employers import work_for
from payments.bank_world import OWN_IBAN, Line, one, rejecting

STARTS = date(2027, 1, 1)
ENDS = date(2027, 12, 31)
TODAY = datetime(2027, 1, 15, 12, tzinfo=UTC)
FIRST_MEETING = date(2027, 3, 1)
CLERK, COLLEAGUE = new_id(), new_id()
PAYEE_IBAN = "NL30MOCK0000000005"


async def an_organisation(region="Utrecht"):
    """A fictional foster-care provider."""
    made = new_id()
    await execute(
        "INSERT INTO organisation (id, external_ref, name, kind, region, email, created_at)"
        " VALUES ($1, $2, 'Pleegzorg Voorbeeld (fictief)', 'provider', $3, 'geld@voorbeeld.example', $4)",
        made,
        f"org-{made}",
        region,
        TODAY,
    )
    return made


async def a_family(organisation):
    """A fictional foster family, guided by the organisation."""
    return (await some_families(organisation, 1))[0]


async def some_families(organisation, number):
    """Fictional families, in one statement."""
    made = [new_id() for _ in range(number)]
    await execute(
        "INSERT INTO family (id, external_ref, label, organisation, postcode4, family_type, care_forms,"
        " child_age_bands, first_placement_on, created_at)"
        " SELECT id, 'fam-' || id, 'Gezin (fictief)', $2, '3511', 'recruited', '{full_time_long}', '{a4_8}', $3, $4"
        " FROM unnest($1::uuid[]) AS wanted(id)",
        made,
        organisation,
        date(2020, 5, 1),
        TODAY,
    )
    return made


async def top_up(organisation, cents):
    """Money arrives in the organisation's pot: one asks, a colleague confirms."""
    made = new_id()
    with travelling(TODAY):
        await request_top_up(made, organisation, cents, None, actor=CLERK)
        await confirm_top_up(made, TODAY.date(), actor=COLLEAGUE)
    return made


def a_grant(family, organisation, cents, **changes):
    """A grant for 2027 on everything, unless told otherwise."""
    made = new_id()
    fields = {"id": made, "external_ref": f"lb-{made}", "starts_on": STARTS, "expires_on": ENDS} | changes
    return GrantOrder(family=family, organisation=organisation, amount_cents=cents, **fields)


async def a_payee():
    """The account of a fictional trainer who is paid."""
    return await account_of("trainer_payable", new_id(), constrained=False)


async def a_shared_budget(cents, *more):
    """A family with budgets of these amounts: (family, budget ids, payee account)."""
    organisation = await an_organisation()
    await top_up(organisation, max(5_000, sum((cents, *more))))
    family = await a_family(organisation)
    budgets = [await grant(a_grant(family, organisation, amount), actor=CLERK) for amount in (cents, *more)]
    return family, budgets, await a_payee()


async def hold_once(family, payee, cents, purpose=None):
    """One carer's hold for a session about trauma."""
    with travelling(TODAY):
        return await hold(
            purpose or new_id(),
            family,
            cents,
            theme="trauma",
            form="group_training",
            on=FIRST_MEETING,
            payee_account=payee,
            actor=CLERK,
        )


class Books:
    """One organisation, one family, one trainer; events by line, balances as a table."""

    def __init__(self):
        self.moment = TODAY
        self.accounts: dict[str, UUID] = {}
        self.purposes: dict[str, UUID] = {}
        self.policies: dict[str, UUID] = {}

    async def open(self):
        """Set the stage."""
        self.organisation = await an_organisation()
        self.family = await a_family(self.organisation)
        self.accounts["bank"] = await account_of("bank", None, constrained=False)
        self.accounts["pot"] = await account_of("organisation_pot", self.organisation, constrained=True)
        self.accounts["trainer"] = await a_payee()
        return self

    async def happens(self, events):
        """Play the events, one a line; the last one's answer."""
        answer = None
        for line in filter(None, map(str.strip, events.splitlines())):
            verb, *words = shlex.split(line)
            plain = [word for word in words if "=" not in word]
            options = dict(word.split("=", 1) for word in words if "=" in word)
            with travelling(self.moment):
                answer = await getattr(self, f"_{verb.replace('-', '_')}")(*plain, **options)
        return answer

    async def _top_up(self, cents):
        await top_up(self.organisation, int(cents))

    async def _grant(self, name, cents, themes=None, forms=None, until="2027-12-31"):
        earmarks = {
            "themes": tuple(themes.split(",")) if themes else None,
            "forms": tuple(forms.split(",")) if forms else None,
        }
        order = a_grant(self.family, self.organisation, int(cents), expires_on=date.fromisoformat(until), **earmarks)
        self.accounts[name] = await grant(order, actor=CLERK)

    async def _policy(self, name, cents, **rule):
        order = PolicyOrder(
            id=new_id(),
            organisation=self.organisation,
            name=name,
            amount_cents=int(cents),
            per="family",
            starts_on=date.fromisoformat(rule["from"]),
            ends_on=date.fromisoformat(rule["until"]),
            carry_cents_max=int(rule["carry"]) if "carry" in rule else None,
            carry_percent_max=int(rule["percent"]) if "percent" in rule else None,
            follows=self.policies.get(rule.get("follows")),
        )
        self.policies[name] = order.id
        await add_policy(order, actor=CLERK)
        await join_cohort(order.id, self.organisation, [self.family], actor=CLERK)
        (self.accounts[name],) = (await grant_by_policy(new_id(), order.id, self.organisation, actor=CLERK)).budgets

    async def _hold(self, purpose, cents, theme="trauma", form="group_training", on="2027-03-01"):
        made = self.purposes.setdefault(purpose, new_id())
        return await hold(
            made,
            self.family,
            int(cents),
            theme=theme,
            form=form,
            on=date.fromisoformat(on),
            payee_account=self.accounts["trainer"],
            actor=CLERK,
        )

    async def _settle(self, purpose, cents):
        return await settle(self.purposes[purpose], int(cents), actor=CLERK, reason="Afgerekend")

    async def _lower(self, name, cents):
        await lower(self.accounts[name], int(cents), lowering=new_id(), actor=CLERK, reason="Afspraak gewijzigd")

    async def _employ(self):
        """The trainer joins the pool, and works for another organisation."""
        host = await an_organisation()
        trainer, _ = await world.a_trainer()
        await work_for({trainer: host}, actor=CLERK)
        self.accounts["trainer"] = await account_of("trainer_payable", trainer, constrained=False)
        self.accounts["gastheer"] = await account_of("organisation_pot", host, constrained=True)

    async def _for_oneself(self):
        """The trainer joins the pool, works for nobody else, and has a bank account."""
        trainer, _ = await world.a_trainer()
        self.accounts["trainer"] = await account_of("trainer_payable", trainer, constrained=False)
        self.accounts["onderweg"] = await account_of("payout_clearing", None, constrained=False)
        account = new_id()
        await propose_account(account, trainer, PAYEE_IBAN, "T. Voorbeeld (fictief)", actor=CLERK)
        await confirm_account(account, actor=COLLEAGUE)

    async def _pay_out(self):
        made = new_id()
        await draft_payout(made, actor=CLERK)
        await approve_payout(made, OwnAccount(OWN_IBAN, "Leerbudget (fictief)"), actor=COLLEAGUE)

    async def _bank_rejects(self):
        """The bank refuses every payment of the last payout."""
        last = (await payouts())[0]
        await import_status(rejecting(message_id_of(last.id)), actor=None)

    async def _bank_pays(self):
        """The statement shows every payment of the last payout."""
        day = self.moment.date().isoformat()
        lines = await lines_of((await payouts())[0].id)
        entries = [
            Line(-line.amount_cents, f"OUT-{line.id.hex[:20]}", end_to_end=line.id.hex, day=day) for line in lines
        ]
        await import_statements(one(*entries, day=day), [OWN_IBAN], actor=None)

    async def _settle_months(self):
        await settle_months(actor=None)

    async def _give_back(self, purpose):
        await give_back({self.purposes[purpose]: 10**9}, actor=CLERK, reason="Terug")

    async def _clock(self, day):
        self.moment = datetime.fromisoformat(f"{day}T12:00+00:00")

    async def _expire(self):
        return await expire_due(actor=None)

    async def shows(self, sheet):
        """Compare the balances with a table: account, in minus out, held, free."""
        found = await balances(self.accounts.values())
        lines = [line.split() for line in sheet.splitlines() if line.strip()]
        assert lines[0] == ["account", "posted", "held", "free"]
        told = {name: tuple(map(int, numbers)) for name, *numbers in lines[1:]}
        shown = {
            name: (found[id_].posted_cents, found[id_].pending_cents, found[id_].free_cents)
            for name, id_ in self.accounts.items()
            if name in told
        }
        assert shown == told

    def named(self, parts):
        """Shares by the budgets' names."""
        names = {id_: name for name, id_ in self.accounts.items()}
        return {names[part.budget]: part.amount_cents for part in parts}
