-- SPDX-License-Identifier: Apache-2.0
--
-- The boards with what everyone on them holds, for `tokentally top`. Joined here by person, since names cannot do it:
-- all hidden people have the same. For them titles is null: a row of all that one of them holds would be a trace.

CREATE OR REPLACE VIEW leaderboard_titles WITH (security_barrier) AS
WITH held AS (
	SELECT a.person_id, string_agg(a.title || ' ' || a.tier, ', ' ORDER BY t.place, a.title) AS titles
	FROM title_award_row a JOIN title_tier t ON t.name = a.tier
	WHERE a.revoked_at IS NULL
	GROUP BY a.person_id
)
SELECT b.board, b.window_name, b.tiebreak AS place, b.rank, p.user_key AS display_name, b.value, held.titles, b.as_of
FROM leaderboard_row b JOIN person i ON i.id = b.person_id JOIN person p ON p.id = i.listed_id LEFT JOIN held ON held.person_id = b.person_id
WHERE pg_has_role(current_user, 'tokentally_people', 'usage')
UNION ALL
SELECT b.board, b.window_name, b.tiebreak, b.rank, p.shown_key, b.value,
	CASE WHEN p.shown_key <> '(hidden)' THEN held.titles END, b.as_of
FROM leaderboard_row b JOIN person p ON p.id = b.person_id LEFT JOIN held ON held.person_id = b.person_id
WHERE NOT pg_has_role(current_user, 'tokentally_people', 'usage');
COMMENT ON VIEW leaderboard_titles IS 'leaderboard, with the titles of everyone on it who is not hidden';
COMMENT ON COLUMN leaderboard_titles.place IS 'The order on the board, within a shared rank as well';
GRANT SELECT ON leaderboard_titles TO tokentally_reader, tokentally_people, tokentally_ingest, tokentally_admin;
