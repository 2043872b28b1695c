-- SPDX-License-Identifier: Apache-2.0
--
-- Who held the titles at a time, by the history: rank and value as awarded. as_of is the run that was the newest
-- then. It runs with the caller's rights, and so shows the names that the caller may see.

CREATE OR REPLACE FUNCTION title_holder_at(ts timestamptz)
RETURNS TABLE (title text, tier text, rank int, user_key text, value numeric, held_since timestamptz, as_of timestamptz)
LANGUAGE sql STABLE ROWS 300
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT h.title, h.tier, h.rank, h.user_key, h.value, h.held_since,
		(SELECT max(r.as_of) FROM title_run r WHERE r.as_of <= ts)
	FROM title_history h
	WHERE h.held_from <= ts AND (h.held_until IS NULL OR h.held_until > ts)
$$;
REVOKE ALL ON FUNCTION title_holder_at(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION title_holder_at(timestamptz)
	TO tokentally_reader, tokentally_people, tokentally_ingest, tokentally_admin;
COMMENT ON FUNCTION title_holder_at(timestamptz) IS 'Who held which title and tier at a time';
