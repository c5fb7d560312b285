-- A fee for cancelling may come back.
ALTER TABLE transfer DROP CONSTRAINT transfer_kind_is_known;
ALTER TABLE transfer ADD CONSTRAINT transfer_kind_is_known
  CHECK (kind IN ('top_up', 'grant', 'grant_return', 'booking', 'fee_return', 'correction'));

-- What earlier cancellations cost stands in the books.
UPDATE booking b SET fee_cents = paid.cents
FROM (SELECT h.purpose, sum(t.amount_cents) AS cents FROM budget_hold h
      JOIN transfer t ON t.resolves = h.reservation AND t.phase = 'post' GROUP BY h.purpose) paid
WHERE b.id = paid.purpose AND b.state = 'cancelled';

GRANT UPDATE (fee_cents, fee_returned_at, moved_to) ON booking TO leerbudget_app, leerbudget_worker;
