-- SPDX-License-Identifier: Apache-2.0
--
-- The full hour that a time given for titles means.

CREATE OR REPLACE FUNCTION titles_hour(p_time timestamptz) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF p_time IS NULL OR NOT isfinite(p_time) THEN
		RAISE EXCEPTION 'titles need a time, not %', COALESCE(p_time::text, 'null') USING ERRCODE = '22023';
	END IF;
	RETURN date_trunc('hour', p_time, 'UTC');
END
$$;
COMMENT ON FUNCTION titles_hour(timestamptz) IS 'Part of recompute_titles: the full hour of a time';
REVOKE ALL ON FUNCTION titles_hour(timestamptz) FROM PUBLIC;
