-- SPDX-License-Identifier: Apache-2.0
--
-- Moves the hours and days of people to "(erased)" and removes their sessions. Days are found by an index; they say which
-- hours to look at, and the hours say which slots.

CREATE OR REPLACE FUNCTION erase_usage(p_ids bigint[]) RETURNS erase_result
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
	v_result erase_result;
	v_hours hour_delta[];
	v_days hour_delta[];
	v_buckets timestamptz[];
BEGIN
	SELECT array_agg(day + make_interval(hours => h)) INTO v_buckets
	FROM (SELECT DISTINCT bucket AS day FROM usage_day WHERE person_id = ANY (p_ids)) days, generate_series(0, 23) h;
	WITH gone AS (
		DELETE FROM usage_hour WHERE person_id = ANY (p_ids) AND (bucket = ANY (v_buckets)
			OR bucket >= (SELECT folded_until FROM usage_fold)
			OR bucket < COALESCE((SELECT min(bucket) FROM usage_day), 'infinity'))
		RETURNING *
	)
	SELECT array_agg(ROW(gone.*)::hour_delta) INTO v_hours FROM gone;
	WITH gone AS (
		DELETE FROM usage_day WHERE person_id = ANY (p_ids) RETURNING *
	)
	SELECT array_agg(ROW(gone.*)::hour_delta) INTO v_days FROM gone;
	DELETE FROM session_slot WHERE person_id = ANY (p_ids) AND slot = ANY (ARRAY(
		SELECT DISTINCT h.bucket + half FROM unnest(v_hours) h, unnest('{0,30 minutes}'::interval[]) half));
	GET DIAGNOSTICS v_result.sessions = ROW_COUNT;
	v_result.hours := COALESCE(cardinality(v_hours), 0);
	v_result.days := COALESCE(cardinality(v_days), 0);
	PERFORM erase_add('usage_hour', v_hours), erase_add('usage_day', v_days);
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION erase_usage(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION erase_usage(bigint[]) IS 'Part of erase_user: hours, days and sessions';
