-- SPDX-License-Identifier: Apache-2.0
--
-- The hours whose titles should be computed now, oldest first. What was done is read from title_run_row, so it does
-- not matter which process did it, or how long none was up. An hour is due p_delay after its end; while a partition still
-- holds events from before that end, not until p_max_wait after it, and then the run is partial. Of the hours missed,
-- the newest p_catch_up_max are made up. Before the first run, only the newest closed hour counts.

CREATE OR REPLACE FUNCTION titles_due(p_now timestamptz, p_delay interval, p_max_wait interval,
	p_catch_up_max int)
RETURNS TABLE (as_of timestamptz, partial boolean)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 24
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
	WITH newest AS (
		SELECT date_trunc('hour', p_now - p_delay) AS closed,
			COALESCE((SELECT max(r.as_of) FROM title_run_row r) + interval '1 hour',
				date_trunc('hour', p_now - p_delay)) AS first_missing
	), missing AS (
		SELECT hour FROM newest, generate_series(
			GREATEST(first_missing, closed - make_interval(hours => GREATEST(p_catch_up_max, 1) - 1)),
			closed, interval '1 hour') hour
	), judged AS (
		SELECT hour, EXISTS (SELECT FROM kafka_offset o
			WHERE o.state <> 'quarantined' AND o.next_offset < o.log_end_offset
			AND (o.event_time_max IS NULL OR o.event_time_max < hour)) AS waiting
		FROM missing
	)
	SELECT hour, waiting FROM judged
	WHERE NOT waiting OR hour + p_max_wait <= p_now
	ORDER BY hour
$$;
REVOKE ALL ON FUNCTION titles_due(timestamptz, interval, interval, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION titles_due(timestamptz, interval, interval, int) TO tokentally_ingest, tokentally_admin;
COMMENT ON FUNCTION titles_due(timestamptz, interval, interval, int) IS
	'Hours whose titles are to be computed now, oldest first, and whether as partial';
