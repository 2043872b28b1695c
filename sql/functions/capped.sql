-- SPDX-License-Identifier: Apache-2.0
--
-- A sum as a bigint, at most the largest one. A counter of one event may be 2^53, so a thousand absurd events can make a sum that no bigint
-- holds; it must not stop everybody else's. The planner inlines it.

CREATE OR REPLACE FUNCTION capped(p_sum numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT LEAST(p_sum, 9223372036854775807)::bigint $$;
COMMENT ON FUNCTION capped(numeric) IS 'Part of the views: a sum as a bigint, at most the largest one';
REVOKE ALL ON FUNCTION capped(numeric) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION capped(numeric) TO tokentally_reader;
