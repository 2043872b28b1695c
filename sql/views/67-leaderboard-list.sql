-- SPDX-License-Identifier: Apache-2.0
--
-- Which boards there are, with anybody on them or not.

CREATE OR REPLACE VIEW leaderboard_list AS
SELECT m.name AS board, w.name AS window_name, w.hours, m.description,
	(SELECT count(*) FROM leaderboard_row b WHERE b.board = m.name AND b.window_name = w.name) AS people
FROM title_metric m CROSS JOIN title_window w
WHERE w.board AND EXISTS (SELECT FROM title_rule r WHERE r.enabled AND r.metric = m.name);
COMMENT ON VIEW leaderboard_list IS 'The boards: each metric of an enabled rule, in each window';
COMMENT ON COLUMN leaderboard_list.people IS 'How many are on it in the newest run';
GRANT SELECT ON leaderboard_list TO tokentally_reader, tokentally_people, tokentally_ingest, tokentally_admin;
