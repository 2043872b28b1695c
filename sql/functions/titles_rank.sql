-- SPDX-License-Identifier: Apache-2.0
--
-- Ranks each contest of title_contest over title_work, into the temporary table title_score. A metric is a
-- column, so a contest is a statement: a few dozen of them, however many people there are. Ranking all of
-- 100,000 people for 250 places would be mostly sorting, so the value of the last place is found first.
--
-- All of them may tie at that value. Who shares a rank with more than twice the places cannot get a tier by it, and is kept
-- only if one of the first 250 by the day of the newest activity (tiebreak: titles_order makes it the exact order),
-- or as a holder, for whom there is a reason to be told. Milestones get their tier here, as far as the value alone decides.

CREATE OR REPLACE FUNCTION titles_rank() RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
	contest record;
BEGIN
	DROP TABLE IF EXISTS pg_temp.title_score;
	CREATE TEMPORARY TABLE title_score (
		contest int NOT NULL,
		person_id bigint NOT NULL,
		value numeric,
		rank int,
		ties int,
		newest_day timestamptz,
		newest_hour timestamptz,
		tiebreak int,
		tier text
	) ON COMMIT DROP;

	FOR contest IN SELECT id, title, metric, window_name, condition, depth, direction = 'descending' AS falls, steps, thresholds
			FROM pg_temp.title_contest LOOP
		EXECUTE format($contest$
			WITH entrant AS MATERIALIZED (
				SELECT person_id, %1$I AS value, newest_day, newest_hour FROM pg_temp.title_work
				WHERE window_name = $2 AND %1$I IS NOT NULL AND (%2$s)
			), last_place AS (
				SELECT value FROM entrant ORDER BY value %3$s OFFSET $3 - 1 LIMIT 1
			), ranked AS (
				SELECT *, rank() OVER (ORDER BY value %3$s) AS rank, count(*) OVER (PARTITION BY value) AS ties,
					rank() OVER (ORDER BY value %3$s, date_trunc('day', GREATEST(newest_day, newest_hour))) AS by_day
				FROM entrant
				WHERE $3 IS NULL OR value %4$s COALESCE((SELECT value FROM last_place), value)
			)
			INSERT INTO pg_temp.title_score (contest, person_id, value, rank, ties, newest_day, newest_hour, tiebreak, tier)
			SELECT $1, person_id, value, rank, ties, newest_day, newest_hour, CASE WHEN by_day <= 250 THEN by_day END,
				$5[width_bucket(value::numeric, $6)]
			FROM ranked
			WHERE $3 IS NULL OR by_day <= 250 OR ties <= 2 * $3
			OR person_id IN (SELECT a.person_id FROM title_award_row a WHERE a.title = $4 AND a.revoked_at IS NULL)
			$contest$, contest.metric, contest.condition,
			CASE WHEN contest.falls THEN 'DESC' ELSE 'ASC' END, CASE WHEN contest.falls THEN '>=' ELSE '<=' END)
		USING contest.id, contest.window_name, contest.depth, contest.title, contest.steps, contest.thresholds;
	END LOOP;
	CREATE INDEX ON pg_temp.title_score (contest, person_id);
	ANALYZE pg_temp.title_score;
END
$$;
COMMENT ON FUNCTION titles_rank() IS 'Part of recompute_titles: ranks title_work into title_score';
REVOKE ALL ON FUNCTION titles_rank() FROM PUBLIC;
