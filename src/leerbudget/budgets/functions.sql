-- Set cents of a family's budgets aside for one purpose; which budget pays how much.
-- Locks: the budgets in ascending id order, then accounts in ascending id order (the ledger's trigger).

CREATE FUNCTION rooms.hold_money(
  _purpose uuid, _family uuid, _total_cents bigint, _theme text, _form text, _municipality text, _course uuid,
  _own_shown_cents bigint, _on date, _today date, _payee uuid, _actor uuid, _at timestamptz,
  OUT shares jsonb, OUT own_cents bigint
) LANGUAGE plpgsql AS $$
DECLARE
  _payer record;
  _cents bigint;
  _free_cents bigint := 0;
  _elsewhere_cents bigint := 0;
  _left_cents bigint := _total_cents;
  _budgets uuid[];
  _payers text[];
  _accounts uuid[];
  _reservations uuid[];
  _refs text[];
  _amounts bigint[];
BEGIN
  shares := '[]';
  own_cents := 0;
  PERFORM FROM budget b
  WHERE b.family = _family AND b.state = 'active' AND _on BETWEEN b.starts_on AND b.expires_on AND b.expires_on >= _today
  ORDER BY b.id FOR NO KEY UPDATE;

  IF EXISTS (SELECT FROM budget_hold h WHERE h.purpose = _purpose) THEN
    shares := rooms.same_hold(_purpose, _family, _total_cents, _payee);
    RETURN;
  END IF;

  -- Earmarked first, then earliest expiry, then smallest id (R04); read after the locks, so it stays true.
  -- A session without a municipality is online: money for a place does not pay it.
  FOR _payer IN
    SELECT b.id, b.account,
           (b.themes IS NULL OR _theme = ANY (b.themes)) AND (b.forms IS NULL OR _form = ANY (b.forms))
             AND (b.municipalities IS NULL OR coalesce(_municipality = ANY (b.municipalities), false))
             AND (b.courses IS NULL OR coalesce(_course = ANY (b.courses), false)) AS fits,
           greatest(0, a.credits_posted_cents - a.debits_posted_cents - a.debits_pending_cents) AS free_cents
    FROM budget b JOIN account a ON a.id = b.account
    WHERE b.family = _family AND b.state = 'active'
      AND _on BETWEEN b.starts_on AND b.expires_on AND b.expires_on >= _today
    ORDER BY num_nonnulls(b.themes, b.forms, b.municipalities, b.courses) = 0, b.expires_on, b.id
  LOOP
    IF NOT _payer.fits THEN
      _elsewhere_cents := _elsewhere_cents + _payer.free_cents;
      CONTINUE;
    END IF;
    _free_cents := _free_cents + _payer.free_cents;
    _cents := least(_payer.free_cents, _left_cents);
    IF _cents > 0 THEN
      _left_cents := _left_cents - _cents;
      _budgets := _budgets || _payer.id;
      _payers := _payers || 'budget'::text;
      _accounts := _accounts || _payer.account;
      _reservations := _reservations || uuidv7();
      _refs := _refs || ('hold:' || _purpose || ':' || _payer.id);
      _amounts := _amounts || _cents;
      shares := shares || jsonb_build_object('budget', _payer.id, 'amount_cents', _cents, 'payer', 'budget');
    END IF;
  END LOOP;

  -- What no budget pays the family may pay itself, as it was shown; below 50 cents nobody is asked for it.
  IF _own_shown_cents IS NOT NULL THEN
    own_cents := CASE WHEN _left_cents < 50 THEN 0 ELSE _left_cents END;
    IF own_cents <> _own_shown_cents THEN
      PERFORM rooms.refuse('own_share_changed', jsonb_build_object('own_cents', own_cents));
    END IF;
    IF own_cents = 0 AND _left_cents > 0 THEN
      _budgets := _budgets || NULL::uuid;
      _payers := _payers || 'rounding'::text;
      _accounts := _accounts || rooms.house_account('rounding', _at);
      _reservations := _reservations || uuidv7();
      _refs := _refs || ('hold:' || _purpose || ':rounding');
      _amounts := _amounts || _left_cents;
      shares := shares || jsonb_build_object('budget', NULL, 'amount_cents', _left_cents, 'payer', 'rounding');
    END IF;
  ELSIF _free_cents + _elsewhere_cents < _total_cents THEN
    PERFORM rooms.refuse(
      'budget_too_small', jsonb_build_object('missing_cents', _total_cents - _free_cents, 'free_cents', _free_cents));
  ELSIF _left_cents > 0 THEN
    PERFORM rooms.refuse('earmark_excludes', jsonb_build_object(
      'missing_cents', _total_cents - _free_cents, 'free_cents', _free_cents, 'elsewhere_cents', _elsewhere_cents));
  END IF;

  PERFORM rooms.reserve(_reservations, _refs, _accounts, _payee, _amounts, _at, _actor);
  INSERT INTO budget_hold (id, purpose, budget, payer, reservation, amount_cents, held_at)
  SELECT uuidv7(), _purpose, w.budget, w.payer, w.reservation, w.cents, _at
  FROM unnest(_budgets, _payers, _reservations, _amounts) AS w(budget, payer, reservation, cents);
END $$;

-- Who holds how many cents for a purpose, in the order in which they paid.
CREATE FUNCTION rooms.shares_of(_purpose uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    jsonb_agg(jsonb_build_object('budget', h.budget, 'amount_cents', h.amount_cents, 'payer', h.payer)
              ORDER BY h.reservation), '[]')
  FROM budget_hold h WHERE h.purpose = _purpose
$$;

-- The purpose holds money already: the same answer for the same family, amount and payee.
CREATE FUNCTION rooms.same_hold(_purpose uuid, _family uuid, _total_cents bigint, _payee uuid) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM budget_hold h LEFT JOIN budget b ON b.id = h.budget JOIN transfer t ON t.id = h.reservation
    WHERE h.purpose = _purpose AND (b.family <> _family OR t.credit <> _payee)
  ) OR (SELECT sum(h.amount_cents) FROM budget_hold h WHERE h.purpose = _purpose) <> _total_cents THEN
    PERFORM rooms.refuse('hold_known');
  END IF;
  RETURN rooms.shares_of(_purpose);
END $$;
