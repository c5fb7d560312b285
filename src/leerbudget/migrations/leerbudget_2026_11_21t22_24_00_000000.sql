-- Who opens an account may not also fill it: the counters start at zero and only the ledger's trigger moves them.
REVOKE INSERT ON account FROM leerbudget_app, leerbudget_worker;
GRANT INSERT (id, kind, owner, constrained, opened_at) ON account TO leerbudget_app, leerbudget_worker;

-- A top-up, a budget or a hold that was written keeps its amount and its owner; only its state moves on.
REVOKE UPDATE ON budget, budget_hold, top_up FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (state) ON budget TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (state, received_on, confirmed_at, confirmed_by) ON top_up TO leerbudget_app, leerbudget_worker;

-- A resolution is of the same kind as its reservation: statements are read by kind.
CREATE OR REPLACE FUNCTION transfer_fits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
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

-- Counters change at every hold: room in each page keeps the new version beside the old one, without touching indexes.
ALTER TABLE account SET (fillfactor = 70);
