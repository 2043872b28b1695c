-- SPDX-License-Identifier: Apache-2.0
--
-- Nobody works for more than 20 of a day's 24 hours.

CREATE OR REPLACE FUNCTION flags_always_active(p_days timestamptz[], p_as_of timestamptz)
RETURNS TABLE (person_id bigint, rule text, day timestamptz, evidence text)
LANGUAGE sql STABLE PARALLEL SAFE COST 100000000
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
	SELECT person_id, 'always active', day, format('%s active hours on %s', hours, day::date)
	FROM (SELECT COALESCE(p.main_id, p.id) AS person_id, d.day,
			bit_count(bit_or(1 << extract(hour FROM u.bucket)::int)::bit(32)) AS hours
		FROM unnest(p_days) d (day)
		JOIN usage_hour u ON u.bucket >= d.day AND u.bucket < d.day + interval '1 day' AND u.bucket < p_as_of
		JOIN person p ON p.id = u.person_id
		GROUP BY 1, 2) active
	WHERE hours > 20
$$;
COMMENT ON FUNCTION flags_always_active(timestamptz[], timestamptz) IS 'Part of titles_flag: more than 20 active hours in a day';
REVOKE ALL ON FUNCTION flags_always_active(timestamptz[], timestamptz) FROM PUBLIC;
