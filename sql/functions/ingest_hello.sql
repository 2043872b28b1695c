-- SPDX-License-Identifier: Apache-2.0
--
-- First call of every connection of the daemon. The database belongs to one privacy key at a time: under another one
-- every pseudonym would be another person.

CREATE OR REPLACE FUNCTION ingest_hello(p_schema int, p_key_check text, p_privacy_names text, p_min_group int)
RETURNS TABLE (schema_version int, names_generation bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	SELECT coalesce(max(version), 0) INTO schema_version FROM schema_migration;
	IF schema_version NOT IN (p_schema, p_schema + 1) THEN
		RAISE EXCEPTION 'the database has schema version %, this program works with % and %',
			schema_version, p_schema, p_schema + 1
			USING ERRCODE = 'TT010', HINT = CASE WHEN schema_version < p_schema
				THEN 'Run "tokentally migrate".' ELSE 'Install a newer tokentally.' END;
	END IF;
	-- Before the key: a rekey in between then makes this generation old, or this key another.
	SELECT value::bigint INTO names_generation FROM setting WHERE key = 'names_generation';
	PERFORM check_privacy_key(p_key_check);
	PERFORM record_privacy(p_privacy_names, p_min_group);
	RETURN NEXT;
END
$$;
REVOKE ALL ON FUNCTION ingest_hello FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_hello TO tokentally_ingest;
COMMENT ON FUNCTION ingest_hello IS
	'Checks schema version (TT010) and privacy key (TT011), records what the configuration says about privacy';
