-- SPDX-License-Identifier: Apache-2.0
--
-- The generation of the rules and the source rules, in one snapshot: always one row at least, with a null source when
-- there is no rule.

CREATE OR REPLACE FUNCTION ingest_rules()
RETURNS TABLE (generation bigint, provider text, team text, source text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT s.value::bigint, r.provider, r.team, r.source
	FROM setting s LEFT JOIN source_rule r ON true
	WHERE s.key = 'rules_generation'
$$;
REVOKE ALL ON FUNCTION ingest_rules() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_rules() TO tokentally_ingest;
COMMENT ON FUNCTION ingest_rules() IS 'Which sources count where, and the generation to commit with';
