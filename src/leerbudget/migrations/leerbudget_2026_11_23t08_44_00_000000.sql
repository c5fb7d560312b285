-- Two that are no budgets never hold money for the same purpose.
ALTER TABLE budget_hold DROP CONSTRAINT budget_once_per_purpose;
ALTER TABLE budget_hold ADD CONSTRAINT budget_once_per_purpose UNIQUE NULLS NOT DISTINCT (purpose, budget);

-- What a family pays itself starts at 50 cents, a top-up at EUR 50.
ALTER TABLE payment DROP CONSTRAINT top_up_within_bounds;
ALTER TABLE payment ADD CONSTRAINT top_up_within_bounds
  CHECK (amount_cents BETWEEN CASE WHEN booking IS NULL THEN 5000 ELSE 50 END AND 25000000000);

GRANT UPDATE (own_cents, own_paid_at) ON booking TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (booking) ON payment TO leerbudget_app, leerbudget_worker;

ALTER TABLE account DROP CONSTRAINT account_kind_is_known;
ALTER TABLE account ADD CONSTRAINT account_kind_is_known
  CHECK (kind IN (
    'bank', 'organisation_pot', 'family_budget', 'trainer_payable', 'gateway_clearing', 'gateway_fees',
    'organisation_held', 'organisation_receivable', 'refunds_owed', 'suspense', 'rounding', 'payout_clearing',
    'bank_costs', 'own_payment', 'own_receivable'));
ALTER TABLE transfer DROP CONSTRAINT transfer_kind_is_known;
ALTER TABLE transfer ADD CONSTRAINT transfer_kind_is_known
  CHECK (kind IN (
    'top_up', 'grant', 'grant_return', 'carry_over', 'booking', 'fee_return', 'settlement', 'hold_release',
    'unmatched', 'dispute', 'recovery', 'refund', 'gateway_fee', 'gateway_payout', 'entry_explained',
    'payout', 'payout_booked', 'payout_returned', 'payout_undone', 'own_payment', 'correction'));
