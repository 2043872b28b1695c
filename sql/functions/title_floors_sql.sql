-- SPDX-License-Identifier: Apache-2.0
--
-- The floors of a rule as a condition on a row of title_work.

CREATE OR REPLACE FUNCTION title_floors_sql(p_floors jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT COALESCE(string_agg(format('%I >= %L::numeric', key, value), ' AND ' ORDER BY key), 'true')
	FROM jsonb_each_text(p_floors)
$$;
COMMENT ON FUNCTION title_floors_sql(jsonb) IS 'Part of recompute_titles: floors as an SQL condition';
REVOKE ALL ON FUNCTION title_floors_sql(jsonb) FROM PUBLIC;
