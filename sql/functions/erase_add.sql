-- SPDX-License-Identifier: Apache-2.0
--
-- Adds rows that were taken from people to those of "(erased)", in usage_hour or usage_day.

CREATE OR REPLACE FUNCTION erase_add(p_table text, p_rows hour_delta[]) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format($add$
		INSERT INTO %I AS t
		SELECT m.* FROM unnest(merge_hours(ARRAY(
			SELECT ROW(d.bucket, $2, d.team_id, d.model_id, d.price_class, d.calls, d.errors, d.input_tokens,
				d.cache_read_tokens, d.cache_write_tokens, d.cache_write_1h_tokens, d.output_tokens, d.reasoning_tokens,
				d.cost_nano, d.unpriced_calls, d.zero_output_calls, d.cache_known_tokens, d.duration_ms_sum,
				d.duration_ms_max)::hour_delta
			FROM unnest($1) d))) m
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
			duration_ms_max = GREATEST(t.duration_ms_max, EXCLUDED.duration_ms_max)
		$add$, p_table)
	USING p_rows, erased_person();
END
$$;
REVOKE ALL ON FUNCTION erase_add(text, hour_delta[]) FROM PUBLIC;
COMMENT ON FUNCTION erase_add(text, hour_delta[]) IS 'Part of erase_user: adds to the rows of "(erased)"';
