-- SPDX-License-Identifier: Apache-2.0
--
-- A day above a million tokens and a hundred times the median of the person's active days, of which there must be five
-- in the 30 days that end with it. Late calls of a day change the median of the days after it, so those are looked at
-- as well. Of 30 days only the rows of those people are read who had such a day. STABLE: one snapshot.

CREATE OR REPLACE FUNCTION flags_sudden_day(p_days timestamptz[], p_as_of timestamptz)
RETURNS TABLE (person_id bigint, rule text, day timestamptz, evidence text)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100000000
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
DECLARE
	v_first timestamptz := (SELECT min(day) FROM unnest(p_days) day);
	v_folded timestamptz := LEAST(date_trunc('day', p_as_of), (SELECT folded_until FROM usage_fold));
	v_people bigint[];
BEGIN
	SELECT array_agg(id) INTO v_people FROM person WHERE COALESCE(main_id, id) IN (
		SELECT used.person_id
		FROM generate_series(v_first, p_as_of, interval '1 day') day
		-- Day by day: a hash table of one day's people is quicker than one of all.
		CROSS JOIN LATERAL (SELECT COALESCE(alias.main_id, u.person_id) AS person_id
			FROM (SELECT person_id, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens
					FROM usage_day WHERE bucket = day AND bucket < v_folded
				UNION ALL
				SELECT person_id, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens
					FROM usage_hour
					WHERE bucket >= GREATEST(day, v_folded) AND bucket < day + interval '1 day' AND bucket < p_as_of) u
			LEFT JOIN person alias ON alias.id = u.person_id AND alias.main_id IS NOT NULL
			-- Each cut down to what is enough by itself, so that no sum leaves 64 bits.
			GROUP BY 1 HAVING title_sum(LEAST(input_tokens, 1000001) + LEAST(cache_read_tokens, 1000001)
				+ LEAST(cache_write_tokens, 1000001) + LEAST(output_tokens, 1000001)) > 1000000) used);

	RETURN QUERY
	WITH used AS (
		SELECT person_id, bucket AS day, input_tokens::numeric + cache_read_tokens + cache_write_tokens + output_tokens AS tokens
		FROM usage_day WHERE person_id = ANY (v_people) AND bucket >= v_first - interval '29 days' AND bucket < v_folded
	UNION ALL
		SELECT person_id, date_trunc('day', bucket), input_tokens::numeric + cache_read_tokens + cache_write_tokens + output_tokens
		FROM usage_hour
		WHERE person_id = ANY (v_people) AND bucket >= GREATEST(v_first - interval '29 days', v_folded) AND bucket < p_as_of
	), days AS MATERIALIZED (
		SELECT COALESCE(p.main_id, p.id) AS person_id, day, sum(tokens) AS tokens
		FROM used JOIN person p ON p.id = used.person_id
		GROUP BY 1, 2
	), judged AS (
		SELECT d.person_id, d.day, d.tokens, count(*) AS active_days,
			percentile_cont(0.5) WITHIN GROUP (ORDER BY other.tokens::float8) AS median
		FROM days d JOIN days other ON other.person_id = d.person_id
			AND other.day > d.day - interval '30 days' AND other.day <= d.day
		WHERE d.tokens > 1000000 AND d.day >= v_first
		GROUP BY 1, 2, 3
	)
	SELECT person_id, 'sudden day', day, format('%s tokens on %s, more than 100 times %s, the median of %s active days',
		tokens, day::date, round(median::numeric, 1), active_days)
	FROM judged WHERE active_days >= 5 AND tokens > 100 * median;
END
$$;
COMMENT ON FUNCTION flags_sudden_day(timestamptz[], timestamptz) IS 'Part of titles_flag: a day of 100 times the median';
REVOKE ALL ON FUNCTION flags_sudden_day(timestamptz[], timestamptz) FROM PUBLIC;
