-- SPDX-License-Identifier: Apache-2.0
--
-- Takes partitions over for a new owner. From here on every commit of an earlier owner is refused, whatever
-- state its process is in. Positions are kept; a partition without a row gets one with its start, and none
-- if that is null.

CREATE OR REPLACE FUNCTION ingest_claim(p_group text, p_owner uuid, p_pid int, p_backend_start timestamptz,
	p_topics text[], p_partitions int[], p_starts bigint[])
RETURNS TABLE (topic text, partition int, next_offset bigint, incarnation int, owner_epoch bigint,
	last_offset bigint, last_time_ms bigint, last_crc bigint, state text, accepted bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET lock_timeout = '3s' -- then the daemon ends the backend that holds the rows, see ingest_owners
AS $$
#variable_conflict use_column
BEGIN
	PERFORM require_read_committed();
	PERFORM claim_group(p_group);
	INSERT INTO kafka_offset (topic, partition, next_offset)
	SELECT w.topic COLLATE "C", w.partition, w.start
	FROM unnest(p_topics, p_partitions, p_starts) AS w (topic, partition, start)
	WHERE w.start IS NOT NULL
	AND NOT EXISTS (SELECT FROM kafka_offset k WHERE k.topic = w.topic AND k.partition = w.partition)
	ORDER BY 1, 2
	ON CONFLICT DO NOTHING;
	PERFORM FROM kafka_offset k
	JOIN unnest(p_topics, p_partitions) AS w (topic, partition) USING (topic, partition)
	ORDER BY k.topic, k.partition
	FOR UPDATE OF k;
	RETURN QUERY
	WITH claimed AS (
		UPDATE kafka_offset k
		SET owner_id = p_owner, owner_epoch = k.owner_epoch + 1, owner_pid = p_pid,
			owner_backend_start = p_backend_start, flush_seq = 0
		FROM unnest(p_topics, p_partitions) AS w (topic, partition)
		WHERE k.topic = w.topic AND k.partition = w.partition
		RETURNING k.*
	)
	SELECT c.topic, c.partition, c.next_offset, c.incarnation, c.owner_epoch,
		c.last_offset, c.last_time_ms, c.last_crc, c.state, c.accepted
	FROM claimed c
	ORDER BY c.topic, c.partition;
END
$$;
REVOKE ALL ON FUNCTION ingest_claim FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_claim TO tokentally_ingest;
COMMENT ON FUNCTION ingest_claim IS
	'Makes p_owner the only one who can commit these partitions; says where each stands; other group: TT003';
