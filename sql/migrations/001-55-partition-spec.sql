-- SPDX-License-Identifier: Apache-2.0
--
-- How each partitioned table is cut. A partition is named by its first UTC day: usage_hour_p20261123.

CREATE TABLE partition_spec (
	table_name text PRIMARY KEY,
	column_name text NOT NULL,
	step text NOT NULL CHECK (step IN ('day', 'week', 'month')),
	retention_key text NOT NULL CHECK (retention_key IN ('minute', 'hour', 'day', 'session', 'dead_letter')),
	fillfactor int NOT NULL CHECK (fillfactor BETWEEN 10 AND 100)
);
COMMENT ON TABLE partition_spec IS 'How the partitions of each table are made and by which retention they end';
COMMENT ON COLUMN partition_spec.fillfactor IS 'Rows that are added to often leave room in their page for the next version';

INSERT INTO partition_spec VALUES
	('usage_minute', 'bucket', 'day', 'minute', 70),
	('latency_minute', 'bucket', 'day', 'minute', 70),
	('usage_team_hour', 'bucket', 'month', 'hour', 70),
	('usage_hour', 'bucket', 'week', 'hour', 70),
	('latency_hour', 'bucket', 'month', 'hour', 70),
	('usage_day', 'bucket', 'month', 'day', 100),
	('session_slot', 'slot', 'week', 'session', 70),
	('dead_letter_row', 'received_at', 'week', 'dead_letter', 100);
