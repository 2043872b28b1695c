-- SPDX-License-Identifier: Apache-2.0
--
-- Folds one UTC day: the oldest that has hours and is not folded yet. A call is bounded, callers loop while it answers
-- true. No commit runs meanwhile: it would have to know on which side of the border its hours are.

CREATE OR REPLACE FUNCTION fold_days(p_now timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET lock_timeout = '3s'
SET TimeZone = 'UTC'
SET work_mem = '64MB'
SET jit = off
AS $$
DECLARE
	v_limit timestamptz := fold_limit(p_now);
	v_from timestamptz;
	v_day timestamptz;
BEGIN
	PERFORM require_read_committed();
	IF v_limit <= (SELECT folded_until FROM usage_fold) THEN
		RETURN false; -- as most calls do, and without the lock
	END IF;
	PERFORM take_lock('rollups');
	SELECT folded_until INTO v_from FROM usage_fold;
	IF v_limit <= v_from THEN
		RETURN false;
	END IF;
	SELECT date_trunc('day', min(bucket)) INTO v_day FROM usage_hour WHERE bucket >= v_from AND bucket < v_limit;
	IF v_day IS NOT NULL THEN
		PERFORM fold_day(v_day);
	END IF;
	UPDATE usage_fold SET folded_until = coalesce(v_day + interval '1 day', v_limit);
	RETURN v_day IS NOT NULL;
END
$$;
REVOKE ALL ON FUNCTION fold_days FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fold_days TO tokentally_ingest;
COMMENT ON FUNCTION fold_days IS
	'Folds the oldest due day; true when there was one, and maybe more';
