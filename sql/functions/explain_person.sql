-- SPDX-License-Identifier: Apache-2.0
--
-- The work of explain_titles: a run that is not stored, and what it found about one person.

CREATE OR REPLACE FUNCTION explain_person(p_person bigint, p_title text)
RETURNS TABLE (title text, tier text, rank int, value numeric, metric text, window_name text, window_start timestamptz,
	window_end timestamptz, next_tier text, next_value numeric, moved text, kept_out text)
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
SET work_mem = '128MB'
SET jit = off
SET enable_nestloop = off
SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
SET client_min_messages = warning
AS $$
#variable_conflict use_column
DECLARE
	v_as_of timestamptz := COALESCE((SELECT max(r.as_of) FROM title_run_row r), date_trunc('hour', now(), 'UTC'));
	v_rule record;
BEGIN
	PERFORM titles_compute(v_as_of);
	FOR v_rule IN SELECT r.*, c.id AS contest, v_as_of - make_interval(hours => w.hours) AS starts
		FROM title_rule r JOIN title_window w ON w.name = r.window_name LEFT JOIN pg_temp.title_contest c ON c.title = r.name
		WHERE r.name = COALESCE(p_title, r.name) ORDER BY r.name
	LOOP
		title := v_rule.name;
		metric := v_rule.metric;
		window_name := v_rule.window_name;
		window_start := v_rule.starts;
		window_end := v_as_of;
		value := explain_value(p_person, v_rule.metric, v_rule.window_name, v_rule.starts, v_as_of);
		SELECT s.rank, s.tier INTO rank, tier FROM pg_temp.title_score s WHERE s.contest = v_rule.contest AND s.person_id = p_person;
		kept_out := explain_kept_out(p_person, v_rule, value, v_as_of);
		IF rank IS NULL AND kept_out IS NULL AND v_rule.metric <> 'longest_session_hours' THEN
			rank := explain_rank(v_rule.metric, v_rule.window_name, v_rule.floors, v_rule.direction, value);
		END IF;
		SELECT n.tier, n.value INTO next_tier, next_value FROM explain_next(v_rule, tier) n;
		moved := explain_moved(p_person, v_rule.name, v_as_of);
		value := title_value(value);
		next_value := title_value(next_value);
		RETURN NEXT;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION explain_person(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION explain_person(bigint, text) IS 'Part of explain_titles';
