-- SPDX-License-Identifier: Apache-2.0
--
-- Moves one hour bucket into usage_day: the oldest one that is not folded yet. A call is bounded, callers
-- loop while it answers true. No commit runs meanwhile: it would have to know on which side of the border
-- its hours are.

CREATE OR REPLACE FUNCTION fold_days(p_now timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET lock_timeout = '3s'
SET jit = off
AS $$
DECLARE
	v_limit timestamptz := fold_limit(p_now);
	v_from timestamptz;
	v_bucket timestamptz;
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
	SELECT min(bucket) INTO v_bucket FROM usage_hour WHERE bucket >= v_from AND bucket < v_limit;
	IF v_bucket IS NOT NULL THEN
		PERFORM fold_hour(v_bucket);
	END IF;
	UPDATE usage_fold SET folded_until = coalesce(v_bucket + interval '1 hour', v_limit);
	RETURN v_bucket IS NOT NULL;
END
$$;
REVOKE ALL ON FUNCTION fold_days FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fold_days TO tokentally_ingest;
COMMENT ON FUNCTION fold_days IS
	'Folds the oldest due hour into its day; true when there was one, and maybe more';
