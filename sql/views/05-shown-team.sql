-- SPDX-License-Identifier: Apache-2.0
--
-- The one place from which the views take the name of a team: small ones are not named to readers. Arms as in
-- usage_by_hour. Team -1 is that of hidden people, whose own would make one row of each of them.

CREATE OR REPLACE VIEW shown_team AS
SELECT id, name FROM team
WHERE pg_has_role(current_user, 'tokentally_people', 'usage')
UNION ALL
SELECT id, shown_name FROM team
WHERE NOT pg_has_role(current_user, 'tokentally_people', 'usage')
UNION ALL
SELECT -1, '(hidden)'::text COLLATE "C"
WHERE NOT pg_has_role(current_user, 'tokentally_people', 'usage');
COMMENT ON VIEW shown_team IS 'Teams by the names that the caller may see';
