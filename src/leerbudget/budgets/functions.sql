-- Set cents of a family's budgets aside for one purpose; which budget pays how much.
-- Locks: the budgets in ascending id order, then accounts in ascending id order (the ledger's trigger).

CREATE FUNCTION rooms.hold_money(
  _purpose uuid, _family uuid, _total_cents bigint, _theme text, _form text, _municipality text, _course uuid,
  _on date, _today date, _payee uuid, _actor uuid, _at timestamptz
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _budgets uuid[];
  _accounts uuid[];
  _cents bigint[];
  _reservations uuid[];
  _free_cents bigint;
  _elsewhere_cents bigint;
BEGIN
  PERFORM FROM budget b
  WHERE b.family = _family AND b.state = 'active' AND _on BETWEEN b.starts_on AND b.expires_on AND b.expires_on >= _today
  ORDER BY b.id FOR NO KEY UPDATE;

  IF EXISTS (SELECT FROM budget_hold h WHERE h.purpose = _purpose) THEN
    RETURN rooms.same_hold(_purpose, _family, _total_cents, _payee);
  END IF;

  -- Earmarked first, then earliest expiry, then smallest id (R04); read after the locks, so it stays true.
  -- A session without a municipality is online: money for a place does not pay it.
  WITH payer AS (
    SELECT b.id, b.account, b.expires_on,
           num_nonnulls(b.themes, b.forms, b.municipalities, b.courses) = 0 AS for_anything,
           (b.themes IS NULL OR _theme = ANY (b.themes)) AND (b.forms IS NULL OR _form = ANY (b.forms))
             AND (b.municipalities IS NULL OR coalesce(_municipality = ANY (b.municipalities), false))
             AND (b.courses IS NULL OR coalesce(_course = ANY (b.courses), false)) AS fits,
           greatest(0, a.credits_posted_cents - a.debits_posted_cents - a.debits_pending_cents) AS free_cents
    FROM budget b JOIN account a ON a.id = b.account
    WHERE b.family = _family AND b.state = 'active'
      AND _on BETWEEN b.starts_on AND b.expires_on AND b.expires_on >= _today
  ), flow AS (
    SELECT p.*, sum(p.free_cents) OVER w - p.free_cents AS before_cents, row_number() OVER w AS turn
    FROM payer p WHERE p.fits WINDOW w AS (ORDER BY p.for_anything, p.expires_on, p.id ROWS UNBOUNDED PRECEDING)
  ), share AS (
    SELECT f.*, least(f.free_cents, _total_cents - f.before_cents) AS cents FROM flow f
  )
  SELECT coalesce(sum(s.free_cents), 0), array_agg(s.id ORDER BY s.turn) FILTER (WHERE s.cents > 0),
         array_agg(s.account ORDER BY s.turn) FILTER (WHERE s.cents > 0),
         array_agg(s.cents ORDER BY s.turn) FILTER (WHERE s.cents > 0),
         (SELECT coalesce(sum(p.free_cents), 0) FROM payer p WHERE NOT p.fits)
  INTO _free_cents, _budgets, _accounts, _cents, _elsewhere_cents FROM share s;
  IF _free_cents + _elsewhere_cents < _total_cents THEN
    PERFORM rooms.refuse(
      'budget_too_small', jsonb_build_object('missing_cents', _total_cents - _free_cents, 'free_cents', _free_cents));
  ELSIF _free_cents < _total_cents THEN
    PERFORM rooms.refuse('earmark_excludes', jsonb_build_object(
      'missing_cents', _total_cents - _free_cents, 'free_cents', _free_cents, 'elsewhere_cents', _elsewhere_cents));
  END IF;

  SELECT array_agg(uuidv7()) INTO _reservations FROM generate_subscripts(_budgets, 1);
  PERFORM rooms.reserve(
    _reservations, array(SELECT 'hold:' || _purpose || ':' || b FROM unnest(_budgets) b), _accounts, _payee, _cents, _at,
    _actor);
  INSERT INTO budget_hold (id, purpose, budget, reservation, amount_cents, held_at)
  SELECT uuidv7(), _purpose, w.budget, w.reservation, w.cents, _at
  FROM unnest(_budgets, _reservations, _cents) AS w(budget, reservation, cents);
  RETURN rooms.shares_of(_purpose);
END $$;

-- Which budgets hold how many cents for a purpose, in the order in which they paid.
CREATE FUNCTION rooms.shares_of(_purpose uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    jsonb_agg(jsonb_build_object('budget', h.budget, 'amount_cents', h.amount_cents) ORDER BY h.reservation), '[]')
  FROM budget_hold h WHERE h.purpose = _purpose
$$;

-- The purpose holds money already: the same answer for the same family, amount and payee.
CREATE FUNCTION rooms.same_hold(_purpose uuid, _family uuid, _total_cents bigint, _payee uuid) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM budget_hold h JOIN budget b ON b.id = h.budget JOIN transfer t ON t.id = h.reservation
    WHERE h.purpose = _purpose AND (b.family <> _family OR t.credit <> _payee)
  ) OR (SELECT sum(h.amount_cents) FROM budget_hold h WHERE h.purpose = _purpose) <> _total_cents THEN
    PERFORM rooms.refuse('hold_known');
  END IF;
  RETURN rooms.shares_of(_purpose);
END $$;
