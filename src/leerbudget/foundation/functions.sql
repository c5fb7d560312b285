-- How a function of a room refuses: with the code of an error and its data. The statement that called it leaves nothing behind.

CREATE FUNCTION rooms.refuse(_code text, _data jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', _code USING ERRCODE = 'LB001', DETAIL = _data::text;
END $$;
