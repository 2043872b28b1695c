-- SPDX-License-Identifier: Apache-2.0
--
-- The contests of a run, in the temporary table title_contest: one for each enabled rule, and one for each
-- leaderboard (title is null). The rules are read here and only here: one edited during a run counts in the next.

CREATE OR REPLACE FUNCTION titles_contests() RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	DROP TABLE IF EXISTS pg_temp.title_contest;
	CREATE TEMPORARY TABLE title_contest ON COMMIT DROP AS
	WITH rule AS (
		SELECT r.*, title_floors_sql(r.floors) AS condition FROM title_rule r WHERE r.enabled
	), contest AS (
		-- How many places must be told apart: all where a value is enough.
		SELECT name AS title, metric, window_name, kind, direction, tiers, rule_version, condition, floors,
			CASE kind WHEN 'rank' THEN GREATEST(250,
				(SELECT max(value::numeric)::int FROM jsonb_each_text(tiers))) END AS depth
		FROM rule
	UNION ALL
		-- On a board is who meets the floors of any title for that metric.
		SELECT NULL, m.name, w.name, 'rank', m.direction, NULL, NULL,
			string_agg(DISTINCT '(' || condition || ')', ' OR '), jsonb_agg(floors), 250
		FROM rule JOIN title_metric m ON m.name = rule.metric JOIN title_window w ON w.board
		GROUP BY m.name, w.name
	)
	SELECT row_number() OVER (ORDER BY title, metric, window_name)::int AS id, * FROM contest
	-- A milestone's tiers by rising thresholds: one further on in the arrays is better. Below "leaves" one is left.
	LEFT JOIN LATERAL (SELECT array_agg(t.name ORDER BY t.place DESC) AS steps,
			array_agg(each.value::numeric ORDER BY t.place DESC) AS thresholds,
			array_agg(CASE WHEN m.whole THEN ceil(0.9 * each.value::numeric) ELSE 0.9 * each.value::numeric END ORDER BY t.place DESC) AS leaves
		FROM jsonb_each_text(contest.tiers) each JOIN title_tier t ON t.name = each.key, title_metric m
		WHERE m.name = contest.metric) step ON kind = 'milestone';
END
$$;
COMMENT ON FUNCTION titles_contests() IS 'Part of recompute_titles: lists rules and boards in title_contest';
REVOKE ALL ON FUNCTION titles_contests() FROM PUBLIC;
