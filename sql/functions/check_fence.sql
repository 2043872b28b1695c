-- SPDX-License-Identifier: Apache-2.0
--
-- Who is no longer the owner, or does not continue where the row stands, must not change anything.

CREATE OR REPLACE FUNCTION check_fence(p_owner uuid, p_progress progress_delta[])
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_bad record;
BEGIN
	SELECT d.topic, d.partition, d.from_offset, k.next_offset, k.owner_id, k.owner_epoch INTO v_bad
	FROM unnest(p_progress) d
	LEFT JOIN kafka_offset k USING (topic, partition)
	WHERE (k.next_offset = d.from_offset AND k.owner_id = p_owner) IS NOT TRUE
	ORDER BY d.topic COLLATE "C", d.partition
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'fenced: partition % of % is not where this batch starts', v_bad.partition, v_bad.topic
			USING ERRCODE = 'TT001',
			DETAIL = format('topic %s partition %s: batch starts at %s for owner %s; database has %s for owner %s, epoch %s',
				v_bad.topic, v_bad.partition, v_bad.from_offset, p_owner,
				coalesce(v_bad.next_offset::text, 'no row'), coalesce(v_bad.owner_id::text, 'nobody'),
				coalesce(v_bad.owner_epoch::text, 'none'));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION check_fence FROM PUBLIC;
COMMENT ON FUNCTION check_fence IS
	'TT001 unless every partition of a batch continues its row and is the owner''s';
