-- SPDX-License-Identifier: Apache-2.0
--
-- True when this very batch is the owner's last commit: its answer was lost, and the owner asks again.

CREATE OR REPLACE FUNCTION is_committed(p_owner uuid, p_flush_seq bigint, p_progress progress_delta[])
RETURNS boolean
LANGUAGE sql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT count(*) = cardinality(p_progress)
	FROM unnest(p_progress) d
	JOIN kafka_offset k USING (topic, partition)
	WHERE k.next_offset = d.to_offset AND k.owner_id = p_owner AND k.flush_seq = p_flush_seq
$$;
REVOKE ALL ON FUNCTION is_committed FROM PUBLIC;
COMMENT ON FUNCTION is_committed IS
	'Whether a batch was committed before';
