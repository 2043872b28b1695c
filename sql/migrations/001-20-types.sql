-- SPDX-License-Identifier: Apache-2.0
--
-- The wire format of a commit: the daemon sends binary arrays of these to ingest_commit. The order of the
-- columns is a contract with daemon/sink.c, and the same as that of the table the rows go to.

CREATE TYPE progress_delta AS (
	topic text, partition int,
	from_offset bigint, to_offset bigint,
	last_offset bigint, last_time_ms bigint, last_crc bigint,
	log_end_offset bigint,
	event_time_max timestamptz, -- may be null
	accepted bigint, dead bigint, duplicate bigint, skipped bigint
);
COMMENT ON TYPE progress_delta IS 'How far a commit takes one Kafka partition, and how many records it held';

CREATE TYPE dead_letter_delta AS (
	topic text, partition int, "offset" bigint, record int,
	received_at timestamptz,
	reason text, detail text,
	payload_excerpt bytea, -- may be null
	count bigint
);
COMMENT ON TYPE dead_letter_delta IS 'A record that could not be counted';

CREATE TYPE session_delta AS (
	slot timestamptz, person_id bigint, session_id uuid,
	session_key text, shown_key text,
	first_seen timestamptz, last_seen timestamptz,
	calls bigint, errors bigint,
	input_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint, cache_write_1h_tokens bigint,
	output_tokens bigint, reasoning_tokens bigint,
	cost_nano bigint, unpriced_calls bigint, zero_output_calls bigint, cache_known_tokens bigint
);
COMMENT ON TYPE session_delta IS 'What came in for one session in one slot of 30 minutes';

CREATE TYPE hour_delta AS (
	bucket timestamptz, person_id bigint, team_id int, model_id int, price_class smallint,
	calls bigint, errors bigint,
	input_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint, cache_write_1h_tokens bigint,
	output_tokens bigint, reasoning_tokens bigint,
	cost_nano bigint, unpriced_calls bigint, zero_output_calls bigint, cache_known_tokens bigint,
	duration_ms_sum bigint, duration_ms_max bigint
);
COMMENT ON TYPE hour_delta IS 'What came in for one person, team and model in one hour';

CREATE TYPE minute_delta AS (
	bucket timestamptz, team_id int, model_id int, app_id int, price_class smallint,
	calls bigint, errors bigint,
	input_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint, cache_write_1h_tokens bigint,
	output_tokens bigint, reasoning_tokens bigint,
	cost_nano bigint, unpriced_calls bigint, zero_output_calls bigint, cache_known_tokens bigint,
	duration_ms_sum bigint, duration_ms_max bigint
);
COMMENT ON TYPE minute_delta IS 'What came in for one team, model and app in one minute';

CREATE TYPE latency_delta AS (
	bucket timestamptz, model_id int,
	kind smallint, -- 0 duration, 1 time to first token
	class smallint,
	calls bigint
);
COMMENT ON TYPE latency_delta IS 'Calls of one latency class of a model in one minute';

CREATE TYPE dedupe_delta AS (
	topic text, partition int, from_offset bigint, to_offset bigint,
	base_ms bigint, t_min_ms bigint, t_max_ms bigint,
	id_count int, ids bytea
);
COMMENT ON TYPE dedupe_delta IS 'The packed event ids that one commit counted in one partition';
