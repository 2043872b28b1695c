-- SPDX-License-Identifier: Apache-2.0
--
-- The newest slots whose sessions still have hashes of the former key: about p_rows rows, whole slots, each session once.
-- Without any session there is one row of nulls; without a rekey under way there is none.

CREATE OR REPLACE FUNCTION rekey_sessions_read(p_rows int)
RETURNS TABLE (from_slot timestamptz, until_slot timestamptz, session_id uuid, session_key text)
LANGUAGE plpgsql STABLE
SET search_path = tokentally, pg_catalog, pg_temp
SET datestyle = 'ISO'
AS $$
BEGIN
	SELECT value::timestamptz INTO until_slot FROM setting WHERE key = 'sessions_rekeyed_from';
	IF NOT FOUND THEN
		RETURN;
	END IF;
	from_slot := coalesce((SELECT s.slot FROM session_slot s WHERE s.slot < until_slot
		ORDER BY s.slot DESC OFFSET p_rows - 1 LIMIT 1), '-infinity');
	RETURN QUERY SELECT from_slot, until_slot, d.session_id, d.session_key
	FROM (VALUES (1)) one LEFT JOIN (SELECT DISTINCT s.session_id, s.session_key FROM session_slot s
		WHERE s.slot >= from_slot AND s.slot < until_slot) d ON true;
END
$$;
REVOKE ALL ON FUNCTION rekey_sessions_read(int) FROM PUBLIC;
COMMENT ON FUNCTION rekey_sessions_read(int) IS 'Part of tokentally rekey: sessions whose hashes are next';
