-- SPDX-License-Identifier: Apache-2.0
--
-- One's own place on a board of the newest run, for a login that set_login has mapped; no row beyond the first 250.

CREATE OR REPLACE FUNCTION my_place(board text, window_name text)
RETURNS TABLE (rank int, value numeric, as_of timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT b.rank, b.value, b.as_of FROM leaderboard_row b
	WHERE b.board = my_place.board AND b.window_name = my_place.window_name AND b.person_id = my_person()
$$;
REVOKE ALL ON FUNCTION my_place(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION my_place(text, text) TO tokentally_reader;
COMMENT ON FUNCTION my_place(text, text) IS 'The place on a board of the person whose login this is';
