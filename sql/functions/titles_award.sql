-- SPDX-License-Identifier: Apache-2.0
--
-- Brings title_award_row to title_target, by adding rows and by revoking open ones. A first run of p_as_of and one
-- that corrects it after late data end with the same holders:
-- an award of p_as_of that proves wrong is revoked at p_as_of, so that it was held at no time; a revocation of
-- p_as_of that proves wrong is followed by a row that goes on from p_as_of, with held_since, rank and value of the
-- award it continues.

CREATE OR REPLACE FUNCTION titles_award(p_as_of timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	WITH gone AS MATERIALIZED (
		SELECT * FROM title_award_row open
		WHERE open.revoked_at IS NULL
		AND NOT EXISTS (SELECT FROM pg_temp.title_target t
			WHERE t.title = open.title AND t.person_id = open.person_id
			AND (t.award_id = open.id OR open.awarded_at = p_as_of
				AND (t.tier, t.rank, t.value, t.rule_version, t.held_since, t.window_start)
					= (open.tier, open.rank, open.value, open.rule_version, open.held_since, open.window_start)))
	)
	UPDATE title_award_row a SET revoked_at = p_as_of, reason = why.reason
	FROM (SELECT open.id,
			CASE
			WHEN c.id IS NULL THEN 'rule disabled'
			WHEN open.person_id IN (SELECT person_id FROM titles_flagged(p_as_of)) THEN 'flag'
			WHEN who.person_id IS NULL THEN 'not eligible'
			WHEN c.rule_version <> COALESCE(b.version_then, open.rule_version) THEN 'rule changed'
			WHEN open.awarded_at = p_as_of THEN 'late data'
			WHEN tier_now.place < tier_then.place THEN 'moved up'
			-- The rank would still do.
			WHEN c.kind = 'rank' AND s.rank <= (c.tiers ->> open.tier)::numeric THEN 'tier not given'
			WHEN tier_now.place > tier_then.place THEN 'moved down'
			ELSE 'no longer ranked' END AS reason
		FROM gone open
		LEFT JOIN titles_people(p_as_of) who ON who.identity_id = open.person_id AND who.person_id = open.person_id
		JOIN title_tier tier_then ON tier_then.name = open.tier
		LEFT JOIN pg_temp.title_contest c ON c.title = open.title
		LEFT JOIN pg_temp.title_before b ON b.id = open.id
		LEFT JOIN pg_temp.title_score s ON s.contest = c.id AND s.person_id = open.person_id
		LEFT JOIN title_tier tier_now ON tier_now.name = s.tier
		) why
	WHERE a.id = why.id AND a.revoked_at IS NULL;

	INSERT INTO title_award_row (title, tier, person_id, rank, value, rule_version, awarded_at, held_since,
		window_start, window_end)
	SELECT title, tier, person_id, rank, value, rule_version, p_as_of, held_since, window_start, window_end
	FROM pg_temp.title_target t
	WHERE NOT EXISTS (SELECT FROM title_award_row a
		WHERE a.title = t.title AND a.person_id = t.person_id AND a.revoked_at IS NULL)
	ORDER BY title, rank, person_id;
END
$$;
COMMENT ON FUNCTION titles_award(timestamptz) IS 'Part of recompute_titles: writes the changes of awards';
REVOKE ALL ON FUNCTION titles_award(timestamptz) FROM PUBLIC;
