-- SPDX-License-Identifier: Apache-2.0
--
-- The event ids that others have counted since block p_seq. Blocks become visible in the order of their seq, because
-- commit_dedupe makes them under a lock, so none is missed. At most 1,000,000 ids a call (a block more); ask again then.

CREATE OR REPLACE FUNCTION ingest_dedupe_since(p_owner uuid, p_seq bigint)
RETURNS TABLE (seq bigint, base_ms bigint, ids bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	WITH counted AS (
		SELECT b.seq, sum(b.id_count) OVER (ORDER BY b.seq) - b.id_count AS before
		FROM dedupe_block b
		WHERE b.seq > p_seq AND NOT EXISTS (SELECT FROM kafka_offset k
			WHERE k.topic = b.topic AND k.partition = b.partition AND k.owner_id = p_owner)
	)
	SELECT b.seq, b.base_ms, b.ids
	FROM counted c JOIN dedupe_block b USING (seq)
	WHERE c.before < 1000000
	ORDER BY b.seq
$$;
REVOKE ALL ON FUNCTION ingest_dedupe_since FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_dedupe_since TO tokentally_ingest;
COMMENT ON FUNCTION ingest_dedupe_since IS
	'Packed event ids that other owners have counted since a block';
