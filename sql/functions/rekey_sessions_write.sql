-- SPDX-License-Identifier: Apache-2.0
--
-- New hashes of the sessions of these slots. Rows that came since rekey_sessions_read are of the new key already. Rows are
-- locked in the order in which commits take them. The joins hash, whatever statistics there are. Who is not where the last one ended, or has another key, is the
-- slower of two: nothing is written.

CREATE OR REPLACE FUNCTION rekey_sessions_write(p_key_check text, p_from timestamptz, p_until timestamptz,
	p_session_ids uuid[], p_shown_keys text[])
RETURNS bigint
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET datestyle = 'ISO'
SET work_mem = '64MB'
SET jit = off
SET enable_nestloop = off
SET enable_mergejoin = off
AS $$
DECLARE
	v_rows bigint;
BEGIN
	PERFORM take_lock('rollups', p_shared => true);
	UPDATE setting SET value = p_from::text
	WHERE key = 'sessions_rekeyed_from' AND value::timestamptz = p_until
	AND EXISTS (SELECT FROM setting c WHERE c.key = 'privacy_key_check' AND c.value = p_key_check);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'another rekey is at work' USING ERRCODE = '55000';
	END IF;
	WITH locked AS (
		SELECT s.slot, s.person_id, s.session_id, n.shown_key
		FROM session_slot s JOIN unnest(p_session_ids, p_shown_keys) AS n (session_id, shown_key) USING (session_id)
		WHERE s.slot >= p_from AND s.slot < p_until
		ORDER BY s.slot, s.person_id, s.session_id
		FOR UPDATE OF s
	)
	UPDATE session_slot s SET shown_key = l.shown_key
	FROM locked l
	WHERE s.slot >= p_from AND s.slot < p_until
	AND (s.slot, s.person_id, s.session_id) = (l.slot, l.person_id, l.session_id);
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	IF p_from = '-infinity' THEN
		DELETE FROM setting WHERE key = 'sessions_rekeyed_from';
		PERFORM audit('rekey', 'all sessions have hashes of the new privacy key');
	END IF;
	RETURN v_rows;
END
$$;
REVOKE ALL ON FUNCTION rekey_sessions_write(text, timestamptz, timestamptz, uuid[], text[]) FROM PUBLIC;
COMMENT ON FUNCTION rekey_sessions_write(text, timestamptz, timestamptz, uuid[], text[]) IS 'Part of tokentally rekey: new hashes of sessions';
