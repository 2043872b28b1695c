-- SPDX-License-Identifier: Apache-2.0
--
-- Partitions: made ahead without stopping anybody, dropped one a time, never before what they hold is folded.
SELECT plan(28);
SET TimeZone = 'America/New_York';
SELECT cmp_ok(ingest_ensure_partitions('2026-11-15 13:00Z', '2026-12-01 01:00Z', '2026-11-22 10:00Z'), '>', 0,
	'partitions are made');
SELECT is((SELECT array_agg(partition_name ORDER BY partition_name) FROM partition_list()
	WHERE table_name = p.t), p.names::text[], p.t)
FROM (VALUES
	('usage_hour', '{usage_hour_p20261109,usage_hour_p20261116,usage_hour_p20261123,usage_hour_p20261130}'),
	('session_slot', '{session_slot_p20261109,session_slot_p20261116,session_slot_p20261123,session_slot_p20261130}'),
	('usage_day', '{usage_day_p20261101,usage_day_p20261201}'),
	('usage_team_hour', '{usage_team_hour_p20261101,usage_team_hour_p20261201}'),
	('latency_hour', '{latency_hour_p20261101,latency_hour_p20261201}')
) AS p (t, names);
SELECT is((SELECT format('%s %s %s', count(*), min(partition_name), max(partition_name)) FROM partition_list()
	WHERE table_name = 'usage_minute'),
	'10 usage_minute_p20261122 usage_minute_p20261201', 'usage_minute, from its own floor');
SELECT is(ingest_ensure_partitions('2026-11-15 13:00Z', '2026-12-01 01:00Z', '2026-11-22 10:00Z'), 0,
	'a second time there is nothing to do');
SET TimeZone = 'UTC';
SELECT is(pg_get_expr(relpartbound, oid),
	'FOR VALUES FROM (''2026-11-23 00:00:00+00'') TO (''2026-11-30 00:00:00+00'')', 'bounds are UTC')
FROM pg_class WHERE relname = 'usage_hour_p20261123';
SELECT is((SELECT reloptions FROM pg_class WHERE relname = 'usage_hour_p20261123'),
	'{fillfactor=70,autovacuum_vacuum_scale_factor=0.02}'::text[], 'storage is as partition_spec says');
SELECT is((SELECT count(*) FROM pg_constraint WHERE conname = 'partition_bounds'), 0::bigint,
	'the helping constraint is gone');
SELECT is((SELECT count(*) FROM pg_partitioned_table WHERE partdefid <> 0), 0::bigint,
	'there is no default partition');
SELECT is((SELECT count(*) FROM partition_list() l WHERE has_table_privilege('tokentally_reader',
	'tokentally.' || l.partition_name, 'SELECT')
	OR has_table_privilege('tokentally_ingest', 'tokentally.' || l.partition_name, 'SELECT, INSERT')),
	0::bigint, 'new partitions are nobody''s');
SELECT throws_ok($$SELECT ingest_ensure_partitions('-infinity', 'infinity', now())$$, '22023', NULL,
	'no partitions without end');

-- While somebody writes to the parent, partitions are made.
SELECT test.claim(test.owner(1), 0);
SELECT test.open('worker'), test.open('maker');
SELECT dblink_exec('worker', 'BEGIN');
SELECT is(answer, 'committed', 'a commit is in flight')
FROM dblink('worker', $$SELECT test.commit(test.owner(1), 1, 0, 10, test.events(1, 300, '2026-11-22Z',
	'2 days'))$$) AS t (answer text);
SELECT cmp_ok(made, '>', 0, '... while partitions are made')
FROM dblink('maker', $$SELECT ingest_ensure_partitions('2026-12-01Z', '2026-12-20Z',
	'2026-12-01Z')$$) AS t (made int);
SELECT is((SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
	AND relation = 'usage_hour'::regclass), 0::bigint,
	'... without an exclusive lock on the parent');
-- Dropping has to wait for it, and gives up soon.
SELECT throws_ok($$SELECT * FROM dblink('maker',
	'SELECT ingest_drop_partitions(''2026-11-23Z'', ''-infinity'', ''-infinity'', ''-infinity'', ''-infinity'')') AS t (name text)$$,
	'55P03', NULL, 'a partition in use is not dropped now');
SELECT dblink_exec('worker', 'COMMIT');

-- Two sessions make the same partitions.
SELECT dblink_exec('worker', 'BEGIN');
SELECT pid AS pid FROM dblink('maker', 'SELECT pg_backend_pid()') AS t (pid int) \gset
SELECT * FROM dblink('worker', $$SELECT ingest_ensure_partitions('2027-01-01Z', '2027-01-02Z',
	'2027-01-01Z')$$) AS t (made int);
SELECT dblink_send_query('maker', $$SELECT ingest_ensure_partitions('2027-01-01Z', '2027-01-02Z', '2027-01-01Z')$$);
SELECT ok(test.waits(:pid), 'a second maker waits');
SELECT dblink_exec('worker', 'COMMIT');
SELECT is(made, 0, '... and finds them made') FROM dblink_get_result('maker') AS t (made int);
SELECT * FROM dblink_get_result('maker') AS t (made int);

-- Retention.
CREATE FUNCTION test.drop_all(p_before timestamptz,
	p_keep_minutes boolean DEFAULT false) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	v_name text;
	v_all text[] := '{}';
BEGIN
	LOOP
		SELECT * INTO v_name FROM ingest_drop_partitions(CASE WHEN NOT p_keep_minutes THEN p_before END,
			p_before, p_before, NULL, NULL);
		EXIT WHEN NOT FOUND;
		v_all := v_all || v_name;
	END LOOP;
	RETURN v_all;
END $$;
SELECT is((SELECT array_agg(n) FROM ingest_drop_partitions('2026-11-24Z', NULL, NULL, NULL, NULL) n),
	'{latency_minute_p20261122}'::text[],
	'one call drops one partition');
SELECT is(test.drop_all('2026-11-24 23:59Z'),
	'{usage_minute_p20261122,latency_minute_p20261123,usage_minute_p20261123}'::text[],
	'the others are dropped, oldest first; hours are not: they are not folded');
SELECT is((SELECT sum(calls) FROM usage_by_day), 300::numeric, 'days have lost nothing');
UPDATE kafka_offset SET log_end_offset = next_offset;
SELECT count(*) FROM generate_series(1, 100) WHERE fold_days('2026-11-25 02:00Z');
SELECT is((SELECT folded_until FROM usage_fold), '2026-11-24Z'::timestamptz, 'hours are folded up to the 24th');
SELECT is(test.drop_all('2026-12-24Z', true),
	'{usage_hour_p20261109,usage_hour_p20261116,latency_hour_p20261101,usage_shadow_hour_p20261101,usage_team_hour_p20261101}'::text[],
	'hours and days go when they are folded, team-hours when they are due');
SELECT is((SELECT sum(calls) FROM usage_by_day), 300::numeric, 'days outlive their hours');
SELECT is(test.commit(test.owner(1), 2, 10, 20, ARRAY[test.event('2026-12-02 10:00Z')]), 'committed',
	'commits go on');
SELECT is(ingest_ensure_partitions('2026-11-22Z', '2026-12-01Z', '2026-12-01Z'), 4,
	'what was dropped can be made again');
SELECT * FROM finish();
