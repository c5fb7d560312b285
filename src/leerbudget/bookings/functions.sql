-- A seat and a hold of money: both or neither, in one round trip. What may be refused stands in the order in which it
-- is refused. The lock order of the house: the course session (seat), then the booking, then accounts by ascending id.

CREATE FUNCTION rooms.book(
  _booking uuid, _content bytea, _family uuid, _session uuid, _persons uuid[], _wish uuid, _childcare jsonb,
  _origin text, _offered_until timestamptz, _price_shown_cents bigint, _own_shown_cents bigint, _notice text, _link text,
  _wish_to text, _wish_from text[], _apart_since date, _today date, _at timestamptz, _actor uuid,
  OUT state text, OUT price_cents bigint, OUT own_cents bigint, OUT shares jsonb
) LANGUAGE plpgsql
-- one plan for all: a list of persons looks cheaper planned anew for each booking, and the planning costs more than it saves
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  _earlier record;
  _party text;
  _seat record;
BEGIN
  -- the same request again has the same answer; twins wait for each other here
  PERFORM pg_advisory_xact_lock(hashtextextended('booking ' || _booking, 0));
  SELECT b.state, b.price_cents, b.own_cents, b.content_sha256 INTO _earlier FROM booking b WHERE b.id = _booking;
  IF FOUND THEN
    IF _earlier.content_sha256 <> _content THEN
      PERFORM rooms.refuse('idempotency_mismatch', jsonb_build_object('id', _booking));
    END IF;
    state := _earlier.state;
    price_cents := _earlier.price_cents;
    own_cents := _earlier.own_cents;
    shares := rooms.shares_of(_booking);
    RETURN;
  END IF;

  -- who and what for
  _party := rooms.party_of(_persons, _family);
  IF _wish IS NOT NULL THEN
    PERFORM rooms.check_wish(_wish, _family, _persons[1]);
  END IF;
  IF _childcare <> '{}' THEN
    IF EXISTS (SELECT FROM jsonb_each_text(_childcare) c WHERE c.value::int NOT BETWEEN 1 AND 20) THEN
      PERFORM rooms.refuse('childcare_mismatch');
    END IF;
  END IF;

  -- a place in the room; most courses are closed to nobody, and most seats were never somebody else's
  _seat := rooms.take_seats(_session, cardinality(_persons), _party, _childcare, _at);
  IF _family IS NOT NULL AND jsonb_path_exists(_seat.audience, '$.*.* ? (@ == "not_for")')
     AND NOT rooms.course_suits(_seat.audience, _family, _today) THEN
    PERFORM rooms.refuse('not_for_this_family');
  END IF;
  IF _seat.freed_at IS NOT NULL AND _origin IN ('direct', 'coordinator') AND (
    (_family IS NOT NULL AND rooms.others_wait(_session, _family, _at))
    OR (_family IS NULL AND rooms.guests_wait(_session, _persons[1], _at))
  ) THEN
    PERFORM rooms.refuse('kept_for_waiting');
  END IF;
  IF rooms.must_not_meet(_session, _family, _persons, _apart_since) THEN
    PERFORM rooms.refuse('not_together');
  END IF;

  -- at the price that was shown; a professional pays nothing
  price_cents := CASE WHEN _family IS NULL THEN 0 ELSE _seat.price_cents * cardinality(_persons) END;
  IF _price_shown_cents <> price_cents THEN
    PERFORM rooms.refuse('price_changed', jsonb_build_object('price_cents', price_cents));
  END IF;
  state := CASE WHEN _offered_until IS NULL THEN 'confirmed' ELSE 'offered' END;
  PERFORM rooms.insert_booking(
    _booking, _content, _family, _session, _persons, _wish, _childcare, _origin, state, price_cents, _offered_until, _at);

  -- and the money for it; what the family pays itself is held when it came in
  shares := '[]';
  own_cents := 0;
  IF price_cents > 0 THEN
    SELECT h.shares, h.own_cents INTO shares, own_cents FROM rooms.hold_money(
      _booking, _family, price_cents, _seat.theme, _seat.form, _seat.municipality, _seat.course, _own_shown_cents,
      (_seat.starts_at AT TIME ZONE 'Europe/Amsterdam')::date, _today,
      rooms.account_of('trainer_payable', _seat.trainer, false, _at), _actor, _at) h;
    IF own_cents > 0 THEN
      UPDATE booking b SET own_cents = book.own_cents WHERE b.id = _booking;
    END IF;
  END IF;

  IF _wish IS NOT NULL THEN
    PERFORM rooms.mark_wish(_wish, _wish_to, _wish_from, _at);
  END IF;
  PERFORM rooms.post_notice(
    _notice, _booking || ':' || p.id, p.email,
    jsonb_strip_nulls(jsonb_build_object(
      'link', _link, 'starts_at', _seat.starts_at, 'returned_cents', 0, 'answer_before_at', _offered_until)),
    coalesce(_offered_until, _seat.starts_at), _at)
  FROM person p WHERE p.id = ANY (_persons) AND p.email IS NOT NULL AND _notice IS NOT NULL;
