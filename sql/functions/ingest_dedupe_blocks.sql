-- SPDX-License-Identifier: Apache-2.0
--
-- What a claim reads: the event ids counted in all partitions, by whomever, newest first and no more than p_ids_max of
-- them (a block more at most), because the daemon has a bound on its memory. max_seq is the newest block there is: what
-- comes after it, ingest_dedupe_since tells.

CREATE OR REPLACE FUNCTION ingest_dedupe_blocks(p_ids_max bigint)
RETURNS TABLE (max_seq bigint, base_ms bigint, ids bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	WITH counted AS (
		SELECT seq, sum(id_count) OVER (ORDER BY t_max_ms DESC, seq DESC) - id_count AS newer FROM dedupe_block
	)
	SELECT (SELECT max(seq) FROM dedupe_block), b.base_ms, b.ids
	FROM counted c JOIN dedupe_block b USING (seq)
	WHERE c.newer < p_ids_max
	ORDER BY b.seq
$$;
REVOKE ALL ON FUNCTION ingest_dedupe_blocks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_dedupe_blocks TO tokentally_ingest;
COMMENT ON FUNCTION ingest_dedupe_blocks IS
	'Packed event ids, the newest up to a number';
