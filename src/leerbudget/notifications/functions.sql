-- Write a notice to the outbox; a second time does nothing. Its words are checked where notices are read and in tests.

CREATE FUNCTION rooms.post_notice(
  _kind text, _business_ref text, _address text, _context jsonb, _useless_after timestamptz, _at timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO outbox_message (id, kind, business_ref, address, context, created_at, send_after, useless_after)
  VALUES (uuidv7(), _kind, _business_ref, _address, _context, _at, _at, _useless_after)
  ON CONFLICT ON CONSTRAINT every_notice_once DO NOTHING;
END $$;
