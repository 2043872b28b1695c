-- SPDX-License-Identifier: Apache-2.0
--
-- The rollups. All are partitioned by time, without a default partition: ingest_ensure_partitions makes
-- partitions ahead, ingest_drop_partitions ends them (partition_spec says how). A row is a sum, so a late
-- event only adds to an old row. The first key column is always the time, and no index holds a measure:
-- every update can stay in its page.

CREATE TABLE usage_minute (
	bucket timestamptz NOT NULL,
	team_id int NOT NULL,
	model_id int NOT NULL,
	app_id int NOT NULL,
	price_class smallint NOT NULL,
	calls bigint NOT NULL DEFAULT 0,
	errors bigint NOT NULL DEFAULT 0,
	input_tokens bigint NOT NULL DEFAULT 0,
	cache_read_tokens bigint NOT NULL DEFAULT 0,
	cache_write_tokens bigint NOT NULL DEFAULT 0,
	cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
	output_tokens bigint NOT NULL DEFAULT 0,
	reasoning_tokens bigint NOT NULL DEFAULT 0,
	cost_nano bigint NOT NULL DEFAULT 0,
	unpriced_calls bigint NOT NULL DEFAULT 0,
	zero_output_calls bigint NOT NULL DEFAULT 0,
	cache_known_tokens bigint NOT NULL DEFAULT 0,
	duration_ms_sum bigint NOT NULL DEFAULT 0,
	duration_ms_max bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (bucket, team_id, model_id, app_id, price_class)
) PARTITION BY RANGE (bucket);
COMMENT ON TABLE usage_minute IS 'Use by minute, team, model and app';

CREATE TABLE usage_team_hour (
	bucket timestamptz NOT NULL,
	team_id int NOT NULL,
	model_id int NOT NULL,
	app_id int NOT NULL,
	price_class smallint NOT NULL,
	calls bigint NOT NULL DEFAULT 0,
	errors bigint NOT NULL DEFAULT 0,
	input_tokens bigint NOT NULL DEFAULT 0,
	cache_read_tokens bigint NOT NULL DEFAULT 0,
	cache_write_tokens bigint NOT NULL DEFAULT 0,
	cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
	output_tokens bigint NOT NULL DEFAULT 0,
	reasoning_tokens bigint NOT NULL DEFAULT 0,
	cost_nano bigint NOT NULL DEFAULT 0,
	unpriced_calls bigint NOT NULL DEFAULT 0,
	zero_output_calls bigint NOT NULL DEFAULT 0,
	cache_known_tokens bigint NOT NULL DEFAULT 0,
	duration_ms_sum bigint NOT NULL DEFAULT 0,
	duration_ms_max bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (bucket, team_id, model_id, app_id, price_class)
) PARTITION BY RANGE (bucket);
COMMENT ON TABLE usage_team_hour IS 'Use by hour, team, model and app: every event of usage_minute, and those too old for it';

CREATE TABLE usage_hour (
	bucket timestamptz NOT NULL,
	person_id bigint NOT NULL,
	team_id int NOT NULL,
	model_id int NOT NULL,
	price_class smallint NOT NULL,
	calls bigint NOT NULL DEFAULT 0,
	errors bigint NOT NULL DEFAULT 0,
	input_tokens bigint NOT NULL DEFAULT 0,
	cache_read_tokens bigint NOT NULL DEFAULT 0,
	cache_write_tokens bigint NOT NULL DEFAULT 0,
	cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
	output_tokens bigint NOT NULL DEFAULT 0,
	reasoning_tokens bigint NOT NULL DEFAULT 0,
	cost_nano bigint NOT NULL DEFAULT 0,
	unpriced_calls bigint NOT NULL DEFAULT 0,
	zero_output_calls bigint NOT NULL DEFAULT 0,
	cache_known_tokens bigint NOT NULL DEFAULT 0,
	duration_ms_sum bigint NOT NULL DEFAULT 0,
	duration_ms_max bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (bucket, person_id, team_id, model_id, price_class)
) PARTITION BY RANGE (bucket);
COMMENT ON TABLE usage_hour IS 'Use by hour, person, team and model';

