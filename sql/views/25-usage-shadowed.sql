-- SPDX-License-Identifier: Apache-2.0
--
-- What source rules keep out of the rollups, to be compared with usage_by_team_hour. Nothing personal: one arm for
-- everybody; names of small teams as in all views.

CREATE OR REPLACE VIEW usage_shadowed AS
SELECT u.bucket, t.name AS team, m.provider, m.name AS model, u.source,
	sum(u.calls)::bigint AS calls, sum(u.errors)::bigint AS errors,
	capped(sum(u.input_tokens)) AS input_tokens, capped(sum(u.cache_read_tokens)) AS cache_read_tokens,
	capped(sum(u.cache_write_tokens)) AS cache_write_tokens,
	capped(sum(u.cache_write_1h_tokens)) AS cache_write_1h_tokens,
	capped(sum(u.output_tokens)) AS output_tokens, capped(sum(u.reasoning_tokens)) AS reasoning_tokens,
	capped(sum(u.input_tokens) + sum(u.cache_read_tokens) + sum(u.cache_write_tokens) + sum(u.output_tokens)) AS total_tokens,
	sum(u.cost_nano) * 0.000000001 AS cost_usd, sum(u.unpriced_calls)::bigint AS unpriced_calls,
	sum(u.zero_output_calls)::bigint AS zero_output_calls,
	capped(sum(u.cache_known_tokens)) AS cache_known_tokens
FROM usage_shadow_hour u
JOIN shown_team t ON t.id = u.team_id
JOIN model m ON m.id = u.model_id
GROUP BY u.bucket, t.name, m.provider, m.name, u.source;
COMMENT ON VIEW usage_shadowed IS 'By hour, calls that are in no other view: a source rule says that another source counts there';
DO $$ BEGIN PERFORM comment_columns('usage_shadowed'); END $$;
GRANT SELECT ON usage_shadowed TO tokentally_reader;
