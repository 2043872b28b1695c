-- SPDX-License-Identifier: Apache-2.0
--
-- Removes what titles know of people: the one case in which rows leave the history.

CREATE OR REPLACE FUNCTION erase_titles(p_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_awards bigint;
BEGIN
	PERFORM set_config('tokentally.erase', 'on', true);
	DELETE FROM title_award_row WHERE person_id = ANY (p_ids);
	GET DIAGNOSTICS v_awards = ROW_COUNT;
	PERFORM set_config('tokentally.erase', 'off', true);
	DELETE FROM title_standing WHERE person_id = ANY (p_ids);
	DELETE FROM leaderboard_row WHERE person_id = ANY (p_ids);
	DELETE FROM title_flag_row WHERE person_id = ANY (p_ids);
	RETURN v_awards;
END
$$;
REVOKE ALL ON FUNCTION erase_titles(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION erase_titles(bigint[]) IS 'Part of erase_user: awards, standing, boards, flags';
