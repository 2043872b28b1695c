-- SPDX-License-Identifier: Apache-2.0
--
-- An hour of UTC belongs to one day of a zone only if the zone is whole hours away from UTC.

CREATE OR REPLACE FUNCTION require_whole_hours(p_tz text, p_from timestamptz, p_to timestamptz)
RETURNS void
LANGUAGE plpgsql STABLE SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF p_tz IS NULL OR (isfinite(p_from) AND isfinite(p_to)) IS NOT TRUE THEN
		RAISE EXCEPTION 'usage_by_day_in needs a zone and two finite times' USING ERRCODE = '22023';
	END IF;
	PERFORM FROM generate_series(date_trunc('hour', p_from, 'UTC'), p_to, interval '1 hour') AS hour
	WHERE extract(epoch FROM (hour AT TIME ZONE p_tz) - (hour AT TIME ZONE 'UTC'))::int % 3600 <> 0;
	IF FOUND THEN
		RAISE EXCEPTION 'zone "%" is not whole hours away from UTC in this span: sum up usage_by_minute instead', p_tz
			USING ERRCODE = '22023';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION require_whole_hours FROM PUBLIC;
GRANT EXECUTE ON FUNCTION require_whole_hours TO tokentally_reader;
COMMENT ON FUNCTION require_whole_hours IS
	'Fails for a zone whose offset is not whole hours in a span of time';
