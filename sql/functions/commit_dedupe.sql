-- SPDX-License-Identifier: Apache-2.0
--
-- Adds the ids of this batch and forgets those of its partitions that are older than p_dedupe_before_ms,
-- which has one entry for each of p_progress.

CREATE OR REPLACE FUNCTION commit_dedupe(p_dedupe dedupe_delta[], p_progress progress_delta[],
	p_dedupe_before_ms bigint[])
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF cardinality(p_dedupe) > 0 THEN
		INSERT INTO dedupe_block (topic, partition, from_offset, to_offset, base_ms, t_min_ms, t_max_ms,
			id_count, ids)
		SELECT d.* FROM unnest(p_dedupe) d;
	END IF;
	IF cardinality(p_dedupe_before_ms) > 0 THEN
		DELETE FROM dedupe_block b
		USING ROWS FROM (unnest(p_progress), unnest(p_dedupe_before_ms)) AS d (topic, partition,
			from_offset, to_offset, last_offset, last_time_ms, last_crc, log_end_offset, event_time_max,
			accepted, dead, duplicate, skipped, before_ms)
		WHERE b.topic = d.topic AND b.partition = d.partition AND b.t_max_ms < d.before_ms;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION commit_dedupe FROM PUBLIC;
COMMENT ON FUNCTION commit_dedupe IS
	'Adds the event ids of a batch and forgets old ones';
