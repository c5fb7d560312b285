-- A booking fulfils a wish of the same family, or of the same professional, never another's.

CREATE FUNCTION rooms.check_wish(_wish uuid, _family uuid, _person uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM wish w
    WHERE w.id = _wish AND w.family IS NOT DISTINCT FROM _family AND (_family IS NOT NULL OR w.stated_by = _person)
  ) THEN
    PERFORM rooms.refuse('wish_unknown');
  END IF;
END $$;

-- Bring a wish to another state, from one of these.
CREATE FUNCTION rooms.mark_wish(_wish uuid, _to text, _from text[], _at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE wish w SET state = _to, changed_at = _at WHERE w.id = _wish AND w.state = ANY (_from);
  IF NOT FOUND THEN
    PERFORM rooms.refuse('wish_step_not_allowed', jsonb_build_object(
      'wishes', (SELECT jsonb_object_agg(w.id, w.state) FROM wish w WHERE w.id = _wish), 'to', _to));
  END IF;
END $$;
