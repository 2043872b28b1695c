-- SPDX-License-Identifier: Apache-2.0
--
-- When which title was held: title_award with the spans that title_holder_at looks through.

CREATE OR REPLACE VIEW title_history WITH (security_barrier) AS
SELECT a.title, a.tier, a.rank, p.user_key, a.value, a.held_since, a.awarded_at AS held_from, a.revoked_at AS held_until
FROM title_award_row a JOIN person i ON i.id = a.person_id JOIN person p ON p.id = i.listed_id
WHERE pg_has_role(current_user, 'tokentally_people', 'usage')
UNION ALL
SELECT a.title, a.tier, a.rank, p.shown_key, a.value, a.held_since, a.awarded_at, a.revoked_at
FROM title_award_row a JOIN person p ON p.id = a.person_id
WHERE NOT pg_has_role(current_user, 'tokentally_people', 'usage');
COMMENT ON VIEW title_history IS 'Spans in which a tier was held, for title_holder_at';
COMMENT ON COLUMN title_history.held_since IS 'Earlier than held_from where late data undid a revocation';
GRANT SELECT ON title_history TO tokentally_reader, tokentally_people, tokentally_ingest, tokentally_admin;
