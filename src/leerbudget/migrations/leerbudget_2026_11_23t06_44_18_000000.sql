-- A statement stays what the bank said; of an entry only what it is for is found out.
REVOKE UPDATE, DELETE, TRUNCATE ON bank_statement, bank_entry, payout_account, payout, payout_line
  FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (state, suspense_cents, payment, line, reason, decided_at, decided_by) ON bank_entry TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (confirmed_at, confirmed_by, ended_at) ON payout_account TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (state, decided_at, decided_by, file) ON payout TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (state, bank_reason) ON payout_line TO leerbudget_app, leerbudget_worker;

-- Two payouts never pay the same: what a line pays is in no other line that is under way. What is owed once (a refund,
-- money that goes back) is paid once for good.
CREATE UNIQUE INDEX one_open_line_per_subject ON payout_line (subject)
  WHERE state IN ('drafted', 'approved', 'accepted') OR (state = 'booked' AND purpose <> 'trainer');

-- Kinds of accounts and transfers that the bank side brings.
ALTER TABLE account DROP CONSTRAINT account_kind_is_known;
ALTER TABLE account ADD CONSTRAINT account_kind_is_known
  CHECK (kind IN ('bank', 'organisation_pot', 'family_budget', 'trainer_payable', 'gateway_clearing', 'gateway_fees',
    'organisation_held', 'organisation_receivable', 'refunds_owed', 'suspense', 'rounding', 'payout_clearing',
    'bank_costs'));
ALTER TABLE transfer DROP CONSTRAINT transfer_kind_is_known;
ALTER TABLE transfer ADD CONSTRAINT transfer_kind_is_known
  CHECK (kind IN ('top_up', 'grant', 'grant_return', 'carry_over', 'booking', 'fee_return', 'settlement',
    'hold_release', 'unmatched', 'dispute', 'recovery', 'refund', 'gateway_fee', 'gateway_payout', 'entry_explained',
    'payout', 'payout_booked', 'payout_returned', 'payout_undone', 'correction'));
