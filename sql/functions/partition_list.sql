-- SPDX-License-Identifier: Apache-2.0
--
-- The partitions that make_partition made, known by their names.

CREATE OR REPLACE FUNCTION partition_list()
RETURNS TABLE (table_name text, partition_name text, retention_key text, starts timestamptz, ends timestamptz)
LANGUAGE sql STABLE SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
SET TimeZone = 'UTC'
AS $$
	SELECT s.table_name, c.relname::text, s.retention_key, d.day, d.day + ('1 ' || s.step)::interval
	FROM partition_spec s
	JOIN pg_inherits i ON i.inhparent = ('tokentally.' || quote_ident(s.table_name))::regclass
	JOIN pg_class c ON c.oid = i.inhrelid
	CROSS JOIN LATERAL (
		SELECT to_date(substring(c.relname FROM '_p([0-9]{8})$'), 'YYYYMMDD')::timestamptz AS day
	) d
	WHERE d.day IS NOT NULL
$$;
REVOKE ALL ON FUNCTION partition_list FROM PUBLIC;
COMMENT ON FUNCTION partition_list IS
	'Partitions with the span of time each holds';
