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

	WITH step AS MATERIALIZED (
		SELECT c.id, c.title, c.rule_version, t.place, t.name AS tier, each.value::numeric AS threshold,
			CASE WHEN m.whole THEN ceil(0.9 * each.value::numeric) ELSE 0.9 * each.value::numeric END AS leave
		FROM pg_temp.title_contest c JOIN title_metric m ON m.name = c.metric,
			jsonb_each_text(c.tiers) each JOIN title_tier t ON t.name = each.key
		WHERE c.kind = 'milestone'
	), best AS (
		SELECT e.contest, e.person_id, min(step.place) AS place
		FROM pg_temp.title_score e
		JOIN step ON step.id = e.contest
		-- A tier held under other rules is no ground for keeping it.
		LEFT JOIN pg_temp.title_before b ON b.title = step.title AND b.person_id = e.person_id
			AND b.version_then = step.rule_version
		WHERE e.value >= step.threshold
		OR b.place <= step.place AND e.value >= step.leave
		OR b.place = step.place AND b.held_since > p_as_of - interval '24 hours'
		GROUP BY 1, 2
	)
	UPDATE pg_temp.title_score s SET tier = step.tier
	FROM best JOIN step ON step.id = best.contest AND step.place = best.place
	WHERE s.contest = best.contest AND s.person_id = best.person_id;
END
$$;
COMMENT ON FUNCTION titles_tier_milestones(timestamptz) IS 'Part of recompute_titles: tiers by value, in title_score';
REVOKE ALL ON FUNCTION titles_tier_milestones(timestamptz) FROM PUBLIC;
