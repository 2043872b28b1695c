-- SPDX-License-Identifier: Apache-2.0
--
-- From one privacy key to another: all people at once, in one statement, under the locks that keep daemons from writing.
-- The names generation rises, so that a daemon with the former key can intern and commit nothing more (TT002), says hello
-- again and is refused (TT011). Sessions follow in parts (rekey_sessions_write); until then readers see theirs as
-- "(hidden)". Tombstones of erased people hang on another key, which stays.

CREATE OR REPLACE FUNCTION rekey_switch(p_key_check text, p_ids bigint[], p_pseudonyms text[]) RETURNS bigint
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET work_mem = '64MB'
SET jit = off
AS $$
DECLARE
	v_people bigint;
BEGIN
	PERFORM require_read_committed();
	PERFORM take_lock('rollups');
	PERFORM take_lock('names');
	UPDATE person p SET pseudonym = n.pseudonym
	FROM unnest(p_ids, p_pseudonyms) AS n (id, pseudonym)
	WHERE p.id = n.id;
	GET DIAGNOSTICS v_people = ROW_COUNT;
	IF v_people <> (SELECT count(*) FROM person WHERE id IS DISTINCT FROM erased_person()) THEN
		RAISE EXCEPTION 'there are new people since they were read' USING ERRCODE = '40001';
	END IF;
	PERFORM show_people(NULL);
	INSERT INTO setting AS s VALUES ('privacy_key_check', p_key_check), ('sessions_rekeyed_from', 'infinity')
	ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value;
	UPDATE setting SET value = (value::bigint + 1)::text WHERE key = 'names_generation';
	PERFORM audit('rekey', format('another privacy key: new pseudonyms of %s people', v_people));
	RETURN v_people;
END
$$;
REVOKE ALL ON FUNCTION rekey_switch(text, bigint[], text[]) FROM PUBLIC;
COMMENT ON FUNCTION rekey_switch(text, bigint[], text[]) IS 'Part of tokentally rekey: new pseudonyms of all people, or 40001 if some are missing';
