-- SPDX-License-Identifier: Apache-2.0
--
-- Erases a person with all identities. Counters move to "(erased)", so that no total changes; sessions, titles, flags,
-- logins, team moves and what dead letters quote go. A tombstone makes later events of the key, also a replay of old ones, count for
-- "(erased)" as well. Daemons hold ids of names: the names generation rises, they forget what they have read and not
-- committed, and read it again.
--
-- Lock titles first (no run may write about someone who goes), then rollups: ingest waits from there on, so rows are
-- found by the hours of the days on which the person was active, not by reading everything.

CREATE OR REPLACE FUNCTION erase_user(user_key text) RETURNS erase_result
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
SET work_mem = '64MB'
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	v_ids bigint[];
	v_keys text[];
	v_result erase_result;
BEGIN
	PERFORM require_read_committed();
	PERFORM take_lock('titles');
	PERFORM take_lock('rollups');
	PERFORM take_lock('names');
	SELECT array_agg(i.id), array_agg(i.user_key) INTO v_ids, v_keys
	FROM person p JOIN person i ON COALESCE(i.main_id, i.id) = COALESCE(p.main_id, p.id)
	WHERE p.user_key = erase_user.user_key AND p.id IS DISTINCT FROM erased_person();
	IF v_ids IS NULL THEN
		RAISE EXCEPTION 'nobody of that key is known' USING ERRCODE = 'P0002';
	END IF;
	PERFORM erase_make_person();
	INSERT INTO erased_key (hash) SELECT tombstone_of(k) FROM unnest(v_keys) k ON CONFLICT DO NOTHING;
	v_result := erase_usage(v_ids);
	v_result.identities := cardinality(v_ids);
	v_result.awards := erase_titles(v_ids);
	v_result.dead_letters := erase_dead_letters(v_keys);
	DELETE FROM person_login WHERE person_id = ANY (v_ids);
	DELETE FROM app_person WHERE person_id = ANY (v_ids);
	DELETE FROM person_team_row WHERE person_id = ANY (v_ids);
	IF FOUND THEN
		PERFORM new_rules_generation();
	END IF;
	UPDATE person SET main_id = NULL WHERE id = ANY (v_ids);
	DELETE FROM person WHERE id = ANY (v_ids);
	UPDATE setting SET value = (value::bigint + 1)::text WHERE key = 'names_generation';
	PERFORM audit('erase', format('a person with %s identities', v_result.identities));
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION erase_user(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_user(text) TO tokentally_admin;
COMMENT ON FUNCTION erase_user(text) IS 'Erases a person: counters go to "(erased)", everything else goes, a replay does not bring it back';
