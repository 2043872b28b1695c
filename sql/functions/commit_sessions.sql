-- SPDX-License-Identifier: Apache-2.0
--
-- A slot's first and last call merge in any order, so late events, flushes and workers need no care.

CREATE OR REPLACE FUNCTION commit_sessions(p_sessions session_delta[])
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_erased bigint := erased_person();
BEGIN
	INSERT INTO session_slot AS t
	SELECT d.* FROM unnest(p_sessions) d
	WHERE d.person_id IS DISTINCT FROM v_erased -- who was erased has no sessions
	ON CONFLICT (slot, person_id, session_id) DO UPDATE SET
		first_seen = LEAST(t.first_seen, EXCLUDED.first_seen), last_seen = GREATEST(t.last_seen, EXCLUDED.last_seen),
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
REVOKE ALL ON FUNCTION commit_sessions FROM PUBLIC;
COMMENT ON FUNCTION commit_sessions IS
	'Adds the session slots of a batch';
