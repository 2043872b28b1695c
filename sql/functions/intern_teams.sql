-- SPDX-License-Identifier: Apache-2.0
--
-- Ids of teams, made for those not seen yet; see intern_people.

CREATE OR REPLACE FUNCTION intern_teams(p_names text[])
RETURNS int[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO team (name)
	SELECT DISTINCT w.name COLLATE "C"
	FROM unnest(p_names) AS w (name)
	WHERE NOT EXISTS (SELECT FROM team t WHERE t.name = w.name)
	ORDER BY 1
	ON CONFLICT DO NOTHING;
	RETURN complete_ids((
		SELECT array_agg(t.id::bigint ORDER BY w.n)
		FROM unnest(p_names) WITH ORDINALITY AS w (name, n) JOIN team t ON t.name = w.name
	), cardinality(p_names))::int[];
END
$$;
REVOKE ALL ON FUNCTION intern_teams FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intern_teams TO tokentally_ingest;
COMMENT ON FUNCTION intern_teams IS
	'Ids of these teams in the same order; new ones are made';
