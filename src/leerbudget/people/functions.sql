-- The party of persons who come together: all of one family, or one professional alone.

CREATE FUNCTION rooms.party_of(_persons uuid[], _family uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  _party text;
  _fitting bigint;
BEGIN
  SELECT min(p.party), count(*) FILTER (WHERE p.family IS NOT DISTINCT FROM _family) INTO _party, _fitting
  FROM person p WHERE p.id = ANY (_persons);
  IF _fitting = 0 OR _fitting <> cardinality(_persons) OR (_family IS NULL AND _fitting > 1) THEN
    PERFORM rooms.refuse('persons_unknown');
  END IF;
  RETURN _party;
END $$;

-- The band of requirements 4.3 for a family's years of experience on a day, counted in tenths.
CREATE FUNCTION rooms.experience_band(_first_placement_on date, _on date) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN round((_on - _first_placement_on) / 365.25, 1) < 1 THEN 'lt1'
              WHEN round((_on - _first_placement_on) / 365.25, 1) < 3 THEN 'y1_3'
              WHEN round((_on - _first_placement_on) / 365.25, 1) <= 10 THEN 'y3_10' ELSE 'gt10' END
$$;
