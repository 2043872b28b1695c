-- SPDX-License-Identifier: Apache-2.0
--
-- A person's value of a metric, from title_work. Of sessions a run knows those of the first places only: the others' are
-- chained here.

CREATE OR REPLACE FUNCTION explain_value(p_person bigint, p_metric text, p_window text, p_from timestamptz, p_to timestamptz)
RETURNS numeric
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_value numeric;
BEGIN
	IF to_regclass('pg_temp.title_work') IS NOT NULL THEN
		EXECUTE format('SELECT %I FROM pg_temp.title_work WHERE person_id = $1 AND window_name = $2', p_metric)
		INTO v_value USING p_person, p_window;
	END IF;
	IF v_value IS NULL AND p_metric = 'longest_session_hours' THEN
		SELECT round(c.longest_us::numeric(60, 40) / 3600000000, 40) INTO v_value
		FROM titles_chains(p_from, p_to, 1, 1, p_person) c;
	END IF;
	RETURN v_value;
END
$$;
REVOKE ALL ON FUNCTION explain_value(bigint, text, text, timestamptz, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION explain_value(bigint, text, text, timestamptz, timestamptz) IS 'Part of explain_titles: a value';
