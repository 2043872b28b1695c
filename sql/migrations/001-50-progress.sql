-- SPDX-License-Identifier: Apache-2.0
--
-- How far each Kafka partition was counted, by whom, and what could not be counted. A row of kafka_offset
-- changes in the same transaction as the rollups it produced; that is the whole of exactly-once.

CREATE TABLE kafka_offset (
	topic text COLLATE "C" NOT NULL,
	partition int NOT NULL,
	incarnation int NOT NULL DEFAULT 1,
	next_offset bigint NOT NULL,
	owner_id uuid,
	owner_epoch bigint NOT NULL DEFAULT 0,
	owner_pid int,
	owner_backend_start timestamptz,
	flush_seq bigint NOT NULL DEFAULT 0,
	last_offset bigint,
	last_time_ms bigint,
	last_crc bigint,
	log_end_offset bigint,
	state text NOT NULL DEFAULT 'ok' CHECK (state IN ('ok', 'claiming', 'quarantined')),
	event_time_max timestamptz,
	accepted bigint NOT NULL DEFAULT 0,
	dead bigint NOT NULL DEFAULT 0,
	duplicate bigint NOT NULL DEFAULT 0,
	skipped bigint NOT NULL DEFAULT 0,
	committed_at timestamptz,
	PRIMARY KEY (topic, partition)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.02);
COMMENT ON TABLE kafka_offset IS 'One row a Kafka partition: next_offset is the first one not counted yet';
COMMENT ON COLUMN kafka_offset.incarnation IS 'Rises when an operator accepts that the topic was made anew or cut';
COMMENT ON COLUMN kafka_offset.owner_id IS 'Made anew for each claim; a commit by any other is refused';
COMMENT ON COLUMN kafka_offset.flush_seq IS 'The owner''s last commit, so that it can recognize its own after a lost answer';
COMMENT ON COLUMN kafka_offset.last_offset IS 'The last message counted, with its time and CRC: what should be there when one starts again';

CREATE TABLE dead_letter_row (
	topic text COLLATE "C" NOT NULL,
	partition int NOT NULL,
	"offset" bigint NOT NULL,
	record int NOT NULL,
	received_at timestamptz NOT NULL,
	reason text NOT NULL,
	detail text NOT NULL,
	payload_excerpt bytea,
	count bigint NOT NULL,
	PRIMARY KEY (received_at, topic, partition, "offset", record)
) PARTITION BY RANGE (received_at);
COMMENT ON TABLE dead_letter_row IS 'Records that could not be counted, and why';

CREATE TABLE dedupe_block (
	seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	topic text COLLATE "C" NOT NULL,
	partition int NOT NULL,
	from_offset bigint NOT NULL,
	to_offset bigint NOT NULL,
	base_ms bigint NOT NULL,
	t_min_ms bigint NOT NULL,
	t_max_ms bigint NOT NULL,
	id_count int NOT NULL,
	ids bytea NOT NULL,
	committed_at timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0.02);
-- Fingerprints don't compress: trying costs time in every commit.
ALTER TABLE dedupe_block ALTER COLUMN ids SET STORAGE EXTERNAL;
CREATE INDEX dedupe_block_age ON dedupe_block (topic, partition, t_max_ms);
COMMENT ON TABLE dedupe_block IS 'Packed ids of the events counted within dedupe_window, one row a commit and partition';

CREATE TABLE offset_change (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	changed_at timestamptz NOT NULL DEFAULT now(),
	changed_by text NOT NULL DEFAULT session_user,
	topic text COLLATE "C" NOT NULL,
	partition int NOT NULL,
	old_offset bigint NOT NULL,
	new_offset bigint NOT NULL,
	old_incarnation int NOT NULL,
	new_incarnation int NOT NULL,
	reason text NOT NULL
);
COMMENT ON TABLE offset_change IS 'Every quarantine, and every change of next_offset that was not a commit';
