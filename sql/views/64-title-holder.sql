-- SPDX-License-Identifier: Apache-2.0
--
-- Who holds which title, by the newest run. Rank and value are of that run, and null where a milestone is only
-- held because it is less than a day old.

CREATE OR REPLACE VIEW title_holder WITH (security_barrier) AS
WITH newest AS (SELECT max(as_of) AS as_of FROM title_run_row)
SELECT a.title, a.tier, s.rank, p.user_key, s.value, a.held_since, newest.as_of
FROM newest CROSS JOIN title_award_row a JOIN person i ON i.id = a.person_id JOIN person p ON p.id = i.listed_id
LEFT JOIN title_standing s ON s.as_of = newest.as_of AND s.title = a.title AND s.person_id = a.person_id
WHERE a.revoked_at IS NULL AND pg_has_role(current_user, 'tokentally_people', 'usage')
UNION ALL
SELECT a.title, a.tier, s.rank, p.shown_key, s.value, a.held_since, newest.as_of
FROM newest CROSS JOIN title_award_row a JOIN person p ON p.id = a.person_id
LEFT JOIN title_standing s ON s.as_of = newest.as_of AND s.title = a.title AND s.person_id = a.person_id
WHERE a.revoked_at IS NULL AND NOT pg_has_role(current_user, 'tokentally_people', 'usage');
COMMENT ON VIEW title_holder IS 'Who holds which title and tier now, with rank and value of the newest run';
GRANT SELECT ON title_holder TO tokentally_reader, tokentally_people, tokentally_ingest, tokentally_admin;
