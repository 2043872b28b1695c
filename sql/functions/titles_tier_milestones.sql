-- SPDX-License-Identifier: Apache-2.0
--
-- Tiers of the rules of kind milestone, in title_score. A tier is entered at its threshold. Who holds it or a
-- better one leaves it below nine tenths of that (rounded up where the metric is whole), so that nobody
-- flickers at the border; and a tier just given is kept for 24 hours, whatever the value does.

CREATE OR REPLACE FUNCTION titles_tier_milestones(p_as_of timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	-- Holders without any value now (no call, or below a floor) may still be within their first day.
	INSERT INTO pg_temp.title_score (contest, person_id)
	SELECT c.id, b.person_id
	FROM pg_temp.title_before b
	JOIN pg_temp.title_contest c ON c.title = b.title AND c.kind = 'milestone'
	WHERE b.held_since > p_as_of - interval '24 hours'
	AND b.person_id IN (SELECT person_id FROM titles_people(p_as_of))
	AND NOT EXISTS (SELECT FROM pg_temp.title_score s WHERE s.contest = c.id AND s.person_id = b.person_id);

	-- By rising thresholds, so that a place in the arrays is a better tier than the places before it.
	CREATE TEMPORARY TABLE title_step ON COMMIT DROP AS
	SELECT c.id AS contest, c.title, c.rule_version, array_agg(t.name ORDER BY t.place DESC) AS tiers,
		array_agg(each.value::numeric ORDER BY t.place DESC) AS thresholds,
		array_agg(CASE WHEN m.whole THEN ceil(0.9 * each.value::numeric) ELSE 0.9 * each.value::numeric END ORDER BY t.place DESC) AS leaves
	FROM pg_temp.title_contest c JOIN title_metric m ON m.name = c.metric,
		jsonb_each_text(c.tiers) each JOIN title_tier t ON t.name = each.key
	WHERE c.kind = 'milestone'
	GROUP BY 1, 2, 3;

	UPDATE pg_temp.title_score s SET tier = step.tiers[width_bucket(s.value, step.thresholds)]
	FROM pg_temp.title_step step
	WHERE step.contest = s.contest AND s.value >= step.thresholds[1];

	UPDATE pg_temp.title_score s SET tier = kept.tier
	FROM (SELECT e.contest, e.person_id, step.tiers[GREATEST(width_bucket(e.value, step.thresholds),
			LEAST(width_bucket(e.value, step.leaves), held), CASE WHEN b.held_since > p_as_of - interval '24 hours' THEN held END)] AS tier
		FROM pg_temp.title_before b
		-- A tier held under other rules is no ground for keeping it.
		JOIN pg_temp.title_step step ON step.title = b.title AND step.rule_version = b.version_then
		CROSS JOIN LATERAL array_position(step.tiers, b.tier) held
		JOIN pg_temp.title_score e ON e.contest = step.contest AND e.person_id = b.person_id) kept
	WHERE s.contest = kept.contest AND s.person_id = kept.person_id AND s.tier IS DISTINCT FROM kept.tier;
	DROP TABLE pg_temp.title_step;
END
$$;
COMMENT ON FUNCTION titles_tier_milestones(timestamptz) IS 'Part of recompute_titles: tiers by value, in title_score';
REVOKE ALL ON FUNCTION titles_tier_milestones(timestamptz) FROM PUBLIC;
