-- SPDX-License-Identifier: Apache-2.0
--
-- Why somebody has, or has not, a title: value, rank, what the next tier needs, why the rank moved since the run before,
-- what keeps one out. As of the newest run, computed now: data that came after it is in. explain_my_titles is for oneself.

CREATE OR REPLACE FUNCTION explain_titles(user_key text, of_title text DEFAULT NULL)
RETURNS TABLE (title text, tier text, rank int, value numeric, metric text, window_name text, window_start timestamptz,
	window_end timestamptz, next_tier text, next_value numeric, moved text, kept_out text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_person bigint := (SELECT COALESCE(p.main_id, p.id) FROM person p WHERE p.user_key = explain_titles.user_key);
BEGIN
	IF v_person IS NULL THEN
		RAISE EXCEPTION 'nobody of that key is known' USING ERRCODE = 'P0002';
	END IF;
	PERFORM title_word_check('title', ARRAY[COALESCE(explain_titles.of_title, (SELECT min(r.name) FROM title_rule r))],
		(SELECT array_agg(r.name ORDER BY r.name) FROM title_rule r));
	RETURN QUERY SELECT * FROM explain_person(v_person, explain_titles.of_title);
END
$$;
REVOKE ALL ON FUNCTION explain_titles(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION explain_titles(text, text) TO tokentally_people, tokentally_admin;
COMMENT ON FUNCTION explain_titles(text, text) IS 'Value, rank, next tier and what keeps one out, of one person and one title or all';
