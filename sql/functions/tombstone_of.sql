-- SPDX-License-Identifier: Apache-2.0
--
-- The mark that an erased user key leaves. Keyed by a secret of this database, which only the owner can read, so that it
-- holds without a privacy key and after a change of it.

CREATE OR REPLACE FUNCTION tombstone_of(p_key text) RETURNS bytea
LANGUAGE sql STABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT sha256(convert_to(value || sha256(convert_to(value || p_key, 'UTF8'))::text, 'UTF8'))
	FROM setting WHERE key = 'tombstone_key'
$$;
REVOKE ALL ON FUNCTION tombstone_of(text) FROM PUBLIC;
COMMENT ON FUNCTION tombstone_of(text) IS 'The keyed hash of an erased user key';
