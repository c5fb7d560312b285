-- Seats and childcare places: all of it or nothing. Locks the session's row until the transaction ends, so that
-- nobody else comes in before the caller is done.

CREATE FUNCTION rooms.take_seats(
  _session uuid, _persons int, _party text, _childcare jsonb, _at timestamptz,
  OUT course uuid, OUT title text, OUT theme text, OUT form text, OUT price_cents bigint, OUT starts_at timestamptz,
  OUT ends_at timestamptz, OUT trainer uuid, OUT state text, OUT audience jsonb, OUT municipality text,
  OUT freed_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
  _too_few text[];
BEGIN
  UPDATE course_session s SET seats_taken = s.seats_taken + _persons
  FROM course c
  WHERE s.id = _session AND c.id = s.course AND c.state = 'admitted' AND s.state IN ('conditional', 'confirmed')
    AND s.starts_at > _at AND s.seats_taken + s.catch_up_seats + _persons <= s.seats_max
  RETURNING s.course, c.title, c.theme, c.form, s.price_cents, s.starts_at, s.ends_at, s.trainer, s.state, c.audience,
            (SELECT v.municipality FROM venue v WHERE v.id = s.venue), s.freed_at
  INTO course, title, theme, form, price_cents, starts_at, ends_at, trainer, state, audience, municipality, freed_at;
  IF NOT FOUND THEN
    PERFORM rooms.refuse_seats(_session, _persons, _at);
  END IF;

  -- a dialogue has seats per party as well
  IF EXISTS (SELECT FROM session_party p WHERE p.session = _session) THEN
    UPDATE session_party p SET seats_taken = p.seats_taken + _persons
    WHERE p.session = _session AND p.party = _party AND p.seats_taken + _persons <= p.seats_max;
    IF NOT FOUND THEN
      PERFORM rooms.refuse('party_full', jsonb_build_object('party', _party));
    END IF;
  END IF;

  IF _childcare <> '{}' THEN
    WITH wanted AS (
      SELECT w.key AS band, w.value::int AS places FROM jsonb_each_text(_childcare) w
    ), given AS (
      UPDATE childcare_places p SET places_taken = p.places_taken + w.places
      FROM wanted w
      WHERE p.session = _session AND p.age_band = w.band AND p.places_taken + w.places <= p.places_max
      RETURNING p.age_band
    )
    SELECT array_agg(w.band ORDER BY w.band) INTO _too_few
    FROM wanted w WHERE w.band NOT IN (SELECT g.age_band FROM given g);
    IF _too_few IS NOT NULL THEN
      PERFORM rooms.refuse('childcare_full', jsonb_build_object('bands', _too_few));
    END IF;
  END IF;
END $$;

-- Why no seats were taken: the reason that still holds now.
CREATE FUNCTION rooms.refuse_seats(_session uuid, _persons int, _at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _found record;
BEGIN
  SELECT s.state, s.seats_max - s.seats_taken - s.catch_up_seats AS free,
         s.state IN ('conditional', 'confirmed') AND c.state = 'admitted' AND s.starts_at > _at AS bookable
  INTO _found FROM course_session s JOIN course c ON c.id = s.course WHERE s.id = _session;
  IF NOT FOUND THEN
    PERFORM rooms.refuse('session_unknown');
  ELSIF NOT _found.bookable THEN
    PERFORM rooms.refuse('not_bookable', jsonb_build_object('state', _found.state));
  ELSE
    PERFORM rooms.refuse('session_full', jsonb_build_object('free', _found.free, 'persons', _persons));
  END IF;
END $$;

-- Whether the course is open to the family: none of its values is marked 'not_for' (hard rule, R17).
CREATE FUNCTION rooms.course_suits(_audience jsonb, _family uuid, _today date) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT EXISTS (
    SELECT FROM family f CROSS JOIN LATERAL (
      SELECT 'family_type' AS criterion, f.family_type AS value
      UNION ALL SELECT 'care_forms', unnest(f.care_forms)
      UNION ALL SELECT 'child_age_bands', unnest(f.child_age_bands)
      UNION ALL SELECT 'experience', rooms.experience_band(f.first_placement_on, _today)
    ) trait
    WHERE f.id = _family AND _audience -> trait.criterion ->> trait.value = 'not_for'
  )
$$;
