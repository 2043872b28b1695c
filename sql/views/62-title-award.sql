-- SPDX-License-Identifier: Apache-2.0
--
-- The history of awards. A row whose revoked_at is its awarded_at was corrected by late data, and never held.

CREATE OR REPLACE VIEW title_award WITH (security_barrier) AS
SELECT a.title, a.tier, p.user_key, a.rank, a.value, a.rule_version, a.awarded_at, a.revoked_at,
	a.window_start, a.window_end, a.reason
FROM title_award_row a JOIN person i ON i.id = a.person_id JOIN person p ON p.id = i.listed_id
WHERE pg_has_role(current_user, 'tokentally_people', 'usage')
UNION ALL
SELECT a.title, a.tier, p.shown_key, a.rank, a.value, a.rule_version, a.awarded_at, a.revoked_at,
	a.window_start, a.window_end, a.reason
FROM title_award_row a JOIN person p ON p.id = a.person_id
WHERE NOT pg_has_role(current_user, 'tokentally_people', 'usage');
COMMENT ON VIEW title_award IS 'Every tier gained, from awarded_at up to revoked_at, and why it was revoked';
GRANT SELECT ON title_award TO tokentally_reader, tokentally_people, tokentally_admin;
