-- SPDX-License-Identifier: Apache-2.0
--
-- What a claim reads: the event ids counted in these partitions, newest first, and no more than p_ids_max of them (a
-- block more at most), because the daemon has a bound on its memory.

CREATE OR REPLACE FUNCTION ingest_dedupe_blocks(p_topics text[], p_partitions int[], p_ids_max bigint)
RETURNS TABLE (topic text, partition int, base_ms bigint, ids bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	WITH counted AS (
		SELECT b.seq, sum(b.id_count) OVER (ORDER BY b.t_max_ms DESC, b.seq DESC) - b.id_count AS newer
		FROM unnest(p_topics, p_partitions) AS w (topic, partition)
		JOIN dedupe_block b ON b.topic = w.topic AND b.partition = w.partition
	)
	SELECT b.topic, b.partition, b.base_ms, b.ids
	FROM counted c JOIN dedupe_block b USING (seq)
	WHERE c.newer < p_ids_max
	ORDER BY b.seq
$$;
REVOKE ALL ON FUNCTION ingest_dedupe_blocks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_dedupe_blocks TO tokentally_ingest;
COMMENT ON FUNCTION ingest_dedupe_blocks IS
	'Packed event ids of these partitions, the newest up to a number';
