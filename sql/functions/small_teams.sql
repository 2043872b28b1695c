-- SPDX-License-Identifier: Apache-2.0
--
-- The teams that are not named, by the temporary table team_person: those with fewer than p_min people, and while all of
-- them together are fewer, the next larger one as well, since a group of one small team would be that team.

CREATE OR REPLACE FUNCTION small_teams(p_min int)
RETURNS int[]
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_team record;
	v_small int[] := '{}';
BEGIN
	FOR v_team IN
		SELECT t.id, count(m.person_id) AS people FROM team t LEFT JOIN pg_temp.team_person m ON m.team_id = t.id
		GROUP BY t.id ORDER BY people, t.name
	LOOP
		EXIT WHEN v_team.people >= p_min AND (v_small = '{}' OR p_min <=
			(SELECT count(DISTINCT m.person_id) FROM pg_temp.team_person m WHERE m.team_id = ANY (v_small)));
		v_small := v_small || v_team.id;
	END LOOP;
	RETURN v_small;
END
$$;
REVOKE ALL ON FUNCTION small_teams FROM PUBLIC;
COMMENT ON FUNCTION small_teams IS
	'Part of refresh_small_groups: teams whose names readers do not see';
