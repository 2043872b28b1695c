-- SPDX-License-Identifier: Apache-2.0
--
-- Puts the first 250 ranks of each contest in one order: value, then the earlier newest active hour, then the
-- older person. A day row does not know its newest hour: where that decides, it is looked up. Thousands may tie, so the days
-- are compared first: whoever is beyond place 250 by day has no place (tiebreak is null).

CREATE OR REPLACE FUNCTION titles_order(p_as_of timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
	UPDATE pg_temp.title_score s SET tiebreak = by_day.place
	FROM (SELECT contest, person_id,
			rank() OVER (PARTITION BY contest ORDER BY rank, date_trunc('day', GREATEST(newest_day, newest_hour))) AS place
		FROM pg_temp.title_score WHERE rank <= 250) by_day
	WHERE s.contest = by_day.contest AND s.person_id = by_day.person_id AND by_day.place <= 250;

	UPDATE pg_temp.title_score s SET newest_hour = COALESCE(found.hour, found.newest_day)
	FROM (SELECT person_id, newest_day,
			(SELECT max(bucket) FROM usage_hour u
			WHERE u.person_id = ANY (ARRAY(SELECT id FROM person WHERE id = tied.person_id
				UNION ALL SELECT id FROM person WHERE main_id = tied.person_id))
			-- Each hour by name: the index has the hour first, and a range would read everybody's.
			AND u.bucket = ANY (ARRAY(SELECT newest_day + make_interval(hours => h) FROM generate_series(0, 23) h))
			AND u.bucket >= newest_day AND u.bucket < newest_day + interval '1 day' AND u.bucket < p_as_of) AS hour
		FROM (SELECT DISTINCT person_id, newest_day FROM pg_temp.title_score
			WHERE tiebreak IS NOT NULL AND ties > 1 AND newest_day > COALESCE(newest_hour, '-infinity')) tied
		) found
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
