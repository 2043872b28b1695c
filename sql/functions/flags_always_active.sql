-- SPDX-License-Identifier: Apache-2.0
--
-- Nobody works for more than 20 of a day's 24 hours.

CREATE OR REPLACE FUNCTION flags_always_active(p_days timestamptz[], p_as_of timestamptz)
RETURNS TABLE (person_id bigint, rule text, day timestamptz, evidence text)
LANGUAGE sql STABLE PARALLEL SAFE COST 100000000
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
	SELECT active.person_id, 'always active', d.day, format('%s active hours on %s', active.hours, d.day::date)
	FROM unnest(p_days) d (day)
	-- Day by day: a hash table of one day's people is quicker than one of all.
	CROSS JOIN LATERAL (SELECT COALESCE(alias.main_id, u.person_id) AS person_id,
			bit_count(bit_or(1 << date_part('hour', u.bucket)::int)::bit(32)) AS hours
		FROM usage_hour u LEFT JOIN person alias ON alias.id = u.person_id AND alias.main_id IS NOT NULL
		WHERE u.bucket >= d.day AND u.bucket < d.day + interval '1 day' AND u.bucket < p_as_of
		GROUP BY 1) active
	WHERE active.hours > 20
$$;
COMMENT ON FUNCTION flags_always_active(timestamptz[], timestamptz) IS 'Part of titles_flag: more than 20 active hours in a day';
REVOKE ALL ON FUNCTION flags_always_active(timestamptz[], timestamptz) FROM PUBLIC;
