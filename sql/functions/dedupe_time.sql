-- SPDX-License-Identifier: Apache-2.0
--
-- The message time of an id in a block: 4 bytes, little-endian, two's complement, in ms from the block's base.

CREATE OR REPLACE FUNCTION dedupe_time(p_base_ms bigint, p_after bytea)
RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT p_base_ms + ((get_byte(p_after, 3)::bigint << 24) + (get_byte(p_after, 2) << 16) + (get_byte(p_after, 1) << 8)
		+ get_byte(p_after, 0) + 2147483648) % 4294967296 - 2147483648
$$;
REVOKE ALL ON FUNCTION dedupe_time FROM PUBLIC;
COMMENT ON FUNCTION dedupe_time IS
	'Message time in ms of an id in a dedupe block';
