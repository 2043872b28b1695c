-- SPDX-License-Identifier: Apache-2.0
--
-- All identities of people whose tokens or cost in the longest window are more than a quarter of what a bigint holds. Only asked
-- when a run's sums did not fit: some thousand events of 2^53 tokens get there, and nobody's work does.

CREATE OR REPLACE FUNCTION titles_absurd(p_as_of timestamptz) RETURNS bigint[]
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
	v_from timestamptz := (SELECT date_trunc('day', p_as_of - make_interval(hours => max(hours))) FROM title_window
		WHERE name IN (SELECT window_name FROM pg_temp.title_contest));
	v_folded timestamptz := (SELECT folded_until FROM usage_fold);
BEGIN
	RETURN (SELECT array_agg(i.id) FROM person i WHERE COALESCE(i.main_id, i.id) IN (
		SELECT COALESCE(p.main_id, p.id)
		FROM (SELECT person_id, input_tokens::numeric + cache_read_tokens + cache_write_tokens + output_tokens AS tokens,
				cache_known_tokens, cost_nano FROM usage_day WHERE bucket >= v_from AND bucket < v_folded
			UNION ALL
			SELECT person_id, input_tokens::numeric + cache_read_tokens + cache_write_tokens + output_tokens,
				cache_known_tokens, cost_nano FROM usage_hour WHERE bucket >= GREATEST(v_from, v_folded)) u
		JOIN person p ON p.id = u.person_id
		GROUP BY 1
		HAVING GREATEST(sum(tokens), sum(cache_known_tokens), sum(cost_nano)) > 2305843009213693951));
END
$$;
COMMENT ON FUNCTION titles_absurd(timestamptz) IS 'Part of recompute_titles: people whose sums do not fit';
REVOKE ALL ON FUNCTION titles_absurd(timestamptz) FROM PUBLIC;
