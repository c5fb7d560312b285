-- Every top-up is a payment by bank transfer; what was confirmed is a fact, seen by hand.
INSERT INTO payment (id, organisation, gateway, gateway_ref, methods, amount_cents, reference, purchase_order, state,
                     received_cents, refunded_cents, requested_at, requested_by, cancelled_at, received_on, confirmed_at,
                     confirmed_by)
SELECT t.id, t.organisation, 'manual', t.reference, ARRAY['transfer'], t.amount_cents, t.reference, t.purchase_order,
       CASE t.state WHEN 'requested' THEN 'open' WHEN 'confirmed' THEN 'succeeded' ELSE 'cancelled' END,
       CASE t.state WHEN 'confirmed' THEN t.amount_cents ELSE 0 END, 0, t.requested_at, t.requested_by,
       CASE t.state WHEN 'cancelled' THEN coalesce(
         (SELECT min(a.at) FROM audit_entry a WHERE a.verb = 'top_up_cancelled' AND a.subject = t.id), t.requested_at) END,
       CASE t.state WHEN 'confirmed' THEN t.received_on END, CASE t.state WHEN 'confirmed' THEN t.confirmed_at END,
       CASE t.state WHEN 'confirmed' THEN t.confirmed_by END
FROM top_up t;

INSERT INTO payment_fact (id, payment, gateway, key, kind, money_ref, amount_cents, currency, method, happened_at,
                          noted_at, noted_by)
SELECT uuidv7(), t.id, 'manual', 'hand:' || t.reference, 'received', t.reference, t.amount_cents, 'EUR', 'transfer',
       t.received_on::timestamp AT TIME ZONE 'Europe/Amsterdam', t.confirmed_at, t.confirmed_by
FROM top_up t WHERE t.state = 'confirmed';

-- What happened stays as it was told; a message and a question to a gateway only move on.
CREATE TRIGGER payment_fact_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_fact
  FOR EACH STATEMENT EXECUTE FUNCTION never_change();
REVOKE UPDATE, DELETE, TRUNCATE ON payment_fact, payment, payment_attempt, payment_event, finance_task, payer_trust
  FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (gateway_ref, pay_url, state, received_cents, refunded_cents, cancelled_at, received_on, confirmed_at,
              confirmed_by, held_until, released_at) ON payment TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (state, answer, tried_at, ended_at) ON payment_attempt TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (looked_at, tries, try_after, fault) ON payment_event TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (closed_at, closed_by, outcome) ON finance_task TO leerbudget_app, leerbudget_worker;
GRANT DELETE ON payer_trust TO leerbudget_app, leerbudget_worker;

-- Work lists.
CREATE INDEX payment_event_to_look_at ON payment_event (try_after) WHERE looked_at IS NULL;
CREATE INDEX payment_attempt_to_ask ON payment_attempt (tried_at) WHERE state = 'asked';
CREATE INDEX payment_to_release ON payment (held_until) WHERE held_until IS NOT NULL AND released_at IS NULL;
CREATE INDEX finance_task_open ON finance_task (opened_at) WHERE closed_at IS NULL;

-- Kinds of accounts and transfers that payments bring.
ALTER TABLE account DROP CONSTRAINT account_kind_is_known;
ALTER TABLE account ADD CONSTRAINT account_kind_is_known
  CHECK (kind IN ('bank', 'organisation_pot', 'family_budget', 'trainer_payable', 'gateway_clearing', 'gateway_fees',
    'organisation_held', 'organisation_receivable', 'refunds_owed', 'suspense', 'rounding'));
ALTER TABLE transfer DROP CONSTRAINT transfer_kind_is_known;
ALTER TABLE transfer ADD CONSTRAINT transfer_kind_is_known
  CHECK (kind IN ('top_up', 'grant', 'grant_return', 'carry_over', 'booking', 'fee_return', 'settlement',
    'hold_release', 'unmatched', 'dispute', 'recovery', 'refund', 'gateway_fee', 'gateway_payout', 'correction'));
