-- SPDX-License-Identifier: Apache-2.0
--
-- import_people for one person.

CREATE OR REPLACE FUNCTION set_team(user_key text, team text, valid_from timestamptz DEFAULT now())
RETURNS SETOF team_change
LANGUAGE sql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT * FROM import_people(ARRAY[user_key], ARRAY[team], ARRAY[valid_from])
$$;
REVOKE ALL ON FUNCTION set_team FROM PUBLIC;
GRANT EXECUTE ON FUNCTION set_team TO tokentally_admin;
COMMENT ON FUNCTION set_team IS
	'The team of one person from a time on, for events that name none; an empty team is none';
