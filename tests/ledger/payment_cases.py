"""What fires each constraint of payments: their part of `test_constraints`."""

from leerbudget.payments.errors import (
    AttemptKnown,
    PayerTrusted,
    PayerUnknown,
    RefundTooLarge,
    SecondPersonNeeded,
    TaskUnknown,
    TopUpKnown,
    TopUpOutOfBounds,
    UnusableFact,
    UnusableTopUp,
)

TABLES = ("payment", "payment_fact", "payment_attempt", "payment_event", "finance_task", "payer_trust")

STAGE = """
    SET session_replication_role = replica; -- a booking takes a whole catalogue
    INSERT INTO payment (id, booking, gateway, methods, amount_cents, reference, state, received_cents, refunded_cents,
                         requested_at)
        VALUES ({p1}, {p1}, 'stripe', '{{ideal}}', 50, 'RF3', 'open', 0, 0, now());
    SET session_replication_role = origin;
    INSERT INTO payment (id, organisation, gateway, gateway_ref, methods, amount_cents, reference, state,
                         received_cents, refunded_cents, requested_at, requested_by)
        VALUES ({u1}, {org}, 'manual', 'RF1', '{{transfer}}', 5000, 'RF1', 'open', 1000, 0, now(), {clerk});
    INSERT INTO payment_fact (id, payment, gateway, key, kind, money_ref, amount_cents, currency, happened_at, noted_at)
        VALUES ({h1}, {u1}, 'manual', 'k1', 'received', 'm1', 1, 'EUR', now(), now());
    INSERT INTO payment_attempt (id, payment, kind, amount_cents, state, asked_at, tried_at)
        VALUES ({h1}, {u1}, 'refund', 1, 'asked', now(), now());
    INSERT INTO payment_event (id, gateway, event_id, kind, received_at, try_after)
        VALUES ({h1}, 'stripe', 'evt_1', 'x', now(), now());
    INSERT INTO finance_task (id, kind, subject, amount_cents, opened_at) VALUES ({h1}, 'disputed', 's', 1, now());
    INSERT INTO payer_trust (id, organisation, reason, trusted_at) VALUES ({h1}, {org}, 'x', now());
"""

PAYMENT = (
    "INSERT INTO payment (id, organisation, gateway, gateway_ref, methods, amount_cents, reference, state,"
    " received_cents, refunded_cents, requested_at) VALUES "
)
NOTHING_YET = "0, 0, now())"
SHARE = PAYMENT.replace("organisation", "booking")
FACT = (
    "INSERT INTO payment_fact (id, payment, gateway, key, kind, money_ref, amount_cents, currency, happened_at, noted_at)"
    " VALUES "
)
ATTEMPT = "INSERT INTO payment_attempt (id, payment, kind, amount_cents, state, asked_at, tried_at) VALUES "
EVENT = "INSERT INTO payment_event (id, gateway, event_id, kind, received_at, try_after) VALUES "
TASK = "INSERT INTO finance_task (id, kind, subject, payment, amount_cents, opened_at) VALUES "
TRUST = "INSERT INTO payer_trust (id, organisation, reason, trusted_at) VALUES "

