-- SPDX-License-Identifier: Apache-2.0
--
-- Days of another zone, put together from hours: it reads the view as its caller, who sees what the role
-- may see.

CREATE OR REPLACE FUNCTION usage_by_day_in(tz text, "from" timestamptz, "to" timestamptz)
RETURNS TABLE (bucket timestamptz, user_key text, team text, provider text, model text,
	calls bigint, errors bigint, input_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint,
	cache_write_1h_tokens bigint, output_tokens bigint, reasoning_tokens bigint, total_tokens bigint,
	cost_usd numeric, unpriced_calls bigint, zero_output_calls bigint, cache_known_tokens bigint,
	duration_ms_sum bigint, duration_ms_max bigint)
LANGUAGE plpgsql STABLE SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM require_whole_hours(usage_by_day_in.tz, usage_by_day_in."from", usage_by_day_in."to");
	RETURN QUERY
	SELECT date_trunc('day', h.bucket, usage_by_day_in.tz), h.user_key, h.team, h.provider, h.model,
		sum(h.calls)::bigint, sum(h.errors)::bigint, capped(sum(h.input_tokens)),
		capped(sum(h.cache_read_tokens)), capped(sum(h.cache_write_tokens)),
		capped(sum(h.cache_write_1h_tokens)), capped(sum(h.output_tokens)),
		capped(sum(h.reasoning_tokens)), capped(sum(h.total_tokens)), sum(h.cost_usd),
		sum(h.unpriced_calls)::bigint, sum(h.zero_output_calls)::bigint,
		capped(sum(h.cache_known_tokens)), sum(h.duration_ms_sum)::bigint, max(h.duration_ms_max)
	FROM usage_by_hour h
	WHERE h.bucket >= usage_by_day_in."from" AND h.bucket < usage_by_day_in."to"
	GROUP BY 1, 2, 3, 4, 5;
END
$$;
REVOKE ALL ON FUNCTION usage_by_day_in FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_by_day_in TO tokentally_reader;
COMMENT ON FUNCTION usage_by_day_in IS
	'usage_by_day with the days of a time zone, for hours with from <= bucket < to; bucket is the zone''s midnight';
