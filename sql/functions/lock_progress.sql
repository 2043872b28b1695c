-- SPDX-License-Identifier: Apache-2.0
--
-- Locks the rows of a batch in the one order that everybody uses. The checks that follow are statements of
-- their own, so they see what another owner did while we waited.

CREATE OR REPLACE FUNCTION lock_progress(p_progress progress_delta[])
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF coalesce(cardinality(p_progress), 0) = 0
	OR EXISTS (SELECT FROM unnest(p_progress) d GROUP BY d.topic, d.partition HAVING count(*) > 1)
	OR EXISTS (SELECT FROM unnest(p_progress) d WHERE (d.to_offset >= d.from_offset) IS NOT TRUE) THEN
		RAISE EXCEPTION 'a commit needs each of its partitions once, and forward' USING ERRCODE = '22023';
	END IF;
	PERFORM FROM kafka_offset k
	JOIN unnest(p_progress) d USING (topic, partition)
	ORDER BY k.topic, k.partition
	FOR UPDATE OF k;
END
$$;
REVOKE ALL ON FUNCTION lock_progress FROM PUBLIC;
COMMENT ON FUNCTION lock_progress IS
	'Locks the positions of a batch, sorted';
