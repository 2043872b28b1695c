-- SPDX-License-Identifier: Apache-2.0
--
-- Two arms with a condition on the caller, not on rows: the one that is not the caller's is never run, and
-- filters on bucket and user_key reach partitions and indexes. For readers, several hidden people are one
-- row, whatever their teams.

CREATE OR REPLACE VIEW usage_by_hour WITH (security_barrier) AS
SELECT u.bucket, u.user_key, t.name AS team, m.provider, m.name AS model,
	sum(u.calls)::bigint AS calls, sum(u.errors)::bigint AS errors,
	capped(sum(u.input_tokens)) AS input_tokens, capped(sum(u.cache_read_tokens)) AS cache_read_tokens,
	capped(sum(u.cache_write_tokens)) AS cache_write_tokens,
	capped(sum(u.cache_write_1h_tokens)) AS cache_write_1h_tokens,
	capped(sum(u.output_tokens)) AS output_tokens, capped(sum(u.reasoning_tokens)) AS reasoning_tokens,
	capped(sum(u.input_tokens) + sum(u.cache_read_tokens) + sum(u.cache_write_tokens) + sum(u.output_tokens)) AS total_tokens,
	sum(u.cost_nano) * 0.000000001 AS cost_usd, sum(u.unpriced_calls)::bigint AS unpriced_calls,
	sum(u.zero_output_calls)::bigint AS zero_output_calls,
	capped(sum(u.cache_known_tokens)) AS cache_known_tokens,
	sum(u.duration_ms_sum)::bigint AS duration_ms_sum, max(u.duration_ms_max) AS duration_ms_max
FROM (
	SELECT h.*, p.user_key, h.team_id AS shown_team_id
	FROM usage_hour h JOIN person i ON i.id = h.person_id JOIN person p ON p.id = i.listed_id
	WHERE pg_has_role(current_user, 'tokentally_people', 'usage')
	UNION ALL
	SELECT h.*, p.shown_key, CASE WHEN p.shown_key = '(hidden)' THEN -1 ELSE h.team_id END
	FROM usage_hour h JOIN person p ON p.id = h.person_id
	WHERE NOT pg_has_role(current_user, 'tokentally_people', 'usage')
) u
JOIN shown_team t ON t.id = u.shown_team_id
JOIN model m ON m.id = u.model_id
GROUP BY u.bucket, u.user_key, t.name, m.provider, m.name;
COMMENT ON VIEW usage_by_hour IS 'Use by hour, person, team and model';
DO $$ BEGIN PERFORM comment_columns('usage_by_hour'); END $$;
GRANT SELECT ON usage_by_hour TO tokentally_reader;
