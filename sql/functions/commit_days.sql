-- SPDX-License-Identifier: Apache-2.0
--
-- Late events: their hour is in a day row already, so they are added there as well.

CREATE OR REPLACE FUNCTION commit_days(p_hours hour_delta[], p_folded_until timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO usage_day AS t
	SELECT date_trunc('day', d.bucket, 'UTC'), d.person_id, d.team_id, d.model_id, d.price_class,
		sum(d.calls)::bigint, sum(d.errors)::bigint, sum(d.input_tokens)::bigint,
		sum(d.cache_read_tokens)::bigint, sum(d.cache_write_tokens)::bigint,
		sum(d.cache_write_1h_tokens)::bigint, sum(d.output_tokens)::bigint,
		sum(d.reasoning_tokens)::bigint, sum(d.cost_nano)::bigint, sum(d.unpriced_calls)::bigint,
		sum(d.zero_output_calls)::bigint, sum(d.cache_known_tokens)::bigint,
		sum(d.duration_ms_sum)::bigint, max(d.duration_ms_max)
	FROM unnest(p_hours) d
	WHERE d.bucket < p_folded_until
	GROUP BY 1, 2, 3, 4, 5
	ORDER BY 1, 2, 3, 4, 5
	ON CONFLICT (bucket, person_id, team_id, model_id, price_class) DO UPDATE SET
		calls = t.calls + EXCLUDED.calls, errors = t.errors + EXCLUDED.errors,
		input_tokens = t.input_tokens + EXCLUDED.input_tokens,
		cache_read_tokens = t.cache_read_tokens + EXCLUDED.cache_read_tokens,
		cache_write_tokens = t.cache_write_tokens + EXCLUDED.cache_write_tokens,
		cache_write_1h_tokens = t.cache_write_1h_tokens + EXCLUDED.cache_write_1h_tokens,
		output_tokens = t.output_tokens + EXCLUDED.output_tokens,
		reasoning_tokens = t.reasoning_tokens + EXCLUDED.reasoning_tokens,
		cost_nano = t.cost_nano + EXCLUDED.cost_nano,
		unpriced_calls = t.unpriced_calls + EXCLUDED.unpriced_calls,
		zero_output_calls = t.zero_output_calls + EXCLUDED.zero_output_calls,
		cache_known_tokens = t.cache_known_tokens + EXCLUDED.cache_known_tokens,
		duration_ms_sum = t.duration_ms_sum + EXCLUDED.duration_ms_sum,
		duration_ms_max = GREATEST(t.duration_ms_max, EXCLUDED.duration_ms_max);
END
$$;
REVOKE ALL ON FUNCTION commit_days FROM PUBLIC;
COMMENT ON FUNCTION commit_days IS
	'Adds those hours of a batch to their day that are folded already';
