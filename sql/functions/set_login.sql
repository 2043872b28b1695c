-- SPDX-License-Identifier: Apache-2.0
--
-- Says which person a login role is (null: none any more), so that my_usage and my_choice work for it. The login needs
-- tokentally_reader to reach the schema.

CREATE OR REPLACE FUNCTION set_login(login name, user_key text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = set_login.login) THEN
		RAISE EXCEPTION 'there is no role "%"', set_login.login USING ERRCODE = '42704';
	END IF;
	DELETE FROM person_login l WHERE l.login = set_login.login;
	IF set_login.user_key IS NOT NULL THEN
		PERFORM set_person(set_login.user_key);
		INSERT INTO person_login SELECT set_login.login, COALESCE(p.main_id, p.id) FROM person p
		WHERE p.user_key = set_login.user_key;
	END IF;
	PERFORM audit('set login', CASE WHEN set_login.user_key IS NULL THEN 'a login is nobody''s' ELSE format('person %s has a login',
		(SELECT l.person_id FROM person_login l WHERE l.login = set_login.login)) END);
END
$$;
REVOKE ALL ON FUNCTION set_login FROM PUBLIC;
GRANT EXECUTE ON FUNCTION set_login TO tokentally_admin;
COMMENT ON FUNCTION set_login IS
	'Maps a login role to a person, for my_usage and my_choice';
