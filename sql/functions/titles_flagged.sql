-- SPDX-License-Identifier: Apache-2.0
--
-- Who carries an open flag as of an hour: one that nobody cleared, of a day that is still within the 30 days.

CREATE OR REPLACE FUNCTION titles_flagged(p_as_of timestamptz) RETURNS TABLE (person_id bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT COALESCE(p.main_id, p.id)
	FROM tokentally.title_flag_row f JOIN tokentally.person p ON p.id = f.person_id
	WHERE f.cleared_at IS NULL AND (f.day::timestamp AT TIME ZONE 'UTC') < p_as_of
	AND ((f.day + 1)::timestamp AT TIME ZONE 'UTC') > p_as_of - interval '720 hours'
$$;
COMMENT ON FUNCTION titles_flagged(timestamptz) IS 'Part of recompute_titles: people with an open flag';
REVOKE ALL ON FUNCTION titles_flagged(timestamptz) FROM PUBLIC;
