-- SPDX-License-Identifier: Apache-2.0
--
-- The longest chain of each person in each window that a contest asks for, in microseconds: calls of one session with
-- gaps under 30 minutes. A window is its place in the arrays: start, how many people are wanted, and whether
-- everybody is (null: nobody). STABLE, so that all its statements read the
-- snapshot of the statement that calls it.
--
-- Chaining all sessions of 100,000 people takes longer than all the rest, and a rank needs only the first ones. A gap
-- under 30 minutes never skips a slot, so a chain is slots in a row, and one of n slots is shorter than n / 2 hours.
-- Who looks for chains of at least k slots looks at every k/2-th slot only: such a chain holds two of them next to each
-- other. All chains of at least (k - 1) / 2 hours are found with it; if those are fewer people than are wanted, k is halved.
-- The shortest window comes first: in a longer one nobody's chain is shorter, so what sufficed there suffices.

CREATE OR REPLACE FUNCTION titles_sessions(p_as_of timestamptz, p_starts timestamptz[], p_depths int[], p_everybody boolean[])
RETURNS TABLE (person_id bigint, win int, longest_us bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000000000 ROWS 1000
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_window record;
	v_slots int;
	v_enough int := 64;
	v_last_place bigint;
	v_people bigint[];
	v_longest bigint[];
BEGIN
	FOR v_window IN
		SELECT w.win, w.start, w.depth, w.everybody
		FROM unnest(p_starts, p_depths, p_everybody) WITH ORDINALITY w (start, depth, everybody, win)
		WHERE w.everybody IS NOT NULL ORDER BY w.start DESC
	LOOP
		v_slots := CASE WHEN v_window.everybody THEN 1 ELSE v_enough END;
		LOOP
			SELECT array_agg(chain.person_id), array_agg(chain.longest_us) INTO v_people, v_longest
			FROM titles_chains(v_window.start, p_as_of, v_slots, v_window.depth) chain;
			SELECT us INTO v_last_place FROM unnest(v_longest) us ORDER BY us DESC OFFSET v_window.depth - 1 LIMIT 1;
			EXIT WHEN v_slots = 1 OR v_last_place >= (v_slots - 1) * 1800000000::bigint;
			v_slots := v_slots / 2;
		END LOOP;
		v_enough := CASE WHEN v_window.everybody THEN v_enough ELSE COALESCE(v_last_place / 1800000000 + 1, v_enough) END;
		RETURN QUERY SELECT found.person_id, v_window.win::int, found.longest_us
		FROM unnest(v_people, v_longest) found (person_id, longest_us);
	END LOOP;
END
$$;
COMMENT ON FUNCTION titles_sessions(timestamptz, timestamptz[], int[], boolean[]) IS 'Part of recompute_titles: longest sessions';
REVOKE ALL ON FUNCTION titles_sessions(timestamptz, timestamptz[], int[], boolean[]) FROM PUBLIC;
