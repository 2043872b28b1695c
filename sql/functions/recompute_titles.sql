-- SPDX-License-Identifier: Apache-2.0
--
-- Computes the titles of the hour that ended at as_of (cut down to the hour) and stores them, in this one
-- transaction. The newest run may be computed again, after late data, and ends as if it had run only once; a later hour
-- follows it; an older hour, or one that has not ended, is computed but not stored (preview_titles shows it).
-- outcome: 'stored', 'older', 'open', or 'busy' when another run is in progress and nothing was done.
--
-- enable_nestloop is off because statistics may be of a time when a table was empty: a plan for one row took 100 s for
-- 600 holders. There is nothing here that a hash join does badly.

CREATE OR REPLACE FUNCTION recompute_titles(as_of timestamptz, partial boolean DEFAULT false)
RETURNS title_result
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
SET work_mem = '128MB'
SET jit = off
SET enable_nestloop = off
SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
SET client_min_messages = warning
AS $$
DECLARE
	v_started timestamptz := clock_timestamp();
	v_newest timestamptz;
	v_notes text[];
	v_result title_result;
BEGIN
	PERFORM require_read_committed();
	v_result.as_of := titles_hour(recompute_titles.as_of);
	v_result.partial := COALESCE(recompute_titles.partial, false);
	v_result.stored := false;
	v_result.holders := 0;
	v_result.changes := 0;
	v_result.outcome := 'busy';
	IF NOT titles_try_lock() THEN
		v_result.note := 'another run is in progress';
		RETURN v_result;
	END IF;
	SELECT max(r.as_of) INTO v_newest FROM title_run_row r;
	IF v_result.as_of <= v_started AND v_result.as_of >= COALESCE(v_newest, '-infinity') THEN
		PERFORM titles_flag(v_result.as_of);
	END IF;
	v_notes := titles_compute(v_result.as_of);
	SELECT count(t.title), count(*) FILTER (WHERE t.tier IS DISTINCT FROM b.tier)
	INTO v_result.holders, v_result.changes
	FROM pg_temp.title_target t FULL JOIN pg_temp.title_before b
	ON b.title = t.title AND b.person_id = t.person_id;

	IF v_result.as_of > v_started THEN
		v_result.outcome := 'open';
		v_notes := v_notes || 'this hour has not ended: not stored'::text;
	ELSIF v_result.as_of < v_newest THEN
		v_result.outcome := 'older';
		v_notes := v_notes || format('older than the newest run, of %s: not stored', v_newest);
	ELSE
		v_result.outcome := 'stored';
		v_result.stored := true;
		PERFORM titles_award(v_result.as_of);
		PERFORM titles_store(v_result, v_started, v_notes);
	END IF;
	v_result.note := array_to_string(v_notes, '; ');
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION recompute_titles(timestamptz, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION recompute_titles(timestamptz, boolean) TO tokentally_ingest, tokentally_admin;
COMMENT ON FUNCTION recompute_titles(timestamptz, boolean) IS
	'Recomputes the titles as of this hour; an older hour than the newest run is computed but not stored';
