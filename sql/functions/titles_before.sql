-- SPDX-License-Identifier: Apache-2.0
--
-- The awards held in the hour that ended at p_as_of, before the run of p_as_of decides: in the temporary table
-- title_before. What an earlier run of the same p_as_of did does not show: it started or ended at p_as_of.

CREATE OR REPLACE FUNCTION titles_before(p_as_of timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	DROP TABLE IF EXISTS pg_temp.title_before;
	CREATE TEMPORARY TABLE title_before ON COMMIT DROP AS
	SELECT a.*, t.place, COALESCE(s.rule_version, a.rule_version) AS version_then
	FROM title_award_row a JOIN title_tier t ON t.name = a.tier
	-- The version it was last found to hold under; an award keeps the one it was made under.
	LEFT JOIN title_standing s ON s.title = a.title AND s.person_id = a.person_id
		AND s.as_of = (SELECT max(as_of) FROM title_run_row WHERE as_of < p_as_of)
	WHERE a.awarded_at < p_as_of AND (a.revoked_at IS NULL OR a.revoked_at >= p_as_of);
	ANALYZE pg_temp.title_before;
END
$$;
COMMENT ON FUNCTION titles_before(timestamptz) IS 'Part of recompute_titles: awards held until then, in title_before';
REVOKE ALL ON FUNCTION titles_before(timestamptz) FROM PUBLIC;
