-- SPDX-License-Identifier: Apache-2.0
--
-- usage_by_day is the sum of the hours at every moment: before, between and after folds, with late events too.
SELECT plan(28);
SELECT ingest_ensure_partitions('2026-11-01Z', '2026-11-30Z', '2026-11-01Z') > 20 AS made \gset
SELECT test.claim(test.owner(1), 0, 1);
SELECT is(test.commit(test.owner(1), 1, 0, 10, test.events(1, 600, '2026-11-20 00:00Z', '3 days')), 'committed',
	'three days of events');
SELECT is(test.day_differences(), 0::bigint, 'days equal the hours before any fold');
SELECT is((SELECT count(*) FROM usage_day), 0::bigint, '... without a day row');

SELECT is(test.value_as('tokentally_ingest', $$SELECT fold_days('2026-11-22 10:20Z')$$), 'true',
	'a fold takes a day');
SELECT is((SELECT folded_until FROM usage_fold), '2026-11-21Z'::timestamptz, '... the oldest one');
SELECT is(test.day_differences(), 0::bigint, 'days equal the hours with one day folded');
SELECT is((SELECT sum(calls) FROM usage_day), (SELECT sum(calls) FROM usage_hour
	WHERE bucket < '2026-11-21Z'), 'the day rows hold its hours');

-- Fold all that is due.
CREATE FUNCTION test.fold_all(p_now timestamptz) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	v_n int := 0;
BEGIN
	WHILE fold_days(p_now) LOOP v_n := v_n + 1; END LOOP;
	RETURN v_n;
END $$;
SELECT is(test.fold_all('2026-11-23 01:59Z'), 0, 'a day is not folded before it is over for 26 hours');
SELECT is(test.fold_all('2026-11-23 02:00Z'), 1, '... and then it is');
SELECT is((SELECT folded_until FROM usage_fold), '2026-11-22Z'::timestamptz, '... and no later one');
SELECT is(test.day_differences(), 0::bigint, 'days equal the hours with two days folded');
SELECT is(test.fold_all('2026-11-23 02:00Z'), 0, 'the same again does nothing');

-- Late events.
SELECT is(test.commit(test.owner(1), 2, 10, 20, ARRAY[test.event('2026-11-20 03:30Z', 'late'),
	test.event('2026-11-20 03:40Z', 'late'),
	test.event('2026-11-21 23:59:59Z', 'late'), test.event('2026-11-22 00:00Z', 'late'),
	test.event('2026-11-23 08:00Z', 'late')]),
	'committed', 'late events of folded and other hours in one batch');
SELECT is((SELECT string_agg(to_char(bucket AT TIME ZONE 'UTC', 'DD HH24 ') || calls, ',' ORDER BY bucket)
	FROM usage_by_hour WHERE user_key = 'late'),
	'20 03 2,21 23 1,22 00 1,23 08 1', 'each goes to its own hour');
SELECT is((SELECT string_agg(to_char(bucket AT TIME ZONE 'UTC', 'DD ') || calls, ',' ORDER BY bucket)
	FROM usage_by_day WHERE user_key = 'late'),
	'20 2,21 1,22 1,23 1', '... and day');
SELECT is(test.day_differences(), 0::bigint, 'days equal the hours with late events');
SELECT is(test.commit(test.owner(1), 3, 20, 30, test.events(2, 500, '2026-11-19 12:00Z', '4 days')),
	'committed', 'more of them');
SELECT is(test.day_differences(), 0::bigint, '... and the days are still the hours');
SELECT is(test.sums(), '1105 1105 1105 1105 1105', '... in all sums');

-- A fold waits for the commit in flight, and does not count it twice or never.
SELECT test.open('worker'), test.open('folder');
SELECT pid AS pid FROM dblink('folder', 'SELECT pg_backend_pid()') AS t (pid int) \gset
SELECT dblink_exec('worker', 'BEGIN');
SELECT * FROM dblink('worker', $$SELECT test.commit(test.owner(1), 4, 30, 40, test.events(3, 300,
	'2026-11-20 12:00Z', '2 days'))$$) AS t (answer text);
SELECT dblink_send_query('folder', $$SELECT fold_days('2026-11-24 02:20Z')$$);
SELECT ok(test.waits(:pid), 'a fold waits for a commit');
SELECT dblink_exec('worker', 'COMMIT');
SELECT ok(folded, '... and folds then') FROM dblink_get_result('folder') AS t (folded boolean);
SELECT * FROM dblink_get_result('folder') AS t (folded boolean);
SELECT is(test.day_differences(), 0::bigint, '... what the commit brought');

-- A commit waits for the fold in flight.
SELECT pid AS pid FROM dblink('worker', 'SELECT pg_backend_pid()') AS t (pid int) \gset
SELECT dblink_exec('folder', 'BEGIN');
SELECT * FROM dblink('folder', $$SELECT fold_days('2026-11-25 12:20Z')$$) AS t (folded boolean);
SELECT dblink_send_query('worker', $$SELECT test.commit(test.owner(1), 5, 40, 50, test.events(4, 300,
	'2026-11-20 12:00Z', '4 days'))$$);
SELECT ok(test.waits(:pid), 'a commit waits for a fold');
SELECT dblink_exec('folder', 'COMMIT');
SELECT is(answer, 'committed', '... and goes on') FROM dblink_get_result('worker') AS t (answer text);
SELECT is(test.day_differences(), 0::bigint, '... to the right side of the border');

-- A partition with a backlog holds the fold up, but not for ever.
UPDATE kafka_offset SET event_time_max = '2026-11-21 12:30Z', log_end_offset = next_offset + 1 WHERE partition = 0;
SELECT is(fold_limit('2026-11-23 12:00Z'), '2026-11-20Z'::timestamptz,
	'the fold stays 26 hours behind a partition with a backlog');
SELECT is(fold_limit('2026-12-23 12:20Z'), '2026-12-15Z'::timestamptz, '... for 8 days at most');
SELECT dblink_exec('folder', 'BEGIN ISOLATION LEVEL REPEATABLE READ');
SELECT throws_ok($$SELECT * FROM dblink('folder', 'SELECT fold_days(now())') AS t (folded boolean)$$, '25001',
	NULL, 'a fold refuses an old snapshot');
SELECT * FROM finish();
