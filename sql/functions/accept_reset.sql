-- SPDX-License-Identifier: Apache-2.0
--
-- An operator has looked: this topic was made anew, cut or expired, and counting goes on at p_next_offset.
-- The owner is fenced, so the next claim starts from the new row.

CREATE OR REPLACE FUNCTION accept_reset(p_topic text, p_partition int, p_next_offset bigint, p_reason text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_old kafka_offset;
BEGIN
	IF p_next_offset IS NULL OR p_next_offset < 0 THEN
		RAISE EXCEPTION 'an offset cannot be %', coalesce(p_next_offset::text, 'null') USING ERRCODE = '22023';
	END IF;
	SELECT * INTO v_old FROM kafka_offset WHERE topic = p_topic AND partition = p_partition FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'partition % of % was never claimed', p_partition, p_topic USING ERRCODE = 'P0002';
	END IF;
	IF v_old.state <> 'quarantined' THEN
		RAISE EXCEPTION 'partition % of % is not in quarantine', p_partition, p_topic
			USING ERRCODE = '55000', HINT = 'Its position moves by what is counted, and by nothing else.';
	END IF;
	UPDATE kafka_offset
	SET incarnation = incarnation + 1, next_offset = p_next_offset, state = 'ok',
		owner_id = NULL, owner_epoch = owner_epoch + 1, owner_pid = NULL, owner_backend_start = NULL,
		flush_seq = 0, last_offset = NULL, last_time_ms = NULL, last_crc = NULL
	WHERE topic = p_topic AND partition = p_partition;
	-- Ids of the old incarnation stay: a message copied into the new one is still a duplicate.
	INSERT INTO offset_change (topic, partition, old_offset, new_offset, old_incarnation, new_incarnation, reason)
	VALUES (p_topic, p_partition, v_old.next_offset, p_next_offset, v_old.incarnation, v_old.incarnation + 1,
		coalesce(p_reason, 'reset accepted'));
END
$$;
REVOKE ALL ON FUNCTION accept_reset FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accept_reset TO tokentally_admin;
COMMENT ON FUNCTION accept_reset IS
	'Ends a quarantine: a new incarnation of the partition that starts at this offset; recorded in offset_change';
