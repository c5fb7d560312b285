-- Most transfers reserve cents of one budget for a booking. Only a resolution is looked at for its reservation, and
-- for one reservation nothing has to be put in order or summed.

DROP TRIGGER a_transfer_fits ON transfer;
CREATE OR REPLACE FUNCTION transfer_fits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM transfer r
    WHERE r.id = NEW.resolves AND r.phase = 'reserve' AND r.kind = NEW.kind AND r.debit = NEW.debit
      AND r.credit = NEW.credit AND NEW.amount_cents <= r.amount_cents
      AND (NEW.phase = 'post' OR NEW.amount_cents = r.amount_cents)
  ) THEN
    RAISE EXCEPTION 'a resolution must fit its reservation'
      USING ERRCODE = '23514', CONSTRAINT = 'resolution_fits_reservation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER a_transfer_fits AFTER INSERT ON transfer
  FOR EACH ROW WHEN (NEW.resolves IS NOT NULL) EXECUTE FUNCTION transfer_fits();

-- Runs as the owner: the application itself may not touch the counters.
CREATE OR REPLACE FUNCTION transfer_counts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  _made record;
BEGIN
  SELECT count(*) AS transfers, min(f.phase) AS phase, (array_agg(f.debit))[1] AS debit, sum(f.amount_cents) AS cents
  INTO _made FROM fresh f;
  IF _made.transfers = 1 AND _made.phase = 'reserve' THEN
    UPDATE account a SET debits_pending_cents = a.debits_pending_cents + _made.cents
    WHERE a.id = _made.debit AND a.constrained;
    RETURN NULL;
  END IF;

  -- Ascending ids: two bookings that touch the same two budgets never wait for each other in a circle.
  PERFORM FROM account WHERE constrained AND id IN (SELECT debit FROM fresh UNION SELECT credit FROM fresh)
    ORDER BY id FOR NO KEY UPDATE;
  UPDATE account a
  SET debits_posted_cents = a.debits_posted_cents + s.debits_posted,
      credits_posted_cents = a.credits_posted_cents + s.credits_posted,
      debits_pending_cents = a.debits_pending_cents + s.debits_pending
  FROM (
    SELECT account, sum(debits_posted) AS debits_posted, sum(credits_posted) AS credits_posted,
           sum(debits_pending) AS debits_pending
    FROM (
      SELECT f.debit AS account,
             CASE WHEN f.phase IN ('posted', 'post') THEN f.amount_cents ELSE 0 END AS debits_posted,
             0::bigint AS credits_posted,
             CASE WHEN f.phase = 'reserve' THEN f.amount_cents
                  WHEN f.resolves IS NOT NULL THEN -r.amount_cents ELSE 0 END AS debits_pending
      FROM fresh f LEFT JOIN transfer r ON r.id = f.resolves
      UNION ALL
      SELECT f.credit, 0, CASE WHEN f.phase IN ('posted', 'post') THEN f.amount_cents ELSE 0 END, 0
      FROM fresh f
    ) sides GROUP BY account
  ) s
  WHERE a.id = s.account AND a.constrained;
  RETURN NULL;
END $$;
