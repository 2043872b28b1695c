-- SPDX-License-Identifier: Apache-2.0
--
-- Price classes are folded away. Nothing personal: one arm for everybody.

CREATE OR REPLACE VIEW usage_by_minute AS
SELECT u.bucket, t.name AS team, m.provider, m.name AS model, a.name AS app,
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
FROM usage_minute u
JOIN shown_team t ON t.id = u.team_id
JOIN model m ON m.id = u.model_id
JOIN shown_app a ON a.id = u.app_id
GROUP BY u.bucket, t.name, m.provider, m.name, a.name;
COMMENT ON VIEW usage_by_minute IS 'Use by minute, team, model and app; events older than retention.minute are in usage_by_team_hour only';
DO $$ BEGIN PERFORM comment_columns('usage_by_minute'); END $$;
GRANT SELECT ON usage_by_minute TO tokentally_reader;
