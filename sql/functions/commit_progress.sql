-- SPDX-License-Identifier: Apache-2.0
--
-- Moves the positions on. A last message or an end of the log that is not known is sent as -1 and changes nothing.

CREATE OR REPLACE FUNCTION commit_progress(p_flush_seq bigint, p_progress progress_delta[])
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE kafka_offset k
	SET next_offset = d.to_offset, flush_seq = p_flush_seq, committed_at = now(),
		last_offset = CASE WHEN d.last_offset >= 0 THEN d.last_offset ELSE k.last_offset END,
		last_time_ms = CASE WHEN d.last_offset >= 0 THEN d.last_time_ms ELSE k.last_time_ms END,
		last_crc = CASE WHEN d.last_offset >= 0 THEN d.last_crc ELSE k.last_crc END,
		log_end_offset = CASE WHEN d.log_end_offset >= 0 THEN d.log_end_offset ELSE k.log_end_offset END,
		event_time_max = greatest(k.event_time_max, d.event_time_max),
		accepted = k.accepted + d.accepted, dead = k.dead + d.dead,
		duplicate = k.duplicate + d.duplicate, skipped = k.skipped + d.skipped
	FROM unnest(p_progress) d
	WHERE k.topic = d.topic AND k.partition = d.partition;
END
$$;
REVOKE ALL ON FUNCTION commit_progress FROM PUBLIC;
COMMENT ON FUNCTION commit_progress IS
	'Moves the positions of a batch on';