CASES = [
    ("payment_pkey", TopUpKnown, PAYMENT + "({u1}, {org}, 'manual', NULL, '{{}}', 5000, 'RF2', 'open', " + NOTHING_YET),
    ("payment_reference_once", TopUpKnown, PAYMENT + "({new}, {org}, 'manual', NULL, '{{}}', 5000, 'RF1', 'open', " + NOTHING_YET),
    ("one_payment_per_gateway_ref", UnusableTopUp, PAYMENT + "({new}, {org}, 'manual', 'RF1', '{{}}', 5000, 'RF2', 'open', " + NOTHING_YET),
    ("payment_state_is_known", UnusableTopUp, PAYMENT + "({new}, {org}, 'manual', NULL, '{{}}', 5000, 'RF2', 'lost', " + NOTHING_YET),
    ("payment_gateway_is_known", UnusableTopUp, PAYMENT + "({new}, {org}, 'cash', NULL, '{{}}', 5000, 'RF2', 'open', " + NOTHING_YET),
    ("top_up_within_bounds", TopUpOutOfBounds, PAYMENT + "({new}, {org}, 'manual', NULL, '{{}}', 4999, 'RF2', 'open', " + NOTHING_YET),
    ("top_up_within_bounds", TopUpOutOfBounds, SHARE + "({new}, {none}, 'stripe', NULL, '{{}}', 49, 'RF2', 'open', " + NOTHING_YET),
    ("payment_is_for_one_thing", UnusableTopUp, PAYMENT + "({new}, NULL, 'manual', NULL, '{{}}', 5000, 'RF2', 'open', " + NOTHING_YET),
    ("payment_is_for_one_thing", UnusableTopUp, "UPDATE payment SET booking = {p1} WHERE id = {u1}"),
    ("one_payment_per_booking", UnusableTopUp, SHARE + "({new}, {p1}, 'stripe', NULL, '{{}}', 50, 'RF2', 'open', " + NOTHING_YET),
    ("payment_booking_fkey", UnusableTopUp, SHARE + "({new}, {none}, 'stripe', NULL, '{{}}', 50, 'RF2', 'open', " + NOTHING_YET),
    ("payment_organisation_fkey", PayerUnknown, PAYMENT + "({new}, {none}, 'manual', NULL, '{{}}', 5000, 'RF2', 'open', " + NOTHING_YET),
    ("four_eyes", SecondPersonNeeded, "UPDATE payment SET confirmed_by = {clerk} WHERE id = {u1}"),
    ("confirmed_payment_has_arrived", UnusableTopUp, "UPDATE payment SET confirmed_at = now() WHERE id = {u1}"),
    ("received_within_amount", UnusableTopUp, "UPDATE payment SET received_cents = 5001 WHERE id = {u1}"),
    ("refunded_within_received", RefundTooLarge, "UPDATE payment SET refunded_cents = 1001 WHERE id = {u1}"),
    ("only_held_money_is_released", UnusableTopUp, "UPDATE payment SET released_at = now() WHERE id = {u1}"),
    ("payment_fact_pkey", UnusableFact, FACT + "({h1}, {u1}, 'manual', 'k2', 'received', 'm', 1, 'EUR', now(), now())"),
    ("fact_once", UnusableFact, FACT + "({new}, {u1}, 'manual', 'k1', 'received', 'm', 1, 'EUR', now(), now())"),
    ("fact_kind_is_known", UnusableFact, FACT + "({new}, {u1}, 'manual', 'k2', 'stolen', 'm', 1, 'EUR', now(), now())"),
    ("fact_amount_not_negative", UnusableFact, FACT + "({new}, {u1}, 'manual', 'k2', 'received', 'm', -1, 'EUR', now(), now())"),
    ("payment_fact_payment_fkey", UnusableFact, FACT + "({new}, {none}, 'manual', 'k2', 'received', 'm', 1, 'EUR', now(), now())"),
    ("payment_attempt_pkey", AttemptKnown, ATTEMPT + "({h1}, {u1}, 'refund', 1, 'asked', now(), now())"),
    ("attempt_kind_is_known", UnusableFact, ATTEMPT + "({new}, {u1}, 'steal', 1, 'asked', now(), now())"),
    ("attempt_state_is_known", UnusableFact, ATTEMPT + "({new}, {u1}, 'refund', 1, 'maybe', now(), now())"),
    ("attempt_amount_is_positive", UnusableFact, ATTEMPT + "({new}, {u1}, 'refund', 0, 'asked', now(), now())"),
    ("only_ended_attempts_have_ended", UnusableFact, "UPDATE payment_attempt SET ended_at = now() WHERE id = {h1}"),
    ("payment_attempt_payment_fkey", UnusableFact, ATTEMPT + "({new}, {none}, 'refund', 1, 'asked', now(), now())"),
    ("payment_event_pkey", UnusableFact, EVENT + "({h1}, 'stripe', 'evt_2', 'x', now(), now())"),
    ("event_once", UnusableFact, EVENT + "({new}, 'stripe', 'evt_1', 'x', now(), now())"),
    ("finance_task_pkey", TaskUnknown, TASK + "({h1}, 'disputed', 's2', NULL, 1, now())"),
    ("task_once", TaskUnknown, TASK + "({new}, 'disputed', 's', NULL, 1, now())"),
    ("task_kind_is_known", TaskUnknown, TASK + "({new}, 'boredom', 's2', NULL, 1, now())"),
    ("closed_task_has_an_outcome", TaskUnknown, "UPDATE finance_task SET closed_at = now() WHERE id = {h1}"),
    ("finance_task_payment_fkey", TaskUnknown, TASK + "({new}, 'disputed', 's2', {none}, 1, now())"),
    ("payer_trust_pkey", PayerTrusted, TRUST + "({h1}, {org}, 'x', now())"),
    ("trusted_once", PayerTrusted, TRUST + "({new}, {org}, 'x', now())"),
    ("payer_trust_organisation_fkey", PayerUnknown, TRUST + "({new}, {none}, 'x', now())"),
]  # fmt: skip