CREATE TABLE usage_day (
	bucket timestamptz NOT NULL,
	person_id bigint NOT NULL,
	team_id int NOT NULL,
	model_id int NOT NULL,
	price_class smallint NOT NULL,
	calls bigint NOT NULL DEFAULT 0,
	errors bigint NOT NULL DEFAULT 0,
	input_tokens bigint NOT NULL DEFAULT 0,
	cache_read_tokens bigint NOT NULL DEFAULT 0,
	cache_write_tokens bigint NOT NULL DEFAULT 0,
	cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
	output_tokens bigint NOT NULL DEFAULT 0,
	reasoning_tokens bigint NOT NULL DEFAULT 0,
	cost_nano bigint NOT NULL DEFAULT 0,
	unpriced_calls bigint NOT NULL DEFAULT 0,
	zero_output_calls bigint NOT NULL DEFAULT 0,
	cache_known_tokens bigint NOT NULL DEFAULT 0,
	duration_ms_sum bigint NOT NULL DEFAULT 0,
	duration_ms_max bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (bucket, person_id, team_id, model_id, price_class)
) PARTITION BY RANGE (bucket);
CREATE INDEX usage_day_person ON usage_day (person_id, bucket);
COMMENT ON TABLE usage_day IS 'The hours before usage_fold.folded_until, summed by UTC day';

CREATE TABLE usage_fold (
	id boolean PRIMARY KEY DEFAULT true CHECK (id),
	folded_until timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE usage_fold IS 'One row: usage_day holds exactly the hours before folded_until, a UTC midnight';
INSERT INTO usage_fold DEFAULT VALUES;

CREATE TABLE session_slot (
	slot timestamptz NOT NULL,
	person_id bigint NOT NULL,
	session_id uuid NOT NULL,
	session_key text COLLATE "C" NOT NULL,
	shown_key text COLLATE "C" NOT NULL,
	first_seen timestamptz NOT NULL,
	last_seen timestamptz NOT NULL,
	calls bigint NOT NULL DEFAULT 0,
	errors bigint NOT NULL DEFAULT 0,
	input_tokens bigint NOT NULL DEFAULT 0,
	cache_read_tokens bigint NOT NULL DEFAULT 0,
	cache_write_tokens bigint NOT NULL DEFAULT 0,
	cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
	output_tokens bigint NOT NULL DEFAULT 0,
	reasoning_tokens bigint NOT NULL DEFAULT 0,
	cost_nano bigint NOT NULL DEFAULT 0,
	unpriced_calls bigint NOT NULL DEFAULT 0,
	zero_output_calls bigint NOT NULL DEFAULT 0,
	cache_known_tokens bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (slot, person_id, session_id)
) PARTITION BY RANGE (slot);
COMMENT ON TABLE session_slot IS 'Use by session in slots of 30 minutes: two calls of one slot are less than 30 minutes apart';

CREATE TABLE latency_minute (
	bucket timestamptz NOT NULL,
	model_id int NOT NULL,
	kind smallint NOT NULL CHECK (kind IN (0, 1)),
	class smallint NOT NULL CHECK (class BETWEEN 0 AND 311),
	calls bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (bucket, model_id, kind, class)
) PARTITION BY RANGE (bucket);
COMMENT ON TABLE latency_minute IS 'Calls by minute, model, kind (0 duration, 1 time to first token) and class: up to 1.05 ^ class ms, 311 is without bound';

CREATE TABLE latency_hour (
	bucket timestamptz NOT NULL,
	model_id int NOT NULL,
	kind smallint NOT NULL CHECK (kind IN (0, 1)),
	class smallint NOT NULL CHECK (class BETWEEN 0 AND 311),
	calls bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (bucket, model_id, kind, class)
) PARTITION BY RANGE (bucket);
COMMENT ON TABLE latency_hour IS 'The same by hour, with events too old for latency_minute';
