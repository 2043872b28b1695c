-- SPDX-License-Identifier: Apache-2.0
--
-- Team moves for the daemon, some p_rows of people after p_after each time, with every key a person has: those in force at
-- p_from or later (the newest always is). TT005 when the rules are not of that generation any more: then start anew.
-- Both sides of each join are ranges of an index, so that it costs the same whatever statistics there are: right after an
-- import there are none, and nested loops over people took minutes.

CREATE OR REPLACE FUNCTION ingest_roster(p_generation bigint, p_from timestamptz, p_after bigint, p_rows int)
RETURNS TABLE (person_id bigint, user_key text, valid_from timestamptz, team text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET enable_nestloop = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
	v_last bigint := COALESCE(
		(SELECT t.person_id FROM person_team_row t WHERE t.person_id > p_after ORDER BY t.person_id OFFSET p_rows - 1 LIMIT 1),
		9223372036854775807);
BEGIN
	PERFORM check_rules_generation(p_generation);
	RETURN QUERY
	WITH move AS MATERIALIZED (
		SELECT t.person_id, t.valid_from, t.team, lead(t.valid_from, 1, 'infinity') OVER (PARTITION BY t.person_id ORDER BY t.valid_from) AS valid_to
		FROM person_team_row t WHERE t.person_id > p_after AND t.person_id <= v_last
	)
	SELECT m.person_id, i.user_key, m.valid_from, m.team
	FROM move m JOIN person i ON i.id = m.person_id AND i.id > p_after AND i.id <= v_last
	WHERE m.valid_to > p_from
	UNION ALL
	SELECT m.person_id, i.user_key, m.valid_from, m.team
	FROM move m JOIN person i ON i.main_id = m.person_id AND i.main_id > p_after AND i.main_id <= v_last
	WHERE m.valid_to > p_from
	ORDER BY 1;
END
$$;
REVOKE ALL ON FUNCTION ingest_roster FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_roster TO tokentally_ingest;
COMMENT ON FUNCTION ingest_roster IS
	'A page of team moves, by key; TT005 when they are not of this generation';
