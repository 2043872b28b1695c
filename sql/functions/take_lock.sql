-- SPDX-License-Identifier: Apache-2.0
--
-- Advisory locks by name, held to the end of the transaction. sql/README.md says who takes which, and in
-- what order.

CREATE OR REPLACE FUNCTION take_lock(p_name text, p_shared boolean DEFAULT false)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_class constant int := 29803; -- "tk"
	v_object int;
BEGIN
	v_object := array_position(ARRAY['rollups', 'names', 'partitions', 'titles', 'dedupe'], p_name);
	IF v_object IS NULL THEN
		RAISE EXCEPTION 'no lock is called "%"', p_name USING ERRCODE = '22023';
	ELSIF p_shared THEN
		PERFORM pg_advisory_xact_lock_shared(v_class, v_object);
	ELSE
		PERFORM pg_advisory_xact_lock(v_class, v_object);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION take_lock FROM PUBLIC;
COMMENT ON FUNCTION take_lock IS
	'Takes one of our advisory locks until the transaction ends';
