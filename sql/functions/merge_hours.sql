-- SPDX-License-Identifier: Apache-2.0
--
-- The same hours, or days, with one row a key, sorted: erased people have one id for several names.

CREATE OR REPLACE FUNCTION merge_hours(p_rows hour_delta[]) RETURNS hour_delta[]
LANGUAGE sql IMMUTABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT array_agg(ROW(m.*)::hour_delta ORDER BY bucket, person_id, team_id, model_id, price_class)
	FROM (SELECT bucket, person_id, team_id, model_id, price_class, sum(calls)::bigint, sum(errors)::bigint,
			sum(input_tokens)::bigint, sum(cache_read_tokens)::bigint, sum(cache_write_tokens)::bigint,
			sum(cache_write_1h_tokens)::bigint, sum(output_tokens)::bigint, sum(reasoning_tokens)::bigint,
			sum(cost_nano)::bigint, sum(unpriced_calls)::bigint, sum(zero_output_calls)::bigint,
			sum(cache_known_tokens)::bigint, sum(duration_ms_sum)::bigint, max(duration_ms_max)
		FROM unnest(p_rows) GROUP BY 1, 2, 3, 4, 5) m
$$;
REVOKE ALL ON FUNCTION merge_hours(hour_delta[]) FROM PUBLIC;
COMMENT ON FUNCTION merge_hours(hour_delta[]) IS 'Sums rows of the same key';
