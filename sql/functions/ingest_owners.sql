-- SPDX-License-Identifier: Apache-2.0
--
-- Whose sessions may hold the rows that a claim waits for. Waits for no lock itself; the daemon ends these
-- backends (same pid and same start) and claims again.

CREATE OR REPLACE FUNCTION ingest_owners(p_topics text[], p_partitions int[])
RETURNS TABLE (owner_pid int, owner_backend_start timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT DISTINCT k.owner_pid, k.owner_backend_start
	FROM kafka_offset k
	JOIN unnest(p_topics, p_partitions) AS w (topic, partition) USING (topic, partition)
	WHERE k.owner_pid IS NOT NULL
$$;
REVOKE ALL ON FUNCTION ingest_owners FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_owners TO tokentally_ingest;
COMMENT ON FUNCTION ingest_owners IS
	'Backends of the recorded owners of these partitions';
