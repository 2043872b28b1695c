-- SPDX-License-Identifier: Apache-2.0
--
-- A metric's value as it is stored and shown: compared with all its places, kept with 20, without empty ones.

CREATE OR REPLACE FUNCTION title_value(p_value numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT trim_scale(round(p_value, 20)) $$;
COMMENT ON FUNCTION title_value(numeric) IS 'Part of recompute_titles: a value as it is stored';
REVOKE ALL ON FUNCTION title_value(numeric) FROM PUBLIC;
