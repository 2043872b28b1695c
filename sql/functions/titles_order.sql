-- SPDX-License-Identifier: Apache-2.0
--
-- Puts the first 250 ranks of each contest in one order: value, then the earlier newest active hour, then the
-- older person. titles_rank has compared the days, and thousands may tie still. A day row does not know its newest hour: where
-- that decides, it is looked up. Who is beyond place 250 even by day has no place (tiebreak is null).

CREATE OR REPLACE FUNCTION titles_order(p_as_of timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
	WITH tied AS MATERIALIZED (
		SELECT DISTINCT person_id, newest_day FROM pg_temp.title_score
		WHERE tiebreak IS NOT NULL AND ties > 1 AND newest_day > COALESCE(newest_hour, '-infinity')
	), found AS MATERIALIZED (
		-- Hour by hour, each by the primary key: it has the hour first, and any range of hours would be everybody's.
		SELECT person_id, newest_day, (SELECT max(hour)
			FROM generate_series(newest_day, newest_day + interval '23 hours', interval '1 hour') hour
			WHERE hour < p_as_of AND (SELECT true FROM usage_hour u
				WHERE u.bucket = hour AND u.person_id = ANY (ARRAY(SELECT id FROM person WHERE id = tied.person_id
					UNION ALL SELECT id FROM person WHERE main_id = tied.person_id))
				LIMIT 1)) AS hour
		FROM tied
	)
	UPDATE pg_temp.title_score s SET newest_hour = COALESCE(found.hour, found.newest_day)
	FROM found
	WHERE s.person_id = found.person_id AND s.newest_day = found.newest_day
	AND s.tiebreak IS NOT NULL AND s.newest_day > COALESCE(s.newest_hour, '-infinity');

	UPDATE pg_temp.title_score s SET tiebreak = ordered.tiebreak
	FROM (SELECT contest, person_id,
			row_number() OVER (PARTITION BY contest ORDER BY rank, newest_hour, person_id) AS tiebreak
		FROM pg_temp.title_score WHERE tiebreak IS NOT NULL) ordered
	WHERE s.contest = ordered.contest AND s.person_id = ordered.person_id;
END
$$;
COMMENT ON FUNCTION titles_order(timestamptz) IS 'Part of recompute_titles: tiebreak of the first 250 in title_score';
REVOKE ALL ON FUNCTION titles_order(timestamptz) FROM PUBLIC;
