-- SPDX-License-Identifier: Apache-2.0
--
-- The one statement that reads usage for a run of titles: per person and window every metric, into the
-- temporary table title_work. One statement is one snapshot (titles_sessions is STABLE, so it reads the same one), so
-- no two metrics can disagree about an event.
--
-- The windows all end at p_as_of, so their starts cut time into segments, and a window is the sum of the segments since
-- its start: every row is read and added once (titles_segment). Place 1 is the segment of the longest window; there
-- are four at most, and a place without a window is empty, since it starts at null. Sessions are one more row for a
-- person and window (place is the window's, model null). Workers, if the server has them to spare, share the segments and the
-- sessions: hence the cost of those functions, and the settings.
--
-- Identities in p_left_out are not read. A sum that no bigint holds fails the statement.
--
-- To add a metric: a column in the last SELECT, and a row of title_metric. A metric that has no meaning for someone (a
-- ratio without a divisor) is NULL: not ranked.

CREATE OR REPLACE FUNCTION titles_measure(p_as_of timestamptz, p_left_out bigint[]) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
SET max_parallel_workers_per_gather = 2
SET parallel_leader_participation = off
SET parallel_setup_cost = 0
SET parallel_tuple_cost = 0
AS $$
DECLARE
	-- Days that are folded meanwhile are still there as hours: what is older than the statement is good enough.
	folded timestamptz := (SELECT folded_until FROM usage_fold);
	names text[];
	starts timestamptz[];
	hours timestamptz[];
	whole_days timestamptz[];
	days timestamptz[];
	depths int[];
	everybody boolean[];
	nears bigint[];
	fars bigint[];
BEGIN
	SELECT array_agg(name ORDER BY w.hours DESC), array_agg(p_as_of - make_interval(hours => w.hours) ORDER BY w.hours DESC)
	INTO names, starts
	FROM title_window w
	WHERE name IN (SELECT window_name FROM pg_temp.title_contest);

	SELECT COALESCE(array_agg(day) FILTER (WHERE whole), '{}') INTO whole_days FROM (
		SELECT day, day >= starts[1] AND day + interval '1 day' <= folded AND day < p_as_of AND NOT EXISTS (
			SELECT FROM unnest(starts || p_as_of) edge WHERE edge > day AND edge < day + interval '1 day') AS whole
		FROM generate_series(date_trunc('day', starts[1]), p_as_of, interval '1 day') day) each;
	SELECT COALESCE(array_agg(hour), '{}') INTO hours FROM generate_series(starts[1], p_as_of - interval '1 hour', interval '1 hour') hour
	WHERE date_trunc('day', hour) <> ALL (whole_days);

	-- A bit for each working day, counted back from the last one: see title_streak. Weekends have none.
	SELECT array_agg(day), array_agg(CASE WHEN n BETWEEN 0 AND 59 THEN 1::bigint << n ELSE 0 END),
		array_agg(CASE WHEN n BETWEEN 60 AND 119 THEN 1::bigint << n - 60 ELSE 0 END)
	INTO days, nears, fars
	FROM (SELECT day, CASE WHEN extract(isodow FROM day) < 6 THEN (count(*) FILTER (WHERE extract(isodow FROM day) < 6)
			OVER (ORDER BY day DESC) - 1)::int END AS n
		FROM generate_series(date_trunc('day', starts[1]), p_as_of, interval '1 day') day) numbered;

	SELECT array_agg(depth ORDER BY by_window.hours DESC), array_agg(anybody ORDER BY by_window.hours DESC) INTO depths, everybody
	FROM (SELECT w.hours, max(c.depth) FILTER (WHERE asked) AS depth,
			bool_or(c.kind <> 'rank' OR c.direction <> 'descending' OR c.floors::text LIKE '%": %') FILTER (WHERE asked) AS anybody
		FROM title_window w JOIN (SELECT *, metric = 'longest_session_hours' OR floors::text LIKE '%"longest_session_hours": %' AS asked
			FROM pg_temp.title_contest) c ON c.window_name = w.name
		GROUP BY 1) by_window;

	DROP TABLE IF EXISTS pg_temp.title_work;
	CREATE TEMPORARY TABLE title_work ON COMMIT DROP AS
	WITH used AS MATERIALIZED (
		SELECT *, NULL::bigint AS longest_us, NULL::bigint[] AS models, NULL::bigint[] AS providers
		FROM titles_segment(p_as_of, 1, starts[1], COALESCE(starts[2], p_as_of), whole_days, hours, days, nears, fars, p_left_out)
	UNION ALL
		SELECT *, NULL, NULL, NULL FROM titles_segment(p_as_of, 2, starts[2], COALESCE(starts[3], p_as_of), whole_days, hours, days, nears, fars, p_left_out)
	UNION ALL
		SELECT *, NULL, NULL, NULL FROM titles_segment(p_as_of, 3, starts[3], COALESCE(starts[4], p_as_of), whole_days, hours, days, nears, fars, p_left_out)
	UNION ALL
		SELECT *, NULL, NULL, NULL FROM titles_segment(p_as_of, 4, starts[4], p_as_of, whole_days, hours, days, nears, fars, p_left_out)
	UNION ALL
		SELECT win, person_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, longest_us, NULL, NULL
		FROM titles_sessions(p_as_of, starts, depths, everybody)
	UNION ALL
		SELECT NULL, person_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, models, providers
		FROM titles_variety(p_as_of, starts, whole_days, hours, p_left_out)
	), total AS (
		SELECT person_id, win, max(newest_day) AS newest_day, max(newest_hour) AS newest_hour,
			bit_or(near) AS near, bit_or(far) AS far,
			title_sum(calls) AS calls, title_sum(errors) AS errors,
			title_sum(total_tokens) AS total_tokens, title_sum(open_tokens) AS open_tokens,
			title_sum(output_tokens) AS output_tokens, title_sum(cache_read_tokens) AS cache_read_tokens,
			title_sum(cache_known_tokens) AS cache_known_tokens, title_sum(cost_nano) AS cost_nano,
			title_sum(unpriced_calls) AS unpriced_calls
		FROM used, generate_series(1, place) win
		WHERE calls IS NOT NULL
		GROUP BY 1, 2
	)
	SELECT person_id, names[win] AS window_name, newest_day, newest_hour,
		total.calls,
		total_tokens,
		output_tokens,
		cache_known_tokens,
		-- 40 places tell any two quotients of bigints apart.
		round(cache_read_tokens::numeric / NULLIF(cache_known_tokens, 0)::numeric(60, 40), 40) AS cache_hit_ratio,
		round(open_tokens::numeric / NULLIF(total_tokens, 0)::numeric(60, 40), 40) AS open_weight_share,
		CASE WHEN unpriced_calls = 0 THEN cost_nano * 0.000000001 END AS cost_usd,
		CASE WHEN unpriced_calls = 0 AND cost_nano > 0
			THEN round(cost_nano::numeric(60, 40) / NULLIF(output_tokens, 0) / 1000000, 40) END AS cost_per_1k_output,
		-- Wilson's upper bound, z = 1.959963984540054: one who made few calls cannot be as sure of none failing.
		((p + 3.8414588206941236 / (2 * n) + 1.959963984540054 * sqrt(p * (1 - p) / n + 3.8414588206941236 / (4 * n * n)))
			/ (1 + 3.8414588206941236 / n))::numeric AS error_bound,
		NULLIF(variety.models[win], 0) AS models_used,
		NULLIF(variety.providers[win], 0) AS providers_used,
		streak_days,
		round(sessions.longest_us::numeric(60, 40) / 3600000000, 40) AS longest_session_hours
	FROM (SELECT *, NULLIF(calls, 0)::float8 AS n, errors::float8 / NULLIF(calls, 0)::float8 AS p FROM total) total
		LEFT JOIN (SELECT person_id, models, providers FROM used WHERE models IS NOT NULL) variety USING (person_id)
		-- Few people have a month like nobody else's, and a call of a function that sets its search_path takes a microsecond.
		JOIN (SELECT near, far, title_streak(near, far) AS streak_days FROM total GROUP BY 1, 2) streak USING (near, far)
		LEFT JOIN (SELECT person_id, place AS win, longest_us FROM used WHERE longest_us IS NOT NULL) sessions USING (person_id, win)
	ORDER BY win;
	-- titles_rank reads it window by window.
	CREATE INDEX ON pg_temp.title_work (window_name);
	ANALYZE pg_temp.title_work (person_id, window_name);
END
$$;
COMMENT ON FUNCTION titles_measure(timestamptz, bigint[]) IS 'Part of recompute_titles: reads usage into title_work';
REVOKE ALL ON FUNCTION titles_measure(timestamptz, bigint[]) FROM PUBLIC;
