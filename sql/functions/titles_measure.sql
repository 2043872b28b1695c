-- SPDX-License-Identifier: Apache-2.0
--
-- The one statement that reads usage for a run of titles: per person and window every metric, into the
-- temporary table title_work. One statement is one snapshot, so no two metrics can disagree about an event.
--
-- Whole UTC days come from usage_day. Hours come from usage_hour: those of a day that a window's edge cuts,
-- and those not folded into days yet. The windows all end at p_as_of, so their starts cut time into segments, and a
-- window is the sum of the segments since its start: every row is read and added once.
--
-- To add a metric: a column in the last SELECT, and a row of title_metric. A condition on a metric that has no
-- meaning for someone (a ratio without a divisor) is NULL: not ranked.

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
		SELECT *, bucket AS day, NULL::timestamptz AS hour FROM usage_day
		WHERE bucket = ANY (whole_days)
	UNION ALL
		SELECT *, NULL, bucket FROM usage_hour
		WHERE bucket = ANY (edge_hours)
	UNION ALL
		SELECT *, NULL, bucket FROM usage_hour
		WHERE bucket >= (SELECT folded_until FROM usage_fold)
		AND bucket >= starts[1] AND bucket < p_as_of AND bucket <> ALL (edge_hours)
	), segment AS (
		SELECT person_id, width_bucket(bucket, starts) AS place, max(day) AS newest_day, max(hour) AS newest_hour,
			sum(calls)::bigint AS calls,
			sum(input_tokens + cache_read_tokens + cache_write_tokens + output_tokens)::bigint AS total_tokens,
			sum(output_tokens)::bigint AS output_tokens,
			sum(cache_read_tokens)::bigint AS cache_read_tokens,
			sum(cache_known_tokens)::bigint AS cache_known_tokens
		FROM piece
		GROUP BY 1, 2
	), span AS (
		SELECT *, unnest(names[:place]) AS window_name FROM segment
	), total AS (
		SELECT person_id, window_name, max(newest_day) AS newest_day, max(newest_hour) AS newest_hour,
			sum(calls) AS calls,
			sum(total_tokens) AS total_tokens,
			sum(output_tokens) AS output_tokens,
			sum(cache_read_tokens) AS cache_read_tokens,
			sum(cache_known_tokens) AS cache_known_tokens
		FROM span
		GROUP BY 1, 2
	)
	SELECT total.person_id, total.window_name, total.newest_day, total.newest_hour,
		total.calls,
		total.total_tokens,
		total.output_tokens,
		total.cache_known_tokens,
		-- 40 places tell any two quotients of bigints apart.
		round(total.cache_read_tokens::numeric(60, 40) / NULLIF(total.cache_known_tokens, 0), 40) AS cache_hit_ratio
	FROM total JOIN person ON person.id = total.person_id
	WHERE person.kind = 'person' AND person.titles;
	ANALYZE pg_temp.title_work;
END
$$;
COMMENT ON FUNCTION titles_measure(timestamptz) IS 'Part of recompute_titles: reads usage into title_work';
REVOKE ALL ON FUNCTION titles_measure(timestamptz) FROM PUBLIC;
