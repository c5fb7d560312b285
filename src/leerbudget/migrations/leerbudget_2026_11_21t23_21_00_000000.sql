-- What Piccolo's table classes cannot say: triggers, partial and exclusion constraints, privileges.

-- Ledger: a resolution fits its reservation and is of the same kind (statements are read by kind), counters of constrained accounts follow, nothing is edited.
CREATE FUNCTION transfer_fits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF EXISTS (
    SELECT FROM fresh f LEFT JOIN transfer r ON r.id = f.resolves
    WHERE f.resolves IS NOT NULL
      AND (r.id IS NULL OR r.phase <> 'reserve' OR r.kind <> f.kind OR r.debit <> f.debit OR r.credit <> f.credit
           OR f.amount_cents > r.amount_cents OR (f.phase <> 'post' AND f.amount_cents <> r.amount_cents))
  ) THEN
    RAISE EXCEPTION 'a resolution must fit its reservation'
      USING ERRCODE = '23514', CONSTRAINT = 'resolution_fits_reservation';
  END IF;
  RETURN NULL;
END $$;

-- Runs as the owner: the application itself may not touch the counters.
CREATE FUNCTION transfer_counts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
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

CREATE FUNCTION never_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '55000';
END $$;

CREATE TRIGGER a_transfer_fits AFTER INSERT ON transfer
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION transfer_fits();
CREATE TRIGGER b_transfer_counts AFTER INSERT ON transfer
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION transfer_counts();
CREATE TRIGGER transfer_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
  FOR EACH STATEMENT EXECUTE FUNCTION never_change();
CREATE TRIGGER audit_entry_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION never_change();

-- Bookings: one live booking per person and session; nobody in two meetings at once (I7).
-- A number range stands for equality: the extension that gives GiST plain equality is not in the embedded server.
CREATE UNIQUE INDEX one_live_booking_per_person ON booking_person (person, session) WHERE live;
ALTER TABLE attendance ADD CONSTRAINT one_meeting_at_a_time
  EXCLUDE USING gist (int8range(person_number, person_number, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&)
  WHERE (live);

-- Search and work lists.
CREATE INDEX booking_offers_by_deadline ON booking (offered_until) WHERE state = 'offered';
CREATE INDEX outbox_unsent ON outbox_message (send_after) WHERE sent_at IS NULL;
CREATE INDEX wish_open ON wish (theme) WHERE state = 'open';
CREATE INDEX session_bookable ON course_session (starts_at) WHERE state IN ('conditional', 'confirmed');

-- Who may do what: the application never edits the books or the audit trail.
REVOKE UPDATE, DELETE, TRUNCATE ON transfer, audit_entry FROM leerbudget_app, leerbudget_worker;
REVOKE UPDATE ON account FROM leerbudget_app, leerbudget_worker;
REVOKE DELETE, TRUNCATE ON account, budget, budget_hold, booking, top_up FROM leerbudget_app, leerbudget_worker;

-- Who opens an account may not also fill it: the counters start at zero and only the ledger's trigger moves them.
REVOKE INSERT ON account FROM leerbudget_app, leerbudget_worker;
GRANT INSERT (id, kind, owner, constrained, opened_at) ON account TO leerbudget_app, leerbudget_worker;

-- A top-up, a budget or a hold that was written keeps its amount and its owner; only its state moves on.
REVOKE UPDATE ON budget, budget_hold, top_up FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (state) ON budget TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (state, received_on, confirmed_at, confirmed_by) ON top_up TO leerbudget_app, leerbudget_worker;

-- A booking's price, persons and session never change; only its life does.
REVOKE UPDATE ON booking FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (state, offered_until, answered_at, ended_at, end_reason) ON booking TO leerbudget_app, leerbudget_worker;

-- Counters change at every hold: room in each page keeps the new version beside the old one, without touching indexes.
ALTER TABLE account SET (fillfactor = 70);
