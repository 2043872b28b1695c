-- SPDX-License-Identifier: Apache-2.0
--
-- Stops one partition until an operator accepts what happened to it. Only its owner may say so.

CREATE OR REPLACE FUNCTION ingest_quarantine(p_owner uuid, p_topic text, p_partition int, p_reason text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE kafka_offset SET state = 'quarantined'
	WHERE topic = p_topic AND partition = p_partition AND owner_id = p_owner AND state <> 'quarantined';
	IF FOUND THEN
		INSERT INTO offset_change (topic, partition, old_offset, new_offset, old_incarnation, new_incarnation, reason)
		SELECT topic, partition, next_offset, next_offset, incarnation, incarnation, 'quarantined: ' || p_reason
		FROM kafka_offset WHERE topic = p_topic AND partition = p_partition;
	ELSIF NOT EXISTS (SELECT FROM kafka_offset
			WHERE topic = p_topic AND partition = p_partition AND owner_id = p_owner) THEN
		RAISE EXCEPTION 'another owner has partition % of %', p_partition, p_topic USING ERRCODE = 'TT001';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION ingest_quarantine FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_quarantine TO tokentally_ingest;
COMMENT ON FUNCTION ingest_quarantine IS
	'Marks a partition as quarantined and records why; TT001 for any other than its owner';
