-- SPDX-License-Identifier: Apache-2.0
--
-- One's own days, whatever the privacy of others, for a login that set_login has mapped.

CREATE OR REPLACE FUNCTION my_usage()
RETURNS TABLE (bucket timestamptz, team text, provider text, model text,
	calls bigint, errors bigint, input_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint,
	cache_write_1h_tokens bigint, output_tokens bigint, reasoning_tokens bigint, total_tokens bigint,
	cost_usd numeric, unpriced_calls bigint, zero_output_calls bigint, cache_known_tokens bigint,
	duration_ms_sum bigint, duration_ms_max bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_me bigint := my_person();
	v_ids bigint[] := ARRAY(SELECT id FROM person WHERE COALESCE(main_id, id) = v_me);
BEGIN
	RETURN QUERY
	SELECT u.day, t.name, m.provider, m.name, sum(u.calls)::bigint, sum(u.errors)::bigint, capped(sum(u.input_tokens)),
		capped(sum(u.cache_read_tokens)), capped(sum(u.cache_write_tokens)), capped(sum(u.cache_write_1h_tokens)),
		capped(sum(u.output_tokens)), capped(sum(u.reasoning_tokens)),
		capped(sum(u.input_tokens) + sum(u.cache_read_tokens) + sum(u.cache_write_tokens) + sum(u.output_tokens)),
		sum(u.cost_nano) * 0.000000001, sum(u.unpriced_calls)::bigint, sum(u.zero_output_calls)::bigint,
		capped(sum(u.cache_known_tokens)), sum(u.duration_ms_sum)::bigint, max(u.duration_ms_max)
	FROM (SELECT d.*, d.bucket AS day FROM usage_day d WHERE d.person_id = ANY (v_ids)
		UNION ALL
		SELECT h.*, date_trunc('day', h.bucket, 'UTC') FROM usage_hour h
		WHERE h.person_id = ANY (v_ids) AND h.bucket >= (SELECT folded_until FROM usage_fold)) u
	JOIN team t ON t.id = u.team_id JOIN model m ON m.id = u.model_id
	GROUP BY 1, 2, 3, 4
	ORDER BY 1, 2, 3, 4;
END
$$;
REVOKE ALL ON FUNCTION my_usage FROM PUBLIC;
GRANT EXECUTE ON FUNCTION my_usage TO tokentally_reader;
COMMENT ON FUNCTION my_usage IS
	'The days of the person whose login this is (set_login)';
