-- SPDX-License-Identifier: Apache-2.0
--
-- Over 90 % of at least 100 ok calls without output in the 24 hours up to p_as_of; the day is that of the last hour.

CREATE OR REPLACE FUNCTION flags_no_output(p_as_of timestamptz)
RETURNS TABLE (person_id bigint, rule text, day timestamptz, evidence text)
LANGUAGE sql STABLE PARALLEL SAFE COST 100000000
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
	SELECT person_id, 'no output', date_trunc('day', p_as_of - interval '1 hour'),
		format('%s of %s ok calls without output in the 24 h up to %s', nothing, ok, to_char(p_as_of, 'YYYY-MM-DD HH24:MI'))
	FROM (SELECT COALESCE(p.main_id, p.id) AS person_id, sum(zero_output_calls) AS nothing, sum(calls - errors) AS ok
		FROM usage_hour u JOIN person p ON p.id = u.person_id
		WHERE u.bucket >= p_as_of - interval '24 hours' AND u.bucket < p_as_of
		GROUP BY 1) day
	WHERE ok >= 100 AND nothing * 10 > ok * 9
$$;
COMMENT ON FUNCTION flags_no_output(timestamptz) IS 'Part of titles_flag: nearly all calls without output';
REVOKE ALL ON FUNCTION flags_no_output(timestamptz) FROM PUBLIC;
