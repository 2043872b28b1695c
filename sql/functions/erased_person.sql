-- SPDX-License-Identifier: Apache-2.0
--
-- The id that erased people's use is counted under: null while nobody was erased.

CREATE OR REPLACE FUNCTION erased_person() RETURNS bigint
LANGUAGE sql STABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT value::bigint FROM setting WHERE key = 'erased_person'
$$;
REVOKE ALL ON FUNCTION erased_person() FROM PUBLIC;
COMMENT ON FUNCTION erased_person() IS 'The id of the person "(erased)"';
