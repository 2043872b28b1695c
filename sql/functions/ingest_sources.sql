-- SPDX-License-Identifier: Apache-2.0
--
-- The formats a daemon has read from its mapping files, so that source rules may name them.

CREATE OR REPLACE FUNCTION ingest_sources(p_names text[])
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	INSERT INTO source_name SELECT DISTINCT n COLLATE "C" FROM unnest(p_names) n
	WHERE NOT EXISTS (SELECT FROM source_name WHERE name = n) ORDER BY 1
	ON CONFLICT DO NOTHING
$$;
REVOKE ALL ON FUNCTION ingest_sources FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_sources TO tokentally_ingest;
COMMENT ON FUNCTION ingest_sources IS 'Makes formats known to source rules';
