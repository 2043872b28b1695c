-- SPDX-License-Identifier: Apache-2.0
--
-- Opens the flags that the data up to p_as_of gives reason for. Most days have no new calls since they were looked at
-- (title_flag_check), and are not read again; one with late calls is. A flag that is there stays as it is: cleared
-- ones don't come back, and evidence is that of the hour in which it was opened.

CREATE OR REPLACE FUNCTION titles_flag(p_as_of timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
SET max_parallel_workers_per_gather = 2
SET parallel_leader_participation = off
SET parallel_setup_cost = 0
SET parallel_tuple_cost = 0
AS $$
DECLARE
	v_days timestamptz[];
BEGIN
	WITH seen AS (
		SELECT date_trunc('day', bucket) AS day, sum(calls) AS calls FROM usage_team_hour
		WHERE bucket >= date_trunc('day', p_as_of - interval '720 hours') AND bucket < p_as_of
		GROUP BY 1
	), changed AS (
		INSERT INTO title_flag_check AS t (day, calls)
		SELECT day, calls FROM seen
		ON CONFLICT (day) DO UPDATE SET calls = EXCLUDED.calls WHERE t.calls <> EXCLUDED.calls
		RETURNING day
	)
	SELECT COALESCE(array_agg(day), '{}') INTO v_days FROM changed;
	DELETE FROM title_flag_check WHERE day < p_as_of - interval '60 days';

	-- A table of its own, because an INSERT runs in one process, and this may take several.
	CREATE TEMPORARY TABLE title_flag_found ON COMMIT DROP AS
	SELECT * FROM flags_many_sessions(v_days, p_as_of)
	UNION ALL SELECT * FROM flags_always_active(v_days, p_as_of)
	UNION ALL SELECT * FROM flags_sudden_day(v_days, p_as_of)
	UNION ALL SELECT * FROM flags_no_output(p_as_of);
	INSERT INTO title_flag_row (person_id, rule, day, evidence, opened_at)
	SELECT f.person_id, f.rule, f.day::date, f.evidence, p_as_of
	FROM pg_temp.title_flag_found f
	JOIN person p ON p.id = f.person_id AND p.kind = 'person'
	ON CONFLICT DO NOTHING;
	DROP TABLE pg_temp.title_flag_found;
END
$$;
COMMENT ON FUNCTION titles_flag(timestamptz) IS 'Part of recompute_titles: opens flags';
REVOKE ALL ON FUNCTION titles_flag(timestamptz) FROM PUBLIC;
