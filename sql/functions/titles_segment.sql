-- SPDX-License-Identifier: Apache-2.0
--
-- Use by identity in one segment of time, for titles_measure, which says what a segment is. Whole days come
-- from usage_day, hours (of days that a window's edge cuts or that are not folded yet) from usage_hour.
-- The three arrays about days belong together: the day, and its bit in the masks of title_streak.
--
-- STABLE: the snapshot is that of the statement that calls it. The cost is made up; it lets the planner give each segment
-- to a process of its own.

CREATE OR REPLACE FUNCTION titles_segment(p_as_of timestamptz, p_place int, p_from timestamptz, p_to timestamptz,
	p_whole_days timestamptz[], p_hours timestamptz[], p_days timestamptz[], p_near bigint[], p_far bigint[], p_left_out bigint[])
RETURNS TABLE (place int, person_id bigint, newest_day timestamptz, newest_hour timestamptz, near bigint, far bigint, calls bigint,
	errors bigint, total_tokens bigint, open_tokens bigint, output_tokens bigint, cache_read_tokens bigint, cache_known_tokens bigint,
	cost_nano bigint, unpriced_calls bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100000000 ROWS 100000
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT p_place, who.person_id, newest_day, newest_hour, near, far, calls, errors, total_tokens, open_tokens, output_tokens,
		cache_read_tokens, cache_known_tokens, cost_nano, unpriced_calls
	FROM (SELECT person_id, max(whole) AS newest_day, max(hour) AS newest_hour, bit_or(d.near) AS near, bit_or(d.far) AS far,
			title_sum(calls) AS calls, title_sum(errors) AS errors,
			title_sum(input_tokens + cache_read_tokens + cache_write_tokens + output_tokens) AS total_tokens,
			title_sum(input_tokens + cache_read_tokens + cache_write_tokens + output_tokens) FILTER (WHERE open_weights) AS open_tokens,
			title_sum(output_tokens) AS output_tokens, title_sum(cache_read_tokens) AS cache_read_tokens,
			title_sum(cache_known_tokens) AS cache_known_tokens, title_sum(cost_nano) AS cost_nano,
			title_sum(unpriced_calls) AS unpriced_calls
		FROM (SELECT *, bucket AS whole, NULL::timestamptz AS hour, bucket AS utc_day FROM usage_day
				WHERE bucket = ANY (p_whole_days) AND bucket >= p_from AND bucket < p_to
			UNION ALL
				SELECT *, NULL, bucket, date_trunc('day', bucket) FROM usage_hour
				WHERE bucket = ANY (p_hours) AND bucket >= p_from AND bucket < p_to) piece
		JOIN unnest(p_days, p_near, p_far) d (day, near, far) ON d.day = piece.utc_day
		JOIN model ON model.id = piece.model_id
		WHERE person_id <> ALL (p_left_out)
		GROUP BY person_id) used
	JOIN titles_people(p_as_of) who ON who.identity_id = used.person_id;
END
$$;
COMMENT ON FUNCTION titles_segment(timestamptz, int, timestamptz, timestamptz, timestamptz[], timestamptz[], timestamptz[], bigint[], bigint[], bigint[]) IS
	'Part of recompute_titles: use by person from one time to another';
REVOKE ALL ON FUNCTION titles_segment(timestamptz, int, timestamptz, timestamptz, timestamptz[], timestamptz[], timestamptz[], bigint[], bigint[], bigint[])
	FROM PUBLIC;
