-- SPDX-License-Identifier: Apache-2.0
--
-- Nobody leads more than 50 sessions in one hour. Of a person with n identities who does, one has more than 50 / 2n in one of
-- the hour's two slots: those are counted along the primary key, and few are left to be counted exactly.

CREATE OR REPLACE FUNCTION flags_many_sessions(p_days timestamptz[], p_as_of timestamptz)
RETURNS TABLE (person_id bigint, rule text, day timestamptz, evidence text)
LANGUAGE sql STABLE PARALLEL SAFE COST 100000000
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
	WITH busy AS MATERIALIZED (
		SELECT DISTINCT d.day, COALESCE(p.main_id, p.id) AS person_id
		FROM unnest(p_days) d (day)
		CROSS JOIN LATERAL (SELECT person_id FROM session_slot
			WHERE slot >= d.day AND slot < d.day + interval '1 day' AND slot < p_as_of
			GROUP BY slot, person_id
			HAVING count(*) * 2 * (SELECT COALESCE(max(n), 0) + 1 FROM (SELECT count(*) AS n FROM person WHERE main_id IS NOT NULL
				GROUP BY main_id) aliases) > 50) s
		JOIN person p ON p.id = s.person_id
	), slot AS (
		SELECT busy.person_id, busy.day, date_trunc('hour', s.slot) AS hour, s.session_id
		FROM busy
		JOIN person p ON COALESCE(p.main_id, p.id) = busy.person_id
		JOIN session_slot s ON s.person_id = p.id AND s.slot >= busy.day AND s.slot < busy.day + interval '1 day'
		WHERE s.slot >= (SELECT min(day) FROM busy) AND s.slot < p_as_of
	)
	SELECT DISTINCT ON (person_id, day) person_id, 'many sessions', day,
		format('%s sessions in the hour from %s', sessions, to_char(hour, 'YYYY-MM-DD HH24:MI'))
	FROM (SELECT person_id, day, hour, count(DISTINCT session_id) AS sessions
		FROM slot
		GROUP BY 1, 2, 3) counted
	WHERE sessions > 50
	ORDER BY person_id, day, sessions DESC, hour
$$;
COMMENT ON FUNCTION flags_many_sessions(timestamptz[], timestamptz) IS 'Part of titles_flag: more than 50 sessions in an hour';
REVOKE ALL ON FUNCTION flags_many_sessions(timestamptz[], timestamptz) FROM PUBLIC;
