-- SPDX-License-Identifier: Apache-2.0
--
-- What each column of the usage, latency and progress views means.

CREATE OR REPLACE FUNCTION column_meanings()
RETURNS TABLE (name text, meaning text)
LANGUAGE sql IMMUTABLE SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	VALUES
	('bucket', 'Start of the minute, hour or day, in UTC'),
	('team', 'Team; empty = unknown'),
	('app', 'Application; empty = unknown'),
	('provider', 'Provider; empty = unknown'),
	('model', 'Model, as the events name it'),
	('user_key', 'Person or service; what privacy.names or the person chose, unless the role may see names'),
	('session_key', 'Session; hashed unless the role may see names'),
	('first_seen', 'Time of the first call'),
	('last_seen', 'Time of the last call'),
	('calls', 'Model calls, failed ones too'),
	('errors', 'Calls that failed'),
	('input_tokens', 'Input that did not come from the provider''s prompt cache'),
	('cache_read_tokens', 'Input read from the prompt cache'),
	('cache_write_tokens', 'Input written to the prompt cache'),
	('cache_write_1h_tokens', 'The part of cache_write_tokens with the long lifetime'),
	('output_tokens', 'All output, reasoning included'),
	('reasoning_tokens', 'The part of output_tokens that was reasoning'),
	('total_tokens', 'input + cache_read + cache_write + output'),
	('cost_usd', 'Cost in US dollars, as reported, else computed from the price list; exact'),
	('unpriced_calls', 'Calls whose cost is not known; cost_usd lacks them'),
	('zero_output_calls', 'Calls that succeeded without output, embeddings left out'),
	('cache_known_tokens', 'Input-side tokens of calls whose sender reports cache use: what a hit ratio divides by'),
	('duration_ms_sum', 'Sum of the calls'' durations, each rounded to whole ms'),
	('duration_ms_max', 'Longest call'),
	('kind', 'duration (whole call) or ttft (time to the first token)'),
	('le_ms', 'Upper bound of the class, at most 5 % above any value in it; Infinity above one hour'),
	('topic', 'Kafka topic'),
	('partition', 'Kafka partition'),
	('next_offset', 'First offset that is not counted yet'),
	('log_end_offset', 'End of the partition when last looked at; minus next_offset = backlog'),
	('state', 'ok, claiming or quarantined (needs an operator)'),
	('event_time_max', 'Newest event time that was counted'),
	('committed_at', 'Last commit'),
	('accepted', 'Records counted, since the beginning'),
	('dead', 'Records that became dead letters'),
	('duplicate', 'Records counted before'),
	('skipped', 'Records that are no calls by a written rule of their mapping, or calls that a source rule keeps in usage_shadowed'),
	('offset', 'Kafka offset of the message'),
	('record', 'Number of the record in its message, from 0'),
	('received_at', 'When the daemon met it'),
	('reason', 'Why it could not be counted'),
	('detail', 'Which field, and what is wrong with it'),
	('payload_excerpt', 'Its first bytes, if ingest.dead_letter_payload keeps any'),
	('source', 'Format of the records: the sender that does not count here'),
	('valid_from', 'Begin of this membership'),
	('valid_to', 'Its end: from then on the next row holds'),
	('count', 'Records that this row stands for: floods are folded')
$$;
REVOKE ALL ON FUNCTION column_meanings FROM PUBLIC;
COMMENT ON FUNCTION column_meanings IS 'What the columns of the views mean';
