-- SPDX-License-Identifier: Apache-2.0
--
-- Team moves belong to a person, whatever the identity: one that becomes an alias hands its own over where the person has
-- none, and loses them otherwise.

CREATE OR REPLACE FUNCTION hand_over_teams(p_alias bigint, p_main bigint)
RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF p_main IS NOT NULL AND NOT EXISTS (SELECT FROM person_team_row WHERE person_id = p_main) THEN
		UPDATE person_team_row SET person_id = p_main WHERE person_id = p_alias;
	ELSIF p_main IS NOT NULL THEN
		DELETE FROM person_team_row WHERE person_id = p_alias;
	END IF;
	IF EXISTS (SELECT FROM person_team_row) THEN
		PERFORM new_rules_generation(); -- a key may have other teams now
	END IF;
END
$$;
REVOKE ALL ON FUNCTION hand_over_teams FROM PUBLIC;
COMMENT ON FUNCTION hand_over_teams IS 'Part of set_alias: team moves of an identity become its person''s';
