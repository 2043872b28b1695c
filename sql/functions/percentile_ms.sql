-- SPDX-License-Identifier: Apache-2.0
--
-- The upper bound of the latency class in which the q-th part of the calls lies, so at most 5 % above the
-- exact value. Whole hours come from hour rows, the rest of the span from minute rows.

CREATE OR REPLACE FUNCTION percentile_ms(kind text, q double precision, "from" timestamptz, "to" timestamptz,
	model text DEFAULT NULL)
RETURNS double precision
LANGUAGE plpgsql STABLE SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	-- The whole hours of the span; none when the span has no full one.
	v_to timestamptz := greatest(date_trunc('hour', percentile_ms."to", 'UTC'), percentile_ms."from");
	v_from timestamptz := least(v_to,
		date_trunc('hour', percentile_ms."from" + interval '1 hour' - interval '1 microsecond', 'UTC'));
	v_result double precision;
BEGIN
	IF percentile_ms.kind IS NULL OR percentile_ms.kind NOT IN ('duration', 'ttft') THEN
		RAISE EXCEPTION 'kind cannot be "%": duration or ttft', percentile_ms.kind USING ERRCODE = '22023';
	ELSIF percentile_ms.q IS NULL OR percentile_ms.q NOT BETWEEN 0 AND 1 THEN
		RAISE EXCEPTION 'q cannot be %: 0 to 1', percentile_ms.q USING ERRCODE = '22023';
	END IF;
	WITH class AS (
		SELECT l.le_ms, l.calls FROM latency_by_hour l
		WHERE l.bucket >= v_from AND l.bucket < v_to AND l.kind = percentile_ms.kind
		AND (percentile_ms.model IS NULL OR l.model = percentile_ms.model)
		UNION ALL
		SELECT l.le_ms, l.calls FROM latency_by_minute l
		WHERE l.bucket >= percentile_ms."from" AND l.bucket < percentile_ms."to"
		AND NOT (l.bucket >= v_from AND l.bucket < v_to) AND l.kind = percentile_ms.kind
		AND (percentile_ms.model IS NULL OR l.model = percentile_ms.model)
	), running AS (
		SELECT le_ms, sum(sum(calls)) OVER (ORDER BY le_ms) AS up_to, sum(sum(calls)) OVER () AS total
		FROM class GROUP BY le_ms
	)
	SELECT min(le_ms) INTO v_result FROM running WHERE up_to >= percentile_ms.q::numeric * total;
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION percentile_ms FROM PUBLIC;
GRANT EXECUTE ON FUNCTION percentile_ms TO tokentally_reader;
COMMENT ON FUNCTION percentile_ms IS
	'Percentile q (0 to 1) of "duration" or "ttft" in ms, of a model or all, for from <= time < to; null without calls';
