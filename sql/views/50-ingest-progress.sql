-- SPDX-License-Identifier: Apache-2.0
--
-- How far each partition was counted: changes in the same transaction as the rollups.

CREATE OR REPLACE VIEW ingest_progress AS
SELECT topic, partition, next_offset, log_end_offset, state, event_time_max, committed_at,
	accepted, dead, duplicate, skipped
FROM kafka_offset;
COMMENT ON VIEW ingest_progress IS 'How far each Kafka partition was counted, with running totals';
DO $$ BEGIN PERFORM comment_columns('ingest_progress'); END $$;
GRANT SELECT ON ingest_progress TO tokentally_reader, tokentally_ingest;
