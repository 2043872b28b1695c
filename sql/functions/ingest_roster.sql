-- SPDX-License-Identifier: Apache-2.0
--
-- Team moves for the daemon, a page of people after p_after each time, with every key a person has: those in force at
-- p_from or later (the newest always is). TT005 when the rules are not of that generation any more: then start anew.

CREATE OR REPLACE FUNCTION ingest_roster(p_generation bigint, p_from timestamptz, p_after bigint, p_people int)
RETURNS TABLE (person_id bigint, user_key text, valid_from timestamptz, team text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM check_rules_generation(p_generation);
	RETURN QUERY
	WITH page AS MATERIALIZED (
		SELECT DISTINCT t.person_id FROM person_team_row t WHERE t.person_id > p_after ORDER BY 1 LIMIT p_people
	), identity AS (
		SELECT g.person_id, i.user_key FROM page g JOIN person i ON i.id = g.person_id
		UNION ALL
		SELECT g.person_id, i.user_key FROM page g JOIN person i ON i.main_id = g.person_id
	), move AS (
		SELECT t.person_id, t.valid_from, t.team, lead(t.valid_from, 1, 'infinity') OVER (PARTITION BY t.person_id ORDER BY t.valid_from) AS valid_to
		FROM page g JOIN person_team_row t USING (person_id)
	)
	SELECT i.person_id, i.user_key, m.valid_from, m.team
	FROM identity i JOIN move m USING (person_id)
	WHERE m.valid_to > p_from
	ORDER BY 1;
END
$$;
REVOKE ALL ON FUNCTION ingest_roster FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_roster TO tokentally_ingest;
COMMENT ON FUNCTION ingest_roster IS
	'A page of team moves, by key; TT005 when they are not of this generation';
