-- SPDX-License-Identifier: Apache-2.0
--
-- Nobody leads more than 50 sessions in one hour. Who has no more than 50 slots in it cannot, and those are quicker counted.

CREATE OR REPLACE FUNCTION flags_many_sessions(p_days timestamptz[], p_as_of timestamptz)
RETURNS TABLE (person_id bigint, rule text, day timestamptz, evidence text)
LANGUAGE sql STABLE PARALLEL SAFE COST 100000000
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
	WITH slot AS (
		SELECT COALESCE(p.main_id, p.id) AS person_id, d.day, date_trunc('hour', s.slot) AS hour, s.session_id
		FROM unnest(p_days) d (day)
		JOIN session_slot s ON s.slot >= d.day AND s.slot < d.day + interval '1 day' AND s.slot < p_as_of
		JOIN person p ON p.id = s.person_id
	), busy AS MATERIALIZED (
		SELECT person_id, hour FROM slot GROUP BY 1, 2 HAVING count(*) > 50
	)
	SELECT DISTINCT ON (person_id, day) person_id, 'many sessions', day,
		format('%s sessions in the hour from %s', sessions, to_char(hour, 'YYYY-MM-DD HH24:MI'))
	FROM (SELECT person_id, day, hour, count(DISTINCT session_id) AS sessions
		FROM slot JOIN busy USING (person_id, hour)
		GROUP BY 1, 2, 3) counted
	WHERE sessions > 50
	ORDER BY person_id, day, sessions DESC, hour
$$;
COMMENT ON FUNCTION flags_many_sessions(timestamptz[], timestamptz) IS 'Part of titles_flag: more than 50 sessions in an hour';
REVOKE ALL ON FUNCTION flags_many_sessions(timestamptz[], timestamptz) FROM PUBLIC;
