-- SPDX-License-Identifier: Apache-2.0
--
-- Flags, for those who may see names and for administrators, who see pseudonyms: of hidden people as well, since
-- clear_flag has to be told who.

CREATE OR REPLACE VIEW title_flag WITH (security_barrier) AS
SELECT p.user_key, f.rule, f.day, f.evidence, f.opened_at, f.cleared_at, f.cleared_by, f.reason
FROM title_flag_row f JOIN person i ON i.id = f.person_id JOIN person p ON p.id = i.listed_id
WHERE pg_has_role(current_user, 'tokentally_people', 'usage')
UNION ALL
SELECT p.pseudonym, f.rule, f.day, f.evidence, f.opened_at, f.cleared_at, f.cleared_by, f.reason
FROM title_flag_row f JOIN person p ON p.id = f.person_id
WHERE NOT pg_has_role(current_user, 'tokentally_people', 'usage');
COMMENT ON VIEW title_flag IS 'Why someone is kept out of titles: open until cleared_at, or until day has left the 30 days';
GRANT SELECT ON title_flag TO tokentally_people, tokentally_admin;