END $$;

CREATE FUNCTION rooms.insert_booking(
  _booking uuid, _content bytea, _family uuid, _session uuid, _persons uuid[], _wish uuid, _childcare jsonb,
  _origin text, _state text, _price_cents bigint, _offered_until timestamptz, _at timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO booking (id, family, session, wish, origin, state, persons, price_cents, content_sha256, offered_until,
                       booked_at)
  VALUES (_booking, _family, _session, _wish, _origin, _state, cardinality(_persons), _price_cents, _content,
          _offered_until, _at);
  INSERT INTO booking_person (id, booking, session, person, live)
  SELECT uuidv7(), _booking, _session, p.person, true FROM unnest(_persons) AS p(person);
  INSERT INTO attendance (id, booking, meeting, person, person_number, starts_at, ends_at, live, state)
  SELECT uuidv7(), _booking, m.id, p.id, p.number, m.starts_at, m.ends_at, true, 'planned'
  FROM meeting m CROSS JOIN person p WHERE m.session = _session AND p.id = ANY (_persons);
  IF _childcare <> '{}' THEN
    INSERT INTO booking_childcare (id, booking, age_band, places)
    SELECT uuidv7(), _booking, c.key, c.value::int FROM jsonb_each_text(_childcare) c;
  END IF;
END $$;

-- Whether somebody in the room and the seekers must not meet (R65, R66), in whichever direction. In the room are
-- trainers, facilitators, everyone with a live seat and who catches up a meeting. The caller holds the session's row. Asked from the few people
-- who must not meet, not from the room: that may hold a thousand.
CREATE FUNCTION rooms.must_not_meet(_session uuid, _family uuid, _persons uuid[], _apart_since date) RETURNS boolean
LANGUAGE sql STABLE AS $$
  WITH stranger AS (
    SELECT r.professional AS person FROM professional_relation r
    WHERE r.family = _family AND (r.ends_on IS NULL OR r.ends_on >= _apart_since)
    UNION SELECT a.person FROM avoid_entry a WHERE a.family = _family
    UNION SELECT p.id FROM professional_relation r JOIN person p ON p.family = r.family
    WHERE r.professional = ANY (_persons) AND (r.ends_on IS NULL OR r.ends_on >= _apart_since)
    UNION SELECT p.id FROM avoid_entry a JOIN person p ON p.family = a.family
    WHERE a.person = ANY (_persons) AND a.family IS DISTINCT FROM _family
  )
  SELECT EXISTS (SELECT FROM stranger s JOIN booking_person bp ON bp.person = s.person
                 WHERE bp.session = _session AND bp.live)
      OR EXISTS (SELECT FROM stranger s JOIN attendance a ON a.person = s.person AND a.live AND a.instead_of IS NOT NULL
                 JOIN meeting m ON m.id = a.meeting WHERE m.session = _session)
      OR EXISTS (SELECT FROM stranger s JOIN session_person sp ON sp.person = s.person WHERE sp.session = _session)
$$;

-- Whether seats that became free are first for another family that waits for the course and was not asked since.
-- From a day before the start on they are for whoever books them.
CREATE FUNCTION rooms.others_wait(_session uuid, _family uuid, _at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM course_session s JOIN waiting_entry e ON e.course = s.course AND e.state = 'waiting'
    WHERE s.id = _session AND s.freed_at IS NOT NULL AND s.starts_at > _at + interval '24 hours' AND e.family <> _family
      AND NOT EXISTS (SELECT FROM waiting_try t WHERE t.entry = e.id AND t.session = s.id
                      AND (t.refused IS NULL OR t.tried_at >= s.freed_at)))
$$;

-- The same for somebody without a family: whether another one of the same party waits for this very session. Parties
-- have seats of their own, so who waits of another party waits for other seats (R64).
CREATE FUNCTION rooms.guests_wait(_session uuid, _person uuid, _at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM course_session s JOIN waiting_entry e ON e.course = s.course AND e.session = s.id AND e.state = 'waiting'
    JOIN waiting_person w ON w.entry = e.id JOIN person other ON other.id = w.person
    WHERE s.id = _session AND s.freed_at IS NOT NULL AND s.starts_at > _at + interval '24 hours' AND e.family IS NULL
      AND other.id <> _person AND other.party = (SELECT p.party FROM person p WHERE p.id = _person)
      AND NOT EXISTS (SELECT FROM waiting_try t WHERE t.entry = e.id AND t.session = s.id
                      AND (t.refused IS NULL OR t.tried_at >= s.freed_at)))
$$;
