-- SPDX-License-Identifier: Apache-2.0
--
-- Ends what retention no longer covers: the oldest table that is due, one a transaction, because DROP holds
-- up everyone who uses the parent. 55P03 means: in use, try later. Hours, and the days they go to, stay
-- until the hours are folded.

CREATE OR REPLACE FUNCTION ingest_drop_partitions(
	p_minute_before timestamptz, p_hour_before timestamptz, p_day_before timestamptz,
	p_session_before timestamptz, p_dead_before timestamptz
)
RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET lock_timeout = '1s'
AS $$
DECLARE
	v_table text;
BEGIN
	PERFORM take_lock('partitions');
	SELECT d.partition_name INTO v_table
	FROM partition_list() d
	WHERE d.ends <= CASE d.retention_key
		WHEN 'minute' THEN p_minute_before
		WHEN 'hour' THEN p_hour_before
		WHEN 'day' THEN p_day_before
		WHEN 'session' THEN p_session_before
		WHEN 'dead_letter' THEN p_dead_before END
	AND (d.table_name NOT IN ('usage_hour', 'usage_day') OR d.ends <= (SELECT folded_until FROM usage_fold))
	ORDER BY d.ends, d.partition_name
	LIMIT 1;
	IF FOUND THEN
		EXECUTE format('DROP TABLE %I', v_table);
		RETURN NEXT v_table;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION ingest_drop_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_drop_partitions TO tokentally_ingest;
COMMENT ON FUNCTION ingest_drop_partitions IS
	'Drops the oldest partition before these times and names it; nothing when none is due';
