-- SPDX-License-Identifier: Apache-2.0
--
-- Adds the rows of one hour bucket to their day. A day gets them 24 times.

CREATE OR REPLACE FUNCTION fold_hour(p_bucket timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO usage_day AS t
	SELECT date_trunc('day', h.bucket, 'UTC'), h.person_id, h.team_id, h.model_id, h.price_class,
		h.calls, h.errors, h.input_tokens, h.cache_read_tokens, h.cache_write_tokens,
		h.cache_write_1h_tokens, h.output_tokens, h.reasoning_tokens, h.cost_nano, h.unpriced_calls,
		h.zero_output_calls, h.cache_known_tokens, h.duration_ms_sum, h.duration_ms_max
	FROM usage_hour h
	WHERE h.bucket = p_bucket
	ORDER BY h.person_id, h.team_id, h.model_id, h.price_class
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
REVOKE ALL ON FUNCTION fold_hour FROM PUBLIC;
COMMENT ON FUNCTION fold_hour IS
	'Adds one hour bucket of usage_hour to usage_day';
