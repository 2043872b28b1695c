-- SPDX-License-Identifier: Apache-2.0
--
-- The person behind the login, whatever role it has taken on.

CREATE OR REPLACE FUNCTION my_person() RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint := (SELECT COALESCE(p.main_id, p.id) FROM person_login l JOIN person p ON p.id = l.person_id
		WHERE l.login = session_user);
BEGIN
	IF v_id IS NULL THEN
		RAISE EXCEPTION 'login "%" is nobody''s', session_user
			USING ERRCODE = '42501', HINT = 'An administrator can say whose: SELECT set_login(login, user_key).';
	END IF;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION my_person() FROM PUBLIC;
COMMENT ON FUNCTION my_person() IS 'Part of my_usage and my_choice: who asks';
