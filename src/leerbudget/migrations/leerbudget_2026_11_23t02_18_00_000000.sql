-- A tariff stays what it was; it can only be ended.
REVOKE UPDATE, DELETE, TRUNCATE ON tariff FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (ends_on, ended_at) ON tariff TO leerbudget_app, leerbudget_worker;

-- For whom a tariff holds, as points on the line of all words: two tariffs of one scope hold for the same place or
-- organisation exactly when their points touch. The extension that gives GiST plain equality is not in the embedded
-- server, and none gives it overlap of lists of words.
CREATE TYPE text_range AS RANGE (subtype = text, collation = "C");
CREATE FUNCTION tariff_reach(_scope text, _municipalities text[], _organisation uuid) RETURNS public.text_multirange
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT pg_catalog.range_agg(public.text_range(point, point, '[]'))
  FROM (SELECT _scope || ':' || coalesce(place, _organisation::text, '') AS point
        FROM pg_catalog.unnest(coalesce(_municipalities, ARRAY[NULL::text])) place) points
$$;
ALTER TABLE tariff ADD CONSTRAINT one_tariff_at_a_time
  EXCLUDE USING gist (uuid_range(course, course, '[]') WITH &&,
                      tariff_reach(scope::text, municipalities::text[], organisation) WITH &&,
                      daterange(starts_on, ends_on + 1) WITH &&);
