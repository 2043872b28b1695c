-- SPDX-License-Identifier: Apache-2.0
--
-- The lock that take_lock calls "titles", or false if someone else has it: who comes second has nothing to do.

CREATE OR REPLACE FUNCTION titles_try_lock() RETURNS boolean
LANGUAGE sql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$ SELECT pg_try_advisory_xact_lock(29803, 4) $$;
COMMENT ON FUNCTION titles_try_lock() IS 'Part of recompute_titles: take_lock(''titles'') without waiting';
REVOKE ALL ON FUNCTION titles_try_lock() FROM PUBLIC;
