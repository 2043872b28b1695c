-- SPDX-License-Identifier: Apache-2.0
--
-- Days that are folded, and the hours since the fold: one statement, so one snapshot, in which the fold
-- cannot stand between. Arms as in usage_by_hour. A filter on bucket reaches the partitions of the days;
-- the hours are bounded by the fold, about a day back.

CREATE OR REPLACE VIEW usage_by_day WITH (security_barrier) AS
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
	SELECT d.bucket, d.team_id, d.model_id, p.user_key,
		d.calls, d.errors, d.input_tokens, d.cache_read_tokens, d.cache_write_tokens,
		d.cache_write_1h_tokens, d.output_tokens, d.reasoning_tokens, d.cost_nano,
		d.unpriced_calls, d.zero_output_calls, d.cache_known_tokens, d.duration_ms_sum,
		d.duration_ms_max
	FROM usage_day d JOIN person i ON i.id = d.person_id JOIN person p ON p.id = i.listed_id
	WHERE pg_has_role(current_user, 'tokentally_people', 'usage')
	UNION ALL
	SELECT date_trunc('day', h.bucket, 'UTC'), h.team_id, h.model_id, p.user_key,
		h.calls, h.errors, h.input_tokens, h.cache_read_tokens, h.cache_write_tokens,
		h.cache_write_1h_tokens, h.output_tokens, h.reasoning_tokens, h.cost_nano,
		h.unpriced_calls, h.zero_output_calls, h.cache_known_tokens, h.duration_ms_sum,
		h.duration_ms_max
	FROM usage_hour h JOIN person i ON i.id = h.person_id JOIN person p ON p.id = i.listed_id
	WHERE h.bucket >= (SELECT folded_until FROM usage_fold)
	AND pg_has_role(current_user, 'tokentally_people', 'usage')
	UNION ALL
	SELECT d.bucket, CASE WHEN p.shown_key = '(hidden)' THEN -1 ELSE d.team_id END, d.model_id, p.shown_key,
		d.calls, d.errors, d.input_tokens, d.cache_read_tokens, d.cache_write_tokens,
		d.cache_write_1h_tokens, d.output_tokens, d.reasoning_tokens, d.cost_nano,
		d.unpriced_calls, d.zero_output_calls, d.cache_known_tokens, d.duration_ms_sum,
		d.duration_ms_max
	FROM usage_day d JOIN person p ON p.id = d.person_id
	WHERE NOT pg_has_role(current_user, 'tokentally_people', 'usage')
	UNION ALL
	SELECT date_trunc('day', h.bucket, 'UTC'), CASE WHEN p.shown_key = '(hidden)' THEN -1 ELSE h.team_id END, h.model_id, p.shown_key,
		h.calls, h.errors, h.input_tokens, h.cache_read_tokens, h.cache_write_tokens,
		h.cache_write_1h_tokens, h.output_tokens, h.reasoning_tokens, h.cost_nano,
		h.unpriced_calls, h.zero_output_calls, h.cache_known_tokens, h.duration_ms_sum,
		h.duration_ms_max
	FROM usage_hour h JOIN person p ON p.id = h.person_id
	WHERE h.bucket >= (SELECT folded_until FROM usage_fold)
	AND NOT pg_has_role(current_user, 'tokentally_people', 'usage')
) u
JOIN shown_team t ON t.id = u.team_id
JOIN model m ON m.id = u.model_id
GROUP BY u.bucket, u.user_key, t.name, m.provider, m.name;
COMMENT ON VIEW usage_by_day IS 'Use by UTC day, person, team and model';
DO $$ BEGIN PERFORM comment_columns('usage_by_day'); END $$;
GRANT SELECT ON usage_by_day TO tokentally_reader;
