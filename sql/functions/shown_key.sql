-- SPDX-License-Identifier: Apache-2.0
--
-- What readers without the people role see of a person. One whose pseudonym the daemon has not made yet is
-- hidden rather than named.

CREATE OR REPLACE FUNCTION shown_key(p_user_key text, p_pseudonym text, p_names text, p_default text)
RETURNS text
LANGUAGE sql IMMUTABLE SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT CASE coalesce(p_names, p_default)
		WHEN 'named' THEN p_user_key
		WHEN 'pseudonym' THEN coalesce(nullif(p_pseudonym, ''), '(hidden)')
		ELSE '(hidden)'
	END
$$;
REVOKE ALL ON FUNCTION shown_key FROM PUBLIC;
COMMENT ON FUNCTION shown_key IS
	'The key of a person that readers see';
