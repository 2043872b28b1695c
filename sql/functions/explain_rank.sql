-- SPDX-License-Identifier: Apache-2.0
--
-- The rank of a value beyond the places that a run ranks.

CREATE OR REPLACE FUNCTION explain_rank(p_metric text, p_window text, p_floors jsonb, p_direction text, p_value numeric)
RETURNS int
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_rank int;
BEGIN
	EXECUTE format('SELECT 1 + count(*) FROM pg_temp.title_work WHERE window_name = $1 AND %I %s $2 AND (%s)',
		p_metric, CASE p_direction WHEN 'descending' THEN '>' ELSE '<' END, title_floors_sql(p_floors))
	INTO v_rank USING p_window, p_value;
	RETURN v_rank;
END
$$;
REVOKE ALL ON FUNCTION explain_rank(text, text, jsonb, text, numeric) FROM PUBLIC;
COMMENT ON FUNCTION explain_rank(text, text, jsonb, text, numeric) IS 'Part of explain_titles: a rank';
