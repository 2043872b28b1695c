-- SPDX-License-Identifier: Apache-2.0
--
-- As commit_minutes, for the latency classes.

CREATE OR REPLACE FUNCTION commit_latencies(p_latencies latency_delta[], p_minute_from timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO latency_minute AS t
	SELECT d.* FROM unnest(p_latencies) d
	WHERE d.bucket >= p_minute_from
	ON CONFLICT (bucket, model_id, kind, class) DO UPDATE SET calls = t.calls + EXCLUDED.calls;
	INSERT INTO latency_hour AS t
	SELECT date_trunc('hour', d.bucket, 'UTC'), d.model_id, d.kind, d.class, sum(d.calls)::bigint
	FROM unnest(p_latencies) d
	GROUP BY 1, 2, 3, 4
	ORDER BY 1, 2, 3, 4
	ON CONFLICT (bucket, model_id, kind, class) DO UPDATE SET calls = t.calls + EXCLUDED.calls;
END
$$;
REVOKE ALL ON FUNCTION commit_latencies FROM PUBLIC;
COMMENT ON FUNCTION commit_latencies IS
	'Adds the latency classes of a batch';
