-- SPDX-License-Identifier: Apache-2.0
--
-- The awards that should be held from p_as_of on, in the temporary table title_target. Who keeps a tier keeps the
-- award made then (award_id), with the rank and value of then.

CREATE OR REPLACE FUNCTION titles_target(p_as_of timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	DROP TABLE IF EXISTS pg_temp.title_target;
	CREATE TEMPORARY TABLE title_target ON COMMIT DROP AS
	SELECT c.title, s.tier, s.person_id, c.id AS contest, s.rank AS rank_now, title_value(s.value) AS value_now,
		b.id AS award_id,
		CASE WHEN b.id IS NULL THEN s.rank ELSE b.rank END AS rank,
		CASE WHEN b.id IS NULL THEN title_value(s.value) ELSE b.value END AS value,
		COALESCE(b.rule_version, c.rule_version) AS rule_version,
		COALESCE(b.held_since, p_as_of) AS held_since,
		COALESCE(b.window_start, p_as_of - make_interval(hours => w.hours)) AS window_start,
		COALESCE(b.window_end, p_as_of) AS window_end
	FROM pg_temp.title_score s
	JOIN pg_temp.title_contest c ON c.id = s.contest
	JOIN title_window w ON w.name = c.window_name
	LEFT JOIN pg_temp.title_before b ON b.title = c.title AND b.person_id = s.person_id AND b.tier = s.tier
	WHERE s.tier IS NOT NULL;
	ANALYZE pg_temp.title_target;
END
$$;
COMMENT ON FUNCTION titles_target(timestamptz) IS 'Part of recompute_titles: awards to be held, in title_target';
REVOKE ALL ON FUNCTION titles_target(timestamptz) FROM PUBLIC;
