-- SPDX-License-Identifier: Apache-2.0
--
-- The first 250 of every board, by the newest run. A board is a metric of an enabled rule; on it are people who take
-- part in titles and meet the floors of such a rule.

CREATE OR REPLACE VIEW leaderboard WITH (security_barrier) AS
SELECT b.board, b.window_name, b.rank, p.user_key AS display_name, b.value, b.as_of
FROM leaderboard_row b JOIN person i ON i.id = b.person_id JOIN person p ON p.id = i.listed_id
WHERE pg_has_role(current_user, 'tokentally_people', 'usage')
UNION ALL
SELECT b.board, b.window_name, b.rank, p.shown_key, b.value, b.as_of
FROM leaderboard_row b JOIN person p ON p.id = b.person_id
WHERE NOT pg_has_role(current_user, 'tokentally_people', 'usage');
COMMENT ON VIEW leaderboard IS 'The first 250 by metric (board) and window, in the newest run';
GRANT SELECT ON leaderboard TO tokentally_reader, tokentally_people, tokentally_ingest, tokentally_admin;
