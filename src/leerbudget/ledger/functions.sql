-- The account of one owner, opened when there was none; safe when many ask at once.

CREATE FUNCTION rooms.account_of(_kind text, _owner uuid, _constrained boolean, _at timestamptz) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
  _account uuid;
BEGIN
  SELECT a.id INTO _account FROM account a WHERE a.kind = _kind AND a.owner = _owner AND a.constrained = _constrained;
  IF _account IS NULL THEN
    INSERT INTO account (id, kind, owner, constrained, opened_at)
    VALUES (uuidv7(), _kind, _owner, _constrained, _at) ON CONFLICT DO NOTHING;
    SELECT a.id INTO _account FROM account a WHERE a.kind = _kind AND a.owner = _owner AND a.constrained = _constrained;
  END IF;
  IF _account IS NULL THEN
    PERFORM rooms.refuse('account_known', jsonb_build_object('kind', _kind, 'owner', _owner));
  END IF;
  RETURN _account;
END $$;

-- The house's own account of one kind, opened when there was none.
CREATE FUNCTION rooms.house_account(_kind text, _at timestamptz) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  _account uuid;
BEGIN
  SELECT a.id INTO _account FROM account a WHERE a.kind = _kind AND a.owner IS NULL;
  IF _account IS NULL THEN
    INSERT INTO account (id, kind, constrained, opened_at) VALUES (uuidv7(), _kind, false, _at) ON CONFLICT DO NOTHING;
    SELECT a.id INTO _account FROM account a WHERE a.kind = _kind AND a.owner IS NULL;
  END IF;
  RETURN _account;
END $$;

-- Reservations for bookings: each account sets its cents aside for the payee. The trigger locks accounts by ascending id.
CREATE FUNCTION rooms.reserve(
  _ids uuid[], _refs text[], _accounts uuid[], _payee uuid, _cents bigint[], _at timestamptz, _actor uuid
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO transfer (id, kind, business_ref, phase, debit, credit, amount_cents, at, actor)
  SELECT w.id, 'booking', w.ref, 'reserve', w.account, _payee, w.cents, _at, _actor
  FROM unnest(_ids, _refs, _accounts, _cents) AS w(id, ref, account, cents);
END $$;
