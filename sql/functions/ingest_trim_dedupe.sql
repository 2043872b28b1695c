-- SPDX-License-Identifier: Apache-2.0
--
-- Commits forget event ids by age; this bounds them by number (ingest.dedupe_max_ids): the oldest by message time go,
-- in whole blocks. Answers how many ids went.

CREATE OR REPLACE FUNCTION ingest_trim_dedupe(p_ids_max bigint)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	WITH counted AS (
		SELECT seq, sum(id_count) OVER (ORDER BY t_max_ms DESC, seq DESC) - id_count AS newer FROM dedupe_block
	), gone AS (
		DELETE FROM dedupe_block b USING counted c WHERE c.seq = b.seq AND c.newer >= p_ids_max RETURNING b.id_count
	)
	SELECT coalesce(sum(id_count), 0)::bigint FROM gone
$$;
REVOKE ALL ON FUNCTION ingest_trim_dedupe FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_trim_dedupe TO tokentally_ingest;
COMMENT ON FUNCTION ingest_trim_dedupe IS
	'Keeps the newest event ids, this many; says how many were forgotten';
