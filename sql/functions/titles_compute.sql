-- SPDX-License-Identifier: Apache-2.0
--
-- Computes the titles of p_as_of into temporary tables of this transaction; nothing else is written. The tables,
-- in the order in which they are made: title_contest (what is ranked), title_work (every metric of everybody),
-- title_score (rank and tier), title_before (awards held until now), title_target (awards to be held).
-- Returns what should be said about the result. Who has sums that no bigint holds is left out: see capped.

CREATE OR REPLACE FUNCTION titles_compute(p_as_of timestamptz) RETURNS text[]
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_left_out bigint[] := '{}';
	v_notes text[];
BEGIN
	PERFORM titles_contests();
	BEGIN
		PERFORM titles_measure(p_as_of, v_left_out);
	EXCEPTION WHEN numeric_value_out_of_range THEN
		v_left_out := titles_absurd(p_as_of);
		IF v_left_out IS NULL THEN
			RAISE;
		END IF;
		PERFORM titles_measure(p_as_of, v_left_out);
	END;
	PERFORM titles_rank();
	PERFORM titles_order(p_as_of);
	PERFORM titles_before(p_as_of);
	v_notes := titles_tier_ranks();
	PERFORM titles_tier_milestones(p_as_of);
	PERFORM titles_target(p_as_of);
	IF v_left_out <> '{}' THEN
		v_notes := v_notes || format('%s people left out: their sums are beyond 64 bits; the largest totals of usage_by_day tell who',
			(SELECT count(*) FROM person WHERE id = ANY (v_left_out) AND main_id IS NULL));
	END IF;
	RETURN v_notes;
END
$$;
COMMENT ON FUNCTION titles_compute(timestamptz) IS 'Part of recompute_titles: all of the computation';
REVOKE ALL ON FUNCTION titles_compute(timestamptz) FROM PUBLIC;
