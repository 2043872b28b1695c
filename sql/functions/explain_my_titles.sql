-- SPDX-License-Identifier: Apache-2.0
--
-- explain_titles about oneself, for a login that set_login has mapped.

CREATE OR REPLACE FUNCTION explain_my_titles(of_title text DEFAULT NULL)
RETURNS TABLE (title text, tier text, rank int, value numeric, metric text, window_name text, window_start timestamptz,
	window_end timestamptz, next_tier text, next_value numeric, moved text, kept_out text)
LANGUAGE sql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT * FROM explain_person(my_person(), explain_my_titles.of_title)
$$;
REVOKE ALL ON FUNCTION explain_my_titles(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION explain_my_titles(text) TO tokentally_reader;
COMMENT ON FUNCTION explain_my_titles(text) IS 'explain_titles about the person whose login this is';
