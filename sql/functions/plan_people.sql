-- SPDX-License-Identifier: Apache-2.0
--
-- What import_people would do with each entry that is not as it was before. Entries are taken as if by time: each is
-- compared with the team that its person has just before, by the table and by the other entries.

CREATE OR REPLACE FUNCTION plan_people(p_keys text[], p_teams text[], p_from timestamptz[]) RETURNS SETOF team_change
LANGUAGE sql STABLE
SET search_path = tokentally, pg_catalog, pg_temp
SET work_mem = '64MB'
AS $$
	WITH entry AS MATERIALIZED (
		-- Who is not known yet, in whatever order, is nobody else's alias.
		SELECT w.n, w.key, w.team, w.at, COALESCE(p.main_id, p.id)::text AS id, COALESCE(p.main_id, p.id) AS person_id,
			p.id IS NULL AND is_erased(w.key) AS erased
		FROM unnest(p_keys, p_teams, p_from) WITH ORDINALITY AS w (key, team, at, n) LEFT JOIN person p ON p.user_key = w.key
	), named AS (
		SELECT COALESCE(id, 'new ' || key) AS who, * FROM entry WHERE NOT erased
	), known AS (
		SELECT DISTINCT who, person_id FROM named WHERE person_id IS NOT NULL
	), moment AS ( -- all moves there will be; an entry stands for the row of its time
		SELECT k.who, t.valid_from AS at, t.team, NULL::bigint AS n, NULL::text AS key
		FROM known k JOIN person_team_row t USING (person_id)
		WHERE NOT EXISTS (SELECT FROM named e WHERE e.who = k.who AND e.at = t.valid_from)
		UNION ALL
		SELECT who, at, team, n, key FROM named
	), judged AS (
		SELECT m.*, lag(m.team) OVER (PARTITION BY m.who ORDER BY m.at, m.n) AS before,
			count(*) FILTER (WHERE m.n IS NOT NULL) OVER (PARTITION BY m.who, m.at) > 1
			AND min(m.team) OVER (PARTITION BY m.who, m.at) <> max(m.team) OVER (PARTITION BY m.who, m.at) AS conflict,
			t.team AS at_once
		FROM moment m LEFT JOIN known k USING (who)
		LEFT JOIN person_team_row t ON t.person_id = k.person_id AND t.valid_from = m.at AND m.n IS NOT NULL
	), change AS (
		SELECT n, key, CASE WHEN at_once IS NULL THEN COALESCE(before, '') ELSE at_once END AS old_team, team, at,
			CASE WHEN conflict THEN 'conflict' WHEN at_once IS NOT NULL THEN 'correction' WHEN team = '' THEN 'leave'
				WHEN before IS NULL OR before = '' THEN 'new' ELSE 'move' END AS change
		FROM judged WHERE n IS NOT NULL
	)
	SELECT n::int, key, old_team, team, at, change FROM change WHERE old_team <> team OR change = 'conflict'
	UNION ALL
	SELECT n::int, key, '', team, at, 'erased' FROM entry WHERE erased
	ORDER BY 1
$$;
REVOKE ALL ON FUNCTION plan_people FROM PUBLIC;
COMMENT ON FUNCTION plan_people IS 'Part of import_people: what would change';
