-- SPDX-License-Identifier: Apache-2.0
--
-- The roster, for those who may see names.

CREATE OR REPLACE VIEW person_team AS
SELECT p.user_key, t.team, t.valid_from,
	lead(t.valid_from, 1, 'infinity') OVER (PARTITION BY t.person_id ORDER BY t.valid_from) AS valid_to
FROM person_team_row t JOIN person p ON p.id = t.person_id;
COMMENT ON VIEW person_team IS 'Teams of people by time, for events that name none (import_people, set_team)';
DO $$ BEGIN PERFORM comment_columns('person_team'); END $$;
GRANT SELECT ON person_team TO tokentally_people;
