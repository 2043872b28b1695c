-- SPDX-License-Identifier: Apache-2.0
--
-- Slots of a session put together. Arms as in usage_by_hour; the sessions of hidden people are one row, and so
-- are those counted before there was a privacy key, or under a former one whose hashes tokentally rekey is still changing.

CREATE OR REPLACE VIEW usage_by_session WITH (security_barrier) AS
SELECT u.session_key, u.user_key, min(u.first_seen) AS first_seen, max(u.last_seen) AS last_seen,
	sum(u.calls)::bigint AS calls, sum(u.errors)::bigint AS errors,
	capped(sum(u.input_tokens)) AS input_tokens, capped(sum(u.cache_read_tokens)) AS cache_read_tokens,
	capped(sum(u.cache_write_tokens)) AS cache_write_tokens,
	capped(sum(u.cache_write_1h_tokens)) AS cache_write_1h_tokens,
	capped(sum(u.output_tokens)) AS output_tokens, capped(sum(u.reasoning_tokens)) AS reasoning_tokens,
	capped(sum(u.input_tokens) + sum(u.cache_read_tokens) + sum(u.cache_write_tokens) + sum(u.output_tokens)) AS total_tokens,
	sum(u.cost_nano) * 0.000000001 AS cost_usd, sum(u.unpriced_calls)::bigint AS unpriced_calls,
	sum(u.zero_output_calls)::bigint AS zero_output_calls,
	capped(sum(u.cache_known_tokens)) AS cache_known_tokens
FROM (
	SELECT s.first_seen, s.last_seen, s.session_key, p.user_key,
		s.calls, s.errors, s.input_tokens, s.cache_read_tokens, s.cache_write_tokens,
		s.cache_write_1h_tokens, s.output_tokens, s.reasoning_tokens, s.cost_nano,
		s.unpriced_calls, s.zero_output_calls, s.cache_known_tokens
	FROM session_slot s JOIN person i ON i.id = s.person_id JOIN person p ON p.id = i.listed_id
	WHERE pg_has_role(current_user, 'tokentally_people', 'usage')
	UNION ALL
	SELECT s.first_seen, s.last_seen,
		CASE WHEN p.shown_key = '(hidden)' OR s.shown_key = ''
				OR s.slot < (SELECT value::timestamptz FROM setting WHERE key = 'sessions_rekeyed_from') THEN '(hidden)'
			WHEN (SELECT value FROM setting WHERE key = 'privacy_names') = 'named' THEN s.session_key
			ELSE s.shown_key END, p.shown_key,
		s.calls, s.errors, s.input_tokens, s.cache_read_tokens, s.cache_write_tokens,
		s.cache_write_1h_tokens, s.output_tokens, s.reasoning_tokens, s.cost_nano,
		s.unpriced_calls, s.zero_output_calls, s.cache_known_tokens
	FROM session_slot s JOIN person p ON p.id = s.person_id
	WHERE NOT pg_has_role(current_user, 'tokentally_people', 'usage')
) u
GROUP BY u.session_key, u.user_key;
COMMENT ON VIEW usage_by_session IS 'Use by session';
DO $$ BEGIN PERFORM comment_columns('usage_by_session'); END $$;
GRANT SELECT ON usage_by_session TO tokentally_reader;
