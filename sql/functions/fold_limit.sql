-- SPDX-License-Identifier: Apache-2.0
--
-- Whole UTC days up to here may be folded: 26 hours behind the present, and behind the newest event of every
-- partition with a backlog, so that few late events have to be added to two rows. A partition that stands
-- still for good holds the fold up for 8 days at most.

CREATE OR REPLACE FUNCTION fold_limit(p_now timestamptz)
RETURNS timestamptz
LANGUAGE sql STABLE SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT date_trunc('day', greatest(
		least(p_now, min(event_time_max) FILTER (WHERE log_end_offset > next_offset)) - interval '26 hours',
		p_now - interval '8 days'), 'UTC')
	FROM kafka_offset
$$;
REVOKE ALL ON FUNCTION fold_limit FROM PUBLIC;
COMMENT ON FUNCTION fold_limit IS
	'The end of the days that may be folded';
