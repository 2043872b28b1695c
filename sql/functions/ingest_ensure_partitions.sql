-- SPDX-License-Identifier: Apache-2.0
--
-- Makes the partitions that events between p_from and p_to need. Minute tables start at p_minute_from,
-- because older events do not go there. Dead letters carry the time of their receipt, so they need no
-- partitions for the past.

CREATE OR REPLACE FUNCTION ingest_ensure_partitions(p_from timestamptz, p_to timestamptz, p_minute_from timestamptz)
RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET lock_timeout = '3s'
AS $$
DECLARE
	v_spec partition_spec;
	v_from timestamptz;
	v_start timestamptz;
	v_made int := 0;
BEGIN
	IF NOT (isfinite(p_from) AND isfinite(p_to) AND isfinite(p_minute_from)) THEN
		RAISE EXCEPTION 'partitions need finite times' USING ERRCODE = '22023';
	END IF;
	PERFORM take_lock('partitions');
	FOR v_spec IN SELECT * FROM partition_spec ORDER BY table_name LOOP
		v_from := CASE v_spec.retention_key
			WHEN 'minute' THEN greatest(p_from, p_minute_from)
			WHEN 'dead_letter' THEN greatest(p_from, now() - interval '7 days')
			ELSE p_from END;
		FOR v_start IN SELECT generate_series(date_trunc(v_spec.step, v_from), p_to, ('1 ' || v_spec.step)::interval) LOOP
			v_made := v_made + make_partition(v_spec, v_start)::int;
		END LOOP;
	END LOOP;
	RETURN v_made;
END
$$;
REVOKE ALL ON FUNCTION ingest_ensure_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_ensure_partitions TO tokentally_ingest;
COMMENT ON FUNCTION ingest_ensure_partitions IS
	'Makes missing partitions for this span of time and says how many';
