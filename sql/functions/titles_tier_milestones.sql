-- SPDX-License-Identifier: Apache-2.0
--
-- Tiers of the rules of kind milestone, in title_score. A tier is entered at its threshold (titles_rank). Who holds it or a
-- better one leaves it below nine tenths of that (rounded up where the metric is whole), so that nobody
-- flickers at the border; and a tier just given is kept for 24 hours, whatever the value does.

CREATE OR REPLACE FUNCTION titles_tier_milestones(p_as_of timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	-- Holders without any value now (no call, or below a floor) may still be within their first day.
	INSERT INTO pg_temp.title_score (contest, person_id)
	SELECT contest, person_id
	FROM (SELECT c.id AS contest, b.person_id
		FROM pg_temp.title_before b
		JOIN pg_temp.title_contest c ON c.title = b.title AND c.kind = 'milestone'
		WHERE b.held_since > p_as_of - interval '24 hours'
		AND NOT EXISTS (SELECT FROM pg_temp.title_score s WHERE s.contest = c.id AND s.person_id = b.person_id)
		OFFSET 0) without
	WHERE person_id IN (SELECT person_id FROM titles_people(p_as_of));

	-- Who has entered the very tier that they hold, as nearly everyone, has nothing to keep.
	UPDATE pg_temp.title_score s
	SET tier = c.steps[GREATEST(width_bucket(s.value, c.thresholds), LEAST(width_bucket(s.value, c.leaves), array_position(c.steps, b.tier)),
		CASE WHEN b.held_since > p_as_of - interval '24 hours' THEN array_position(c.steps, b.tier) END)]
	FROM pg_temp.title_before b
	-- A tier held under other rules is no ground for keeping it.
	JOIN pg_temp.title_contest c ON c.title = b.title AND c.kind = 'milestone' AND c.rule_version = b.version_then
	WHERE s.contest = c.id AND s.person_id = b.person_id AND s.tier IS DISTINCT FROM b.tier;
END
$$;
COMMENT ON FUNCTION titles_tier_milestones(timestamptz) IS 'Part of recompute_titles: tiers by value, in title_score';
REVOKE ALL ON FUNCTION titles_tier_milestones(timestamptz) FROM PUBLIC;
