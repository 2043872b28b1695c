-- SPDX-License-Identifier: Apache-2.0
--
-- A batch was counted by the teams of people and the source rules of one generation. Another one now: the daemon has to
-- read the rules and then the messages again. Null: whoever calls has looked nothing up.

CREATE OR REPLACE FUNCTION check_rules_generation(p_rules_generation bigint)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF p_rules_generation <> (SELECT value::bigint FROM setting WHERE key = 'rules_generation') THEN
		RAISE EXCEPTION 'teams of people or source rules were changed since they were read' USING ERRCODE = 'TT005';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION check_rules_generation FROM PUBLIC;
COMMENT ON FUNCTION check_rules_generation IS
	'TT005 when teams of people or source rules were changed since the daemon read them';
