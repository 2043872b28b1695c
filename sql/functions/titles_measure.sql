-- SPDX-License-Identifier: Apache-2.0
--
-- The one statement that reads usage for a run of titles: per person and window every metric, into the
-- temporary table title_work. One statement is one snapshot (titles_sessions is STABLE, so it reads the same one), so
-- no two metrics can disagree about an event.
--
-- Whole UTC days come from usage_day. Hours come from usage_hour: those of a day that a window's edge cuts,
-- and those not folded into days yet. The windows all end at p_as_of, so their starts cut time into segments, and a
-- window is the sum of the segments since its start: every row is read and added once.
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
BEGIN
	-- Longest first: width_bucket wants them rising.
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

	DROP TABLE IF EXISTS pg_temp.title_work;
	CREATE TEMPORARY TABLE title_work ON COMMIT DROP AS
	WITH piece AS (
		SELECT *, bucket AS day, NULL::timestamptz AS hour, bucket AS utc_day FROM usage_day
		WHERE bucket = ANY (whole_days)
	UNION ALL
		SELECT *, NULL, bucket, date_trunc('day', bucket) FROM usage_hour
		WHERE bucket = ANY (edge_hours)
	UNION ALL
		SELECT *, NULL, bucket, date_trunc('day', bucket) FROM usage_hour
		WHERE bucket >= (SELECT folded_until FROM usage_fold)
		AND bucket >= starts[1] AND bucket < p_as_of AND bucket <> ALL (edge_hours)
	), workday AS (
		-- A bit for each working day, counted back from the last one: see title_streak. Weekends have none.
		SELECT day, CASE WHEN n BETWEEN 0 AND 59 THEN 1::bigint << n ELSE 0 END AS near,
			CASE WHEN n BETWEEN 60 AND 119 THEN 1::bigint << n - 60 ELSE 0 END AS far
		FROM (SELECT day, CASE WHEN extract(isodow FROM day) < 6 THEN (count(*) FILTER (WHERE extract(isodow FROM day) < 6)
				OVER (ORDER BY day DESC) - 1)::int END AS n
			FROM generate_series(date_trunc('day', starts[1]), p_as_of, interval '1 day') day) numbered
	), segment AS (
		SELECT person_id, model_id, width_bucket(bucket, starts) AS place, max(piece.day) AS newest_day, max(hour) AS newest_hour,
			bit_or(near) AS near, bit_or(far) AS far,
			sum(calls)::bigint AS calls,
			sum(errors)::bigint AS errors,
			sum(input_tokens + cache_read_tokens + cache_write_tokens + output_tokens)::bigint AS total_tokens,
			sum(output_tokens)::bigint AS output_tokens,
			sum(cache_read_tokens)::bigint AS cache_read_tokens,
			sum(cache_known_tokens)::bigint AS cache_known_tokens,
			sum(cost_nano)::bigint AS cost_nano,
			sum(unpriced_calls)::bigint AS unpriced_calls
		FROM piece JOIN workday ON workday.day = piece.utc_day
		GROUP BY 1, 2, 3
	), span AS (
		SELECT *, unnest(names[:place]) AS window_name FROM segment
	), by_model AS (
		SELECT who.person_id, window_name, COALESCE(model.canonical, model.name) AS model, model.provider,
			max(newest_day) AS newest_day, max(newest_hour) AS newest_hour, bit_or(near) AS near, bit_or(far) AS far,
			sum(calls)::bigint AS calls, sum(errors)::bigint AS errors,
			sum(total_tokens)::bigint AS total_tokens,
			sum(total_tokens) FILTER (WHERE model.open_weights)::bigint AS open_tokens,
			sum(output_tokens)::bigint AS output_tokens,
			sum(cache_read_tokens)::bigint AS cache_read_tokens, sum(cache_known_tokens)::bigint AS cache_known_tokens,
			sum(cost_nano)::bigint AS cost_nano, sum(unpriced_calls)::bigint AS unpriced_calls
		FROM span JOIN titles_people(p_as_of) who ON who.identity_id = span.person_id JOIN model ON model.id = span.model_id
		GROUP BY 1, 2, 3, 4
	), total AS (
		SELECT person_id, window_name, max(newest_day) AS newest_day, max(newest_hour) AS newest_hour,
			bit_or(near) AS near, bit_or(far) AS far,
			sum(calls) AS calls, sum(errors) AS errors,
			sum(total_tokens) AS total_tokens, sum(open_tokens) AS open_tokens, sum(output_tokens) AS output_tokens,
			sum(cache_read_tokens) AS cache_read_tokens, sum(cache_known_tokens) AS cache_known_tokens,
			sum(cost_nano) AS cost_nano, sum(unpriced_calls) AS unpriced_calls
		FROM by_model
		GROUP BY 1, 2
	), models AS (
		SELECT person_id, window_name, array_agg(calls) AS calls
		FROM (SELECT person_id, window_name, sum(calls) AS calls FROM by_model
			GROUP BY person_id, window_name, model HAVING sum(calls) >= 10) used
		GROUP BY 1, 2
	), providers AS (
		SELECT person_id, window_name, count(*) AS used
		FROM (SELECT person_id, window_name FROM by_model WHERE provider <> ''
			GROUP BY person_id, window_name, provider HAVING sum(calls) >= 10) used
		GROUP BY 1, 2
	)
	SELECT person_id, window_name, newest_day, newest_hour,
		total.calls,
		total_tokens,
		output_tokens,
		cache_known_tokens,
		-- 40 places tell any two quotients of bigints apart.
		round(cache_read_tokens::numeric(60, 40) / NULLIF(cache_known_tokens, 0), 40) AS cache_hit_ratio,
		round(COALESCE(open_tokens, 0)::numeric(60, 40) / NULLIF(total_tokens, 0), 40) AS open_weight_share,
		CASE WHEN unpriced_calls = 0 THEN cost_nano * 0.000000001 END AS cost_usd,
		CASE WHEN unpriced_calls = 0 AND cost_nano > 0
			THEN round(cost_nano::numeric(60, 40) / NULLIF(output_tokens, 0) / 1000000, 40) END AS cost_per_1k_output,
		-- Wilson's upper bound, z = 1.959963984540054: one who made few calls cannot be as sure of none failing.
		((p + 3.8414588206941236 / (2 * n) + 1.959963984540054 * sqrt(p * (1 - p) / n + 3.8414588206941236 / (4 * n * n)))
			/ (1 + 3.8414588206941236 / n))::numeric AS error_bound,
		NULLIF((SELECT count(*) FROM unnest(models.calls) c WHERE c * 100 >= total.calls), 0) AS models_used,
		providers.used AS providers_used,
		title_streak(near, far) AS streak_days,
		round(sessions.longest_us::numeric(60, 40) / 3600000000, 40) AS longest_session_hours
	FROM (SELECT *, NULLIF(total.calls, 0)::float8 AS n, errors::float8 / NULLIF(total.calls, 0)::float8 AS p FROM total) total
		LEFT JOIN models USING (person_id, window_name) LEFT JOIN providers USING (person_id, window_name)
		LEFT JOIN titles_sessions(p_as_of, names, starts) sessions USING (person_id, window_name);
	ANALYZE pg_temp.title_work;
END
$$;
COMMENT ON FUNCTION titles_measure(timestamptz) IS 'Part of recompute_titles: reads usage into title_work';
REVOKE ALL ON FUNCTION titles_measure(timestamptz) FROM PUBLIC;
