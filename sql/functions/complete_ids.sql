-- SPDX-License-Identifier: Apache-2.0
--
-- A name that is not found after it was inserted was taken away in between (an erased person): the caller
-- has to try again, not to count under no id.

CREATE OR REPLACE FUNCTION complete_ids(p_ids bigint[], p_wanted int)
RETURNS bigint[]
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF coalesce(cardinality(p_ids), 0) <> coalesce(p_wanted, 0) THEN
		RAISE EXCEPTION 'a name vanished while it was looked up' USING ERRCODE = '40001';
	END IF;
	RETURN coalesce(p_ids, '{}');
END
$$;
REVOKE ALL ON FUNCTION complete_ids FROM PUBLIC;
COMMENT ON FUNCTION complete_ids IS
	'Checks that an id was found for each name';
