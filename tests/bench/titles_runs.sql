-- SPDX-License-Identifier: Apache-2.0
--
-- The runs of titles_bench.sh: a first one, the next hour, the same hour again.
CREATE OR REPLACE FUNCTION pg_temp.cpu_seconds() RETURNS numeric LANGUAGE sql AS $$
	SELECT (split_part(fields, ' ', 12)::numeric + split_part(fields, ' ', 13)::numeric) / 100
	FROM regexp_replace(pg_read_file('/proc/' || pg_backend_pid() || '/stat', 0, 2000), '^.*\) ', '') fields
$$;
CREATE OR REPLACE FUNCTION pg_temp.timed(p_as_of timestamptz, OUT outcome text, OUT holders int, OUT changes int, OUT seconds numeric,
	OUT cpu_seconds numeric) LANGUAGE plpgsql AS $$
DECLARE
	v_started timestamptz := clock_timestamp();
	v_cpu numeric := pg_temp.cpu_seconds();
BEGIN
	SELECT r.outcome, r.holders, r.changes INTO outcome, holders, changes FROM recompute_titles(p_as_of) r;
	seconds := round(extract(epoch FROM clock_timestamp() - v_started), 1);
	cpu_seconds := round(pg_temp.cpu_seconds() - v_cpu, 1);
END
$$;
SELECT 'first' AS run, * FROM pg_temp.timed('2026-11-22 23:00Z');
SELECT 'next hour' AS run, * FROM pg_temp.timed('2026-11-23 00:00Z');
SELECT 'same hour' AS run, * FROM pg_temp.timed('2026-11-23 00:00Z');
