-- SPDX-License-Identifier: Apache-2.0
--
-- Use by identity and model in one segment of time, for titles_measure, which says what a segment is. Whole days come
-- from usage_day; hours from usage_hour: those of days that a window's edge cuts (p_hours), and those not folded yet.
-- The three arrays about days belong together: the day, and its bit in the masks of title_streak.
--
-- One SELECT without settings of its own, so that the planner takes it into the caller's statement and sees the times.

CREATE OR REPLACE FUNCTION titles_segment(p_place int, p_from timestamptz, p_to timestamptz, p_whole_days timestamptz[],
	p_hours timestamptz[], p_days timestamptz[], p_near bigint[], p_far bigint[])
RETURNS TABLE (place int, person_id bigint, model_id int, newest_day timestamptz, newest_hour timestamptz, near bigint, far bigint,
	calls bigint, errors bigint, total_tokens bigint, output_tokens bigint, cache_read_tokens bigint,
	cache_known_tokens bigint, cost_nano bigint, unpriced_calls bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT p_place, person_id, model_id, max(whole), max(hour), bit_or(d.near), bit_or(d.far),
		tokentally.title_sum(calls), tokentally.title_sum(errors),
		tokentally.title_sum(input_tokens + cache_read_tokens + cache_write_tokens + output_tokens),
		tokentally.title_sum(output_tokens), tokentally.title_sum(cache_read_tokens),
		tokentally.title_sum(cache_known_tokens), tokentally.title_sum(cost_nano),
		tokentally.title_sum(unpriced_calls)
	FROM (SELECT *, bucket AS whole, NULL::timestamptz AS hour, bucket AS utc_day FROM tokentally.usage_day
			WHERE bucket = ANY (p_whole_days) AND bucket >= p_from AND bucket < p_to
		UNION ALL
			SELECT *, NULL, bucket, date_trunc('day', bucket) FROM tokentally.usage_hour
			WHERE bucket = ANY (p_hours) AND bucket >= p_from AND bucket < p_to
		UNION ALL
			SELECT *, NULL, bucket, date_trunc('day', bucket) FROM tokentally.usage_hour
			WHERE bucket >= (SELECT folded_until FROM tokentally.usage_fold)
			AND bucket >= p_from AND bucket < p_to AND bucket <> ALL (p_hours)) piece
	JOIN unnest(p_days, p_near, p_far) d (day, near, far) ON d.day = piece.utc_day
	GROUP BY person_id, model_id
$$;
COMMENT ON FUNCTION titles_segment(int, timestamptz, timestamptz, timestamptz[], timestamptz[], timestamptz[], bigint[], bigint[]) IS
	'Part of recompute_titles: use by identity and model from one time to another';
REVOKE ALL ON FUNCTION titles_segment(int, timestamptz, timestamptz, timestamptz[], timestamptz[], timestamptz[], bigint[], bigint[])
	FROM PUBLIC;
