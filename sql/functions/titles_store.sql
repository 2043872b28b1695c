-- SPDX-License-Identifier: Apache-2.0
--
-- Keeps what the run found: the run itself, standing (with the run before it, so that a
-- moved rank can be explained) and boards.

CREATE OR REPLACE FUNCTION titles_store(p_run title_result, p_started timestamptz,
	p_notes text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM title_standing
	WHERE as_of IS DISTINCT FROM (SELECT max(as_of) FROM title_run_row WHERE as_of < p_run.as_of);
	INSERT INTO title_standing (as_of, title, person_id, rank, tiebreak, value, tier, rule_version)
	SELECT p_run.as_of, c.title, s.person_id, s.rank, s.tiebreak, title_value(s.value), s.tier, c.rule_version
	FROM pg_temp.title_score s JOIN pg_temp.title_contest c ON c.id = s.contest
	WHERE c.title IS NOT NULL AND (s.tiebreak <= 250 OR s.tier IS NOT NULL);

	DELETE FROM leaderboard_row;
	INSERT INTO leaderboard_row (board, window_name, tiebreak, rank, person_id, value, as_of)
	SELECT c.metric, c.window_name, s.tiebreak, s.rank, s.person_id, title_value(s.value), p_run.as_of
	FROM pg_temp.title_score s JOIN pg_temp.title_contest c ON c.id = s.contest
	WHERE c.title IS NULL AND s.tiebreak <= 250;

	INSERT INTO title_run_row (as_of, started_at, finished_at, partial, holders, changes, notes)
	VALUES (p_run.as_of, p_started, clock_timestamp(), p_run.partial, p_run.holders, p_run.changes, p_notes)
	ON CONFLICT (as_of) DO UPDATE SET started_at = EXCLUDED.started_at, finished_at = EXCLUDED.finished_at,
		partial = EXCLUDED.partial, holders = EXCLUDED.holders, changes = EXCLUDED.changes, notes = EXCLUDED.notes;

	-- The views are read at once, not when autovacuum has come by.
	ANALYZE title_award_row, title_standing, leaderboard_row;
END
$$;
COMMENT ON FUNCTION titles_store(title_result, timestamptz, text[]) IS 'Part of recompute_titles: writes run, standing and boards';
REVOKE ALL ON FUNCTION titles_store(title_result, timestamptz, text[]) FROM PUBLIC;
