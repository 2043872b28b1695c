-- SPDX-License-Identifier: Apache-2.0
--
-- The titles as they would be as of an hour, on the data and rules of now, without storing anything: for hours that
-- recompute_titles does not store. Who may see names is decided by the role that the caller has taken on, or the
-- login: inside the function everyone is its owner.

CREATE OR REPLACE FUNCTION preview_titles(as_of timestamptz)
RETURNS TABLE (title text, tier text, rank int, user_key text, value numeric)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
SET work_mem = '128MB'
SET jit = off
SET enable_nestloop = off
SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
SET client_min_messages = warning
AS $$
DECLARE
	v_named boolean := pg_has_role(COALESCE(NULLIF(current_setting('role'), 'none'), session_user)::name,
		'tokentally_people', 'usage');
BEGIN
	PERFORM titles_compute(titles_hour(preview_titles.as_of));
	RETURN QUERY SELECT t.title, t.tier, t.rank_now, CASE WHEN v_named THEN p.user_key ELSE p.shown_key END, t.value_now
	FROM pg_temp.title_target t
	JOIN pg_temp.title_score s ON s.contest = t.contest AND s.person_id = t.person_id
	JOIN title_tier ON title_tier.name = t.tier
	JOIN person p ON p.id = t.person_id
	ORDER BY t.title, title_tier.place, t.rank_now, s.tiebreak, t.person_id;
END
$$;
REVOKE ALL ON FUNCTION preview_titles(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION preview_titles(timestamptz) TO tokentally_ingest, tokentally_admin;
COMMENT ON FUNCTION preview_titles(timestamptz) IS 'The titles as of an hour, computed now and not stored';
