-- A fee that came back came back whole until parts could: its amount is the fee.
UPDATE booking SET fee_returned_cents = fee_cents WHERE fee_returned_at IS NOT NULL;
ALTER TABLE booking DROP CONSTRAINT only_a_fee_is_returned;
ALTER TABLE booking ADD CONSTRAINT only_a_fee_is_returned
  CHECK ((fee_returned_at IS NOT NULL) = (fee_returned_cents > 0) AND fee_returned_cents BETWEEN 0 AND fee_cents);
GRANT UPDATE (fee_returned_cents) ON booking TO leerbudget_app, leerbudget_worker;
