-- SPDX-License-Identifier: Apache-2.0
--
-- Events older than retention.minute are in every rollup but the minute ones.
SELECT plan(6);
SELECT ingest_ensure_partitions('2026-10-20Z', '2026-11-23Z', '2026-11-10Z') > 20 AS made \gset
SELECT hasnt_table('tokentally', 'usage_minute_p20261109', 'no minute partition is made before the floor');
SELECT test.claim(test.owner(1), 0);
SELECT is(test.commit(test.owner(1), 1, 0, 10, ARRAY[test.event('2026-10-20 10:00:30Z'),
	test.event('2026-11-09 23:59:59Z'),
	test.event('2026-11-10 00:00Z'), test.event('2026-11-22 10:00Z')], p_minute_from => '2026-11-10Z'),
	'committed', 'old and new events in one batch');
SELECT is(test.sums(), '4 2 4 4 4', 'old ones are in team-hour, hour and day only');
SELECT is((SELECT min(bucket) FROM usage_by_minute), '2026-11-10Z'::timestamptz, 'the floor itself is in');
SELECT is((SELECT format('%s %s', (SELECT sum(calls) FROM latency_by_minute), (SELECT sum(calls)
	FROM latency_by_hour))), '2 4', 'latencies likewise');
SELECT is((SELECT count(DISTINCT bucket) FROM usage_by_team_hour), 4::bigint, 'each in its own hour');
SELECT * FROM finish();
