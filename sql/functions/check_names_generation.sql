-- SPDX-License-Identifier: Apache-2.0
--
-- Ids of names may be held by the daemon as long as nobody was erased and the privacy key was not changed since. The
-- caller holds lock rollups or names, so that neither is being done now.

CREATE OR REPLACE FUNCTION check_names_generation(p_names_generation bigint)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF p_names_generation IS DISTINCT FROM (SELECT value::bigint FROM setting WHERE key = 'names_generation') THEN
		RAISE EXCEPTION 'names were changed since they were looked up' USING ERRCODE = 'TT002';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION check_names_generation FROM PUBLIC;
COMMENT ON FUNCTION check_names_generation IS
	'TT002 when people were erased, or got other pseudonyms, since the daemon read its names';
