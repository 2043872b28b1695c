-- SPDX-License-Identifier: Apache-2.0
--
-- Whether a user key was erased. Most databases have no tombstone: nothing is hashed then.

CREATE OR REPLACE FUNCTION is_erased(p_key text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	RETURN EXISTS (SELECT FROM erased_key) AND EXISTS (SELECT FROM erased_key WHERE hash = tombstone_of(p_key));
END
$$;
REVOKE ALL ON FUNCTION is_erased(text) FROM PUBLIC;
COMMENT ON FUNCTION is_erased(text) IS 'Whether erased_key has a tombstone of this key';
