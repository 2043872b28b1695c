-- SPDX-License-Identifier: Apache-2.0
--
-- Hours, and for those that are folded already the day too. The caller holds lock rollups, so the border stands still.
-- The array is sorted: when its first hour is not folded, none is.

CREATE OR REPLACE FUNCTION commit_hours(p_hours hour_delta[])
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO usage_hour AS t
	SELECT d.* FROM unnest(p_hours) d
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
	PERFORM commit_days(p_hours, folded_until) FROM usage_fold WHERE folded_until > (p_hours[1]).bucket;
END
$$;
REVOKE ALL ON FUNCTION commit_hours FROM PUBLIC;
COMMENT ON FUNCTION commit_hours IS
	'Adds the hours of a batch';
