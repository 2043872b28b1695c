-- SPDX-License-Identifier: Apache-2.0
--
-- All that is kept about one person, with all identities. Who looked is recorded.

CREATE OR REPLACE FUNCTION export_user(user_key text) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
DECLARE
	v_ids bigint[] := ARRAY(SELECT i.id FROM person p JOIN person i ON COALESCE(i.main_id, i.id) = COALESCE(p.main_id, p.id)
		WHERE p.user_key = export_user.user_key);
BEGIN
	IF v_ids = '{}' THEN
		RAISE EXCEPTION 'nobody of that key is known' USING ERRCODE = 'P0002';
	END IF;
	PERFORM audit('export', format('person %s', (SELECT COALESCE(p.main_id, p.id) FROM person p WHERE p.user_key = export_user.user_key)));
	RETURN json_build_object(
		'user_key', export_user.user_key,
		'identities', (SELECT json_agg(i) FROM (SELECT p.user_key, p.main_id IS NOT NULL AS alias, p.pseudonym, p.shown_key, p.kind,
			p.titles, p.names, p.first_seen FROM person p WHERE p.id = ANY (v_ids) ORDER BY p.id) i),
		'logins', (SELECT json_agg(l.login) FROM person_login l WHERE l.person_id = ANY (v_ids)),
		'teams', (SELECT json_agg(t ORDER BY t.valid_from) FROM (SELECT v.team, v.valid_from FROM person_team_row v WHERE v.person_id = ANY (v_ids)) t),
		'apps', (SELECT json_agg(a) FROM (SELECT app.name AS app, ap.day AS last_day FROM app_person ap JOIN app ON app.id = ap.app_id
			WHERE ap.person_id = ANY (v_ids) ORDER BY 1) a),
		'usage_by_hour', (SELECT json_agg(h ORDER BY h.bucket) FROM (SELECT t.name AS team, m.provider, m.name AS model, u.* FROM usage_hour u
			JOIN team t ON t.id = u.team_id JOIN model m ON m.id = u.model_id WHERE u.person_id = ANY (v_ids)) h),
		'usage_by_day', (SELECT json_agg(d ORDER BY d.bucket) FROM (SELECT t.name AS team, m.provider, m.name AS model, u.* FROM usage_day u
			JOIN team t ON t.id = u.team_id JOIN model m ON m.id = u.model_id WHERE u.person_id = ANY (v_ids)) d),
		'sessions', (SELECT json_agg(s ORDER BY s.slot) FROM session_slot s WHERE s.person_id = ANY (v_ids)),
		'awards', (SELECT json_agg(a ORDER BY a.id) FROM title_award_row a WHERE a.person_id = ANY (v_ids)),
		'standing', (SELECT json_agg(s ORDER BY s.as_of, s.title) FROM title_standing s WHERE s.person_id = ANY (v_ids)),
		'boards', (SELECT json_agg(b ORDER BY b.board, b.window_name) FROM leaderboard_row b WHERE b.person_id = ANY (v_ids)),
		'flags', (SELECT json_agg(f ORDER BY f.day) FROM title_flag_row f WHERE f.person_id = ANY (v_ids)));
END
$$;
REVOKE ALL ON FUNCTION export_user FROM PUBLIC;
GRANT EXECUTE ON FUNCTION export_user TO tokentally_admin;
COMMENT ON FUNCTION export_user IS
	'All that is kept about one person, as JSON';
