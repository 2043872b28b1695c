-- SPDX-License-Identifier: Apache-2.0
--
-- Calls that a source rule keeps out of the rollups.

CREATE OR REPLACE FUNCTION commit_shadows(p_shadows shadow_delta[])
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO usage_shadow_hour AS t
	SELECT d.* FROM unnest(p_shadows) d
	ON CONFLICT (bucket, team_id, model_id, source) DO UPDATE SET
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
		cache_known_tokens = t.cache_known_tokens + EXCLUDED.cache_known_tokens;
END
$$;
REVOKE ALL ON FUNCTION commit_shadows FROM PUBLIC;
COMMENT ON FUNCTION commit_shadows IS
	'Adds the calls of a batch that a source rule keeps out of the rollups';
