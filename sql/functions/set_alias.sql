-- SPDX-License-Identifier: Apache-2.0
--
-- Says that user_key is another identity of alias_of, or (null) a person of its own again. What was counted stays where
-- it was counted: the views and the titles show it under the person from now on, and not any more after the parting.

CREATE OR REPLACE FUNCTION set_alias(user_key text, alias_of text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_alias bigint;
	v_main bigint;
BEGIN
	PERFORM set_person(set_alias.user_key); -- makes one not seen yet
	IF set_alias.alias_of IS NOT NULL THEN
		PERFORM set_person(set_alias.alias_of);
	END IF;
	SELECT p.id INTO v_alias FROM person p WHERE p.user_key = set_alias.user_key;
	SELECT COALESCE(p.main_id, p.id) INTO v_main FROM person p WHERE p.user_key = set_alias.alias_of;
	IF v_main = v_alias THEN
		RAISE EXCEPTION '"%" is an alias of "%" already, or the same', set_alias.alias_of, set_alias.user_key
			USING ERRCODE = '22023';
	END IF;
	UPDATE person p SET main_id = v_main WHERE p.id = v_alias OR (p.main_id = v_alias AND v_main IS NOT NULL);
	PERFORM hand_over_teams(v_alias, v_main);
	PERFORM show_people(ARRAY[v_alias, v_main] || ARRAY(SELECT p.id FROM person p WHERE p.main_id = v_main));
	DELETE FROM title_flag_check; -- days of one may be flagged that days of two were not
	PERFORM audit('set alias', CASE WHEN v_main IS NULL THEN format('identity %s is a person of its own', v_alias)
		ELSE format('identity %s belongs to person %s', v_alias, v_main) END);
END
$$;
REVOKE ALL ON FUNCTION set_alias FROM PUBLIC;
GRANT EXECUTE ON FUNCTION set_alias TO tokentally_admin;
COMMENT ON FUNCTION set_alias IS
	'Makes one identity an alias of another person (null: of nobody), without rewriting what was counted';
