-- SPDX-License-Identifier: Apache-2.0
--
-- A table of its own first, attached then: ATTACH takes only SHARE UPDATE EXCLUSIVE on the parent, so
-- commits go on (CREATE ... PARTITION OF would stop them), and the matching CHECK spares it the scan.
-- Bounds are UTC because the callers set TimeZone.

CREATE OR REPLACE FUNCTION make_partition(p_spec partition_spec, p_start timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
SET TimeZone = 'UTC'
AS $$
DECLARE
	v_name text := p_spec.table_name || to_char(p_start, '"_p"YYYYMMDD');
	v_from text := to_char(p_start, 'YYYY-MM-DD 00:00:00+00');
	v_to text := to_char(p_start + ('1 ' || p_spec.step)::interval, 'YYYY-MM-DD 00:00:00+00');
	v_quiet text;
BEGIN
	IF to_regclass('tokentally.' || quote_ident(v_name)) IS NOT NULL THEN
		RETURN false;
	END IF;
	EXECUTE format('CREATE TABLE %1$I (LIKE %2$I INCLUDING ALL,
			CONSTRAINT partition_bounds CHECK (%3$I >= %4$L AND %3$I < %5$L))
			WITH (fillfactor = %6$s, autovacuum_vacuum_scale_factor = 0.02)',
		v_name, p_spec.table_name, p_spec.column_name, v_from, v_to, p_spec.fillfactor);
	v_quiet := (SELECT string_agg(format('ALTER %I SET STATISTICS 0', attname), ', ') FROM pg_attribute
		WHERE attrelid = p_spec.table_name::regclass AND attnum > 0 AND attstattarget = 0);
	IF v_quiet IS NOT NULL THEN -- LIKE does not copy it
		EXECUTE format('ALTER TABLE %I %s', v_name, v_quiet);
	END IF;
	EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
		p_spec.table_name, v_name, v_from, v_to);
	EXECUTE format('ALTER TABLE %I DROP CONSTRAINT partition_bounds', v_name);
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION make_partition FROM PUBLIC;
COMMENT ON FUNCTION make_partition IS
	'Makes one partition; false when it is there';
