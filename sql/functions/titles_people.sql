-- SPDX-License-Identifier: Apache-2.0
--
-- Who takes part in titles as of an hour: every identity, and the person it counts for. Service accounts, who opted
-- out, and who carries an open flag do not.

CREATE OR REPLACE FUNCTION titles_people(p_as_of timestamptz)
RETURNS TABLE (identity_id bigint, person_id bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT i.id, p.id
	FROM tokentally.person i JOIN tokentally.person p ON p.id = COALESCE(i.main_id, i.id)
	WHERE p.kind = 'person' AND p.titles
	AND p.id NOT IN (SELECT person_id FROM tokentally.titles_flagged(p_as_of))
$$;
COMMENT ON FUNCTION titles_people(timestamptz) IS 'Part of recompute_titles: who takes part, by identity';
REVOKE ALL ON FUNCTION titles_people(timestamptz) FROM PUBLIC;
