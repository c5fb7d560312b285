"""Columns and named constraints of payments: what was asked, what happened, and what a person must look at."""

from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.bookings.tables import Booking
from leerbudget.foundation.columns import cents, day, foreign, identifier, key, moment, one_of, text, whole, words
from leerbudget.foundation.database import DB
from leerbudget.payments.gateways import FACT_KINDS
from leerbudget.payments.rules import ATTEMPT_KINDS, ATTEMPT_STATES, GATEWAYS, PAYMENT_STATES, TASK_KINDS
from leerbudget.people.tables import Organisation


class Payment(Table, db=DB, tablename="payment"):
    """Money that comes in through one gateway, under an ISO 11649 reference.

    An organisation fills its pot, or a family pays the part of a booking that no budget pays; after money that came too
    late, `booking` is the one that got the seat after all. `state` is recomputed from what happened (`payment_fact`). `received_cents`: what was credited so far;
    `refunded_cents`: what is to go back, or went. `gateway_ref`: the gateway's id, once it knows the payment.
    `return_url`: where the payer comes back, said again word for word when the gateway is asked again.
    `confirmed_by`: who saw the transfer arrive by hand. `held_until`: a direct debit can be called back till then,
    so it waits outside the pot; `released_at`: when it went there.
    """

    id = key()
    organisation = foreign(Organisation, optional=True)
    booking = foreign(Booking, optional=True, index=False)
    gateway = text(20)
    gateway_ref = text(255, optional=True)
    pay_url = text(2000, optional=True)
    return_url = text(500, optional=True)
    methods = words()
    amount_cents = cents()
    reference = text(25)
    purchase_order = text(60, optional=True)
    state = text(20)
    received_cents = cents(default=0)
    refunded_cents = cents(default=0)
    requested_at = moment()
    requested_by = identifier(optional=True)
    lapses_at = moment(optional=True)
    cancelled_at = moment(optional=True)
    received_on = day(optional=True)
    confirmed_at = moment(optional=True)
    confirmed_by = identifier(optional=True)
    held_until = moment(optional=True)
    released_at = moment(optional=True)

    payment_reference_once = Unique([reference])
    one_payment_per_gateway_ref = Unique([gateway, gateway_ref])
    payment_state_is_known = Check(one_of("state", PAYMENT_STATES))
    payment_gateway_is_known = Check(one_of("gateway", GATEWAYS))
    one_payment_per_booking = Unique([booking])
    payment_is_for_one_thing = Check("num_nonnulls(organisation, booking) = 1")
    top_up_within_bounds = Check("amount_cents BETWEEN CASE WHEN booking IS NULL THEN 5000 ELSE 50 END AND 25000000000")
    four_eyes = Check("confirmed_by IS NULL OR requested_by IS NULL OR confirmed_by <> requested_by")
    confirmed_payment_has_arrived = Check("confirmed_at IS NULL OR received_on IS NOT NULL")
    received_within_amount = Check("received_cents BETWEEN 0 AND amount_cents")
    refunded_within_received = Check("refunded_cents BETWEEN 0 AND received_cents")
    only_held_money_is_released = Check("released_at IS NULL OR held_until IS NOT NULL")


class PaymentFact(Table, db=DB, tablename="payment_fact"):
    """Something that happened to the money of a payment (`gateways.MoneyFact`). Never changed."""

    id = key()
    payment = foreign(Payment)
    gateway = text(20)
    key = text(160)
    kind = text(20)
    money_ref = text(120)
    amount_cents = cents()
    currency = text(3)
    method = text(20, optional=True)
    happened_at = moment()
    noted_at = moment()
    noted_by = identifier(optional=True)

    fact_once = Unique([gateway, key])
    fact_kind_is_known = Check(one_of("kind", FACT_KINDS))
    fact_amount_not_negative = Check("amount_cents >= 0")


class PaymentAttempt(Table, db=DB, tablename="payment_attempt"):
    """A question to a gateway, written before it is asked: the id is its idempotency key.

    `done` and `refused` are final; `asked` is also what nobody answered, and is asked again with the same key.
    """

    id = key()
    payment = foreign(Payment)
    kind = text(10)
    amount_cents = cents()
    state = text(10)
    answer = text(255, optional=True)
    asked_at = moment()
    asked_by = identifier(optional=True)
    tried_at = moment()
    ended_at = moment(optional=True)

    attempt_kind_is_known = Check(one_of("kind", ATTEMPT_KINDS))
    attempt_state_is_known = Check(one_of("state", ATTEMPT_STATES))
    attempt_amount_is_positive = Check("amount_cents > 0")
    only_ended_attempts_have_ended = Check("(state = 'asked') = (ended_at IS NULL)")


class PaymentEvent(Table, db=DB, tablename="payment_event"):
    """A genuine message of a gateway: look at this payment. What else it says is not kept."""

    id = key()
    gateway = text(20)
    event_id = text(255)
    kind = text(100)
    gateway_ref = text(255, optional=True)
    received_at = moment()
    looked_at = moment(optional=True)
    tries = whole(default=0)
    try_after = moment()
    fault = text(200, optional=True)

    event_once = Unique([gateway, event_id])


class FinanceTask(Table, db=DB, tablename="finance_task"):
    """Something about money that a person must look at; `subject` names it, once per kind."""

    id = key()
    kind = text(30)
    subject = text(200)
    payment = foreign(Payment, optional=True)
    amount_cents = cents()
    opened_at = moment()
    closed_at = moment(optional=True)
    closed_by = identifier(optional=True)
    outcome = text(200, optional=True)

    task_once = Unique([kind, subject])
    task_kind_is_known = Check(one_of("kind", TASK_KINDS))
    closed_task_has_an_outcome = Check("(closed_at IS NULL) = (outcome IS NULL)")


class PayerTrust(Table, db=DB, tablename="payer_trust"):
    """An organisation whose direct debits count at once: no waiting until they cannot be called back."""

    id = key()
    organisation = foreign(Organisation, index=False)
    reason = text(200)
    trusted_at = moment()
    trusted_by = identifier(optional=True)

    trusted_once = Unique([organisation])
