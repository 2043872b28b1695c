-- SPDX-License-Identifier: Apache-2.0
--
-- The last step of a commit. Under one lock, held to the end, so that of two workers that have the same event at the
-- same time the second sees what the first has counted; and so that blocks become visible in the order of their seq.
-- An id that others have counted since p_seen_seq refuses the whole batch (TT004): maxima and first times can't be
-- taken back, so the worker reads it again, knowing that id now.
--
-- Old ids go when no message to come can meet them: not from this worker's partitions, as it says itself, and not from
-- another's that is still behind, by the same margin: the window and ten minutes (FLOOR_SLACK_MS of daemon/intake.c).
-- Whoever reads that one may have to load them again.

CREATE OR REPLACE FUNCTION commit_dedupe(p_owner uuid, p_dedupe dedupe_delta[], p_progress progress_delta[],
	p_dedupe_before_ms bigint[], p_seen_seq bigint, p_window_ms bigint)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF cardinality(p_dedupe) > 0 THEN
		PERFORM take_lock('dedupe');
		IF dedupe_meetings(p_owner, p_dedupe, p_seen_seq, p_window_ms) > 0 THEN
			RAISE EXCEPTION 'events of this batch were counted by another worker meanwhile' USING ERRCODE = 'TT004';
		END IF;
		INSERT INTO dedupe_block (topic, partition, from_offset, to_offset, base_ms, t_min_ms, t_max_ms,
			id_count, ids)
		SELECT d.* FROM unnest(p_dedupe) d;
	END IF;
	IF cardinality(p_dedupe_before_ms) > 0 THEN
		DELETE FROM dedupe_block b
		USING ROWS FROM (unnest(p_progress), unnest(p_dedupe_before_ms)) AS d (topic, partition,
			from_offset, to_offset, last_offset, last_time_ms, last_crc, log_end_offset, event_time_max,
			accepted, dead, duplicate, skipped, before_ms)
		WHERE b.topic = d.topic AND b.partition = d.partition AND b.t_max_ms < d.before_ms
		AND NOT EXISTS (SELECT FROM kafka_offset k
			WHERE k.owner_id IS DISTINCT FROM p_owner AND k.next_offset < k.log_end_offset
			AND b.t_max_ms >= COALESCE(k.last_time_ms - p_window_ms - 600000, b.t_max_ms));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION commit_dedupe FROM PUBLIC;
COMMENT ON FUNCTION commit_dedupe IS
	'Adds the event ids of a batch and forgets old ones';
