-- SPDX-License-Identifier: Apache-2.0
--
-- The one statement that reads usage for a run of titles: per person and window every metric, into the
-- temporary table title_work. One statement is one snapshot (titles_sessions is STABLE, so it reads the same one), so
-- no two metrics can disagree about an event.
--
-- The windows all end at p_as_of, so their starts cut time into segments, and a window is the sum of the segments since
-- its start: every row is read and added once (titles_segment). Place 1 is the segment of the longest window; there
-- are four at most, and a place without a window is empty, since it starts at null.
--
-- To add a metric: a column in the last SELECT, and a row of title_metric. A metric that has no meaning for someone (a
-- ratio without a divisor) is NULL: not ranked.

CREATE OR REPLACE FUNCTION titles_measure(p_as_of timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
	names text[];
	starts timestamptz[];
	edge_hours timestamptz[];
	whole_days timestamptz[];
	days timestamptz[];
	nears bigint[];
	fars bigint[];
BEGIN
	SELECT array_agg(name ORDER BY hours DESC), array_agg(p_as_of - make_interval(hours => hours) ORDER BY hours DESC)
	INTO names, starts
	FROM title_window
	WHERE name IN (SELECT window_name FROM pg_temp.title_contest);

	SELECT COALESCE(array_agg(day + make_interval(hours => h)), '{}') INTO edge_hours
	FROM (SELECT DISTINCT date_trunc('day', edge) AS day
		FROM unnest(starts || p_as_of) edge WHERE edge <> date_trunc('day', edge)) cut, generate_series(0, 23) h
	WHERE day + make_interval(hours => h) >= starts[1] AND day + make_interval(hours => h) < p_as_of;

	SELECT COALESCE(array_agg(day), '{}') INTO whole_days
	FROM generate_series(date_trunc('day', starts[1]), p_as_of, interval '1 day') day
	WHERE day >= starts[1] AND day < p_as_of AND day <> ALL (edge_hours);

	-- A bit for each working day, counted back from the last one: see title_streak. Weekends have none.
	SELECT array_agg(day), array_agg(CASE WHEN n BETWEEN 0 AND 59 THEN 1::bigint << n ELSE 0 END),
		array_agg(CASE WHEN n BETWEEN 60 AND 119 THEN 1::bigint << n - 60 ELSE 0 END)
	INTO days, nears, fars
	FROM (SELECT day, CASE WHEN extract(isodow FROM day) < 6 THEN (count(*) FILTER (WHERE extract(isodow FROM day) < 6)
			OVER (ORDER BY day DESC) - 1)::int END AS n
		FROM generate_series(date_trunc('day', starts[1]), p_as_of, interval '1 day') day) numbered;

	DROP TABLE IF EXISTS pg_temp.title_work;
	CREATE TEMPORARY TABLE title_work ON COMMIT DROP AS
	WITH segment AS (
		SELECT * FROM titles_segment(1, starts[1], COALESCE(starts[2], p_as_of), whole_days, edge_hours, days, nears, fars)
	UNION ALL
		SELECT * FROM titles_segment(2, starts[2], COALESCE(starts[3], p_as_of), whole_days, edge_hours, days, nears, fars)
	UNION ALL
		SELECT * FROM titles_segment(3, starts[3], COALESCE(starts[4], p_as_of), whole_days, edge_hours, days, nears, fars)
	UNION ALL
		SELECT * FROM titles_segment(4, starts[4], p_as_of, whole_days, edge_hours, days, nears, fars)
	), kind AS (
		-- Numbers stand for names: they are quicker to compare.
		SELECT id, open_weights, min(id) OVER (PARTITION BY COALESCE(canonical, name)) AS model,
			CASE WHEN provider <> '' THEN min(id) OVER (PARTITION BY provider) END AS provider
		FROM model
	), used AS MATERIALIZED (
		SELECT who.person_id, place, kind.model, kind.provider, newest_day, newest_hour, near, far, calls, errors, total_tokens,
			CASE WHEN open_weights THEN total_tokens ELSE 0 END AS open_tokens, output_tokens, cache_read_tokens,
			cache_known_tokens, cost_nano, unpriced_calls
		FROM segment JOIN titles_people(p_as_of) who ON who.identity_id = segment.person_id JOIN kind ON kind.id = segment.model_id
	), by_place AS (
		SELECT person_id, place, max(newest_day) AS newest_day, max(newest_hour) AS newest_hour,
			bit_or(near) AS near, bit_or(far) AS far,
			title_sum(calls) AS calls, title_sum(errors) AS errors,
			title_sum(total_tokens) AS total_tokens, title_sum(open_tokens) AS open_tokens,
			title_sum(output_tokens) AS output_tokens, title_sum(cache_read_tokens) AS cache_read_tokens,
			title_sum(cache_known_tokens) AS cache_known_tokens, title_sum(cost_nano) AS cost_nano,
			title_sum(unpriced_calls) AS unpriced_calls
		FROM used
		GROUP BY 1, 2
	), total AS MATERIALIZED (
		SELECT person_id, win, max(newest_day) AS newest_day, max(newest_hour) AS newest_hour,
			bit_or(near) AS near, bit_or(far) AS far,
			title_sum(calls) AS calls, title_sum(errors) AS errors,
			title_sum(total_tokens) AS total_tokens, title_sum(open_tokens) AS open_tokens,
			title_sum(output_tokens) AS output_tokens, title_sum(cache_read_tokens) AS cache_read_tokens,
			title_sum(cache_known_tokens) AS cache_known_tokens, title_sum(cost_nano) AS cost_nano,
			title_sum(unpriced_calls) AS unpriced_calls
		FROM (SELECT *, generate_series(1, place) AS win FROM by_place) span
		GROUP BY 1, 2
	), by_model AS (
		SELECT person_id, model, title_sum(calls) AS calls_1, title_sum(calls) FILTER (WHERE place >= 2) AS calls_2,
			title_sum(calls) FILTER (WHERE place >= 3) AS calls_3, title_sum(calls) FILTER (WHERE place >= 4) AS calls_4
		FROM used
		GROUP BY 1, 2
	), models AS (
		SELECT m.person_id, ARRAY[count(*) FILTER (WHERE calls_1 >= 10 AND calls_1 * 100 >= total_1),
			count(*) FILTER (WHERE calls_2 >= 10 AND calls_2 * 100 >= total_2),
			count(*) FILTER (WHERE calls_3 >= 10 AND calls_3 * 100 >= total_3),
			count(*) FILTER (WHERE calls_4 >= 10 AND calls_4 * 100 >= total_4)] AS used
		FROM by_model m JOIN (SELECT person_id, max(calls) FILTER (WHERE win = 1) AS total_1, max(calls) FILTER (WHERE win = 2) AS total_2,
				max(calls) FILTER (WHERE win = 3) AS total_3, max(calls) FILTER (WHERE win = 4) AS total_4
			FROM total GROUP BY 1) t USING (person_id)
		GROUP BY 1
	), by_provider AS (
		SELECT person_id, provider, title_sum(calls) AS calls_1, title_sum(calls) FILTER (WHERE place >= 2) AS calls_2,
			title_sum(calls) FILTER (WHERE place >= 3) AS calls_3, title_sum(calls) FILTER (WHERE place >= 4) AS calls_4
		FROM used WHERE provider IS NOT NULL
		GROUP BY 1, 2
	), providers AS (
		SELECT person_id, ARRAY[count(*) FILTER (WHERE calls_1 >= 10), count(*) FILTER (WHERE calls_2 >= 10),
			count(*) FILTER (WHERE calls_3 >= 10), count(*) FILTER (WHERE calls_4 >= 10)] AS used
		FROM by_provider
		GROUP BY 1
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
		NULLIF(models.used[win], 0) AS models_used,
		NULLIF(providers.used[win], 0) AS providers_used,
		title_streak(near, far) AS streak_days,
		round(sessions.longest_us::numeric(60, 40) / 3600000000, 40) AS longest_session_hours
	FROM (SELECT *, NULLIF(calls, 0)::float8 AS n, errors::float8 / NULLIF(calls, 0)::float8 AS p FROM total) total
		LEFT JOIN models USING (person_id) LEFT JOIN providers USING (person_id)
		LEFT JOIN titles_sessions(p_as_of, names, starts) sessions USING (person_id, win);
	ANALYZE pg_temp.title_work (person_id, window_name);
END
$$;
COMMENT ON FUNCTION titles_measure(timestamptz) IS 'Part of recompute_titles: reads usage into title_work';
REVOKE ALL ON FUNCTION titles_measure(timestamptz) FROM PUBLIC;
