-- SPDX-License-Identifier: Apache-2.0
--
-- ingest_commit counts a batch exactly once, and lets nobody but the owner count.
SELECT plan(21);
SELECT ingest_ensure_partitions('2026-11-01Z', '2026-11-30Z', '2026-11-01Z') > 20 AS made \gset
SELECT test.claim(test.owner(1), 0, 1);

SELECT is(test.commit(test.owner(1), 1, 0, 500, test.events(1, 1000, '2026-11-20Z', '2 days')), 'committed',
	'a batch is committed');
SELECT is(test.sums(), '1000 1000 1000 1000 1000', 'every rollup and the progress hold it once');
SELECT is((SELECT sum(cost_usd) FROM usage_by_hour), 1234.567891, 'cost is exact to the nano-dollar');
SELECT is((SELECT format('%s %s %s', sum(total_tokens), sum(duration_ms_sum), max(duration_ms_max))
	FROM usage_by_team_hour),
	(SELECT format('%s %s %s', sum(input + cache_read + output), sum(duration_ms), max(duration_ms))
		FROM unnest(test.events(1, 1000, '2026-11-20Z', '2 days'))),
			'tokens and durations are the events'' own');
SELECT is((SELECT sum(calls) FROM usage_by_session), 800::numeric, 'sessions hold the events that name one');
SELECT is((SELECT sum(calls) FROM latency_by_hour), 1000::numeric, 'latencies hold each event');
SELECT is((SELECT sum(calls) FROM latency_by_minute), 1000::numeric, 'latencies by minute too');
SELECT is((SELECT format('%s %s %s', next_offset, accepted, event_time_max < '2026-11-22Z') FROM ingest_progress
	WHERE partition = 0),
	'500 1000 t', 'the position moved on');

SELECT test.fingerprint() AS before \gset
SELECT is(test.commit(test.owner(1), 1, 0, 500, test.events(1, 1000, '2026-11-20Z', '2 days')), 'already committed',
	'the same batch again is recognized');
SELECT is(test.fingerprint(), :'before', '... and changes nothing');
SELECT throws_ok($$SELECT test.commit(test.owner(1), 2, 0, 500, test.events(1, 10, '2026-11-20Z', '2 days'))$$,
	'TT001', NULL,
	'another batch from an old position is refused');
SELECT throws_ok($$SELECT test.commit(test.owner(1), 2, 600, 700, test.events(1, 10, '2026-11-20Z',
	'2 days'))$$, 'TT001', NULL,
	'... and one that leaves a gap');
SELECT throws_ok($$SELECT test.commit(test.owner(1), 2, 0, 5, '{}', 9)$$, 'TT001', NULL,
	'... and one of a partition never claimed');

SELECT test.claim(test.owner(2), 0);
SELECT test.fingerprint() AS before \gset
SELECT throws_ok($$SELECT test.commit(test.owner(1), 2, 500, 600, test.events(1, 10, '2026-11-20Z',
	'2 days'))$$, 'TT001',
	'fenced: partition 0 of calls is not where this batch starts',
	'the owner of before is refused after a claim');
SELECT throws_ok($$SELECT test.commit(test.owner(1), 1, 0, 500, test.events(1, 1000, '2026-11-20Z',
	'2 days'))$$, 'TT001', NULL,
	'... even with the batch that it committed');
SELECT throws_ok($$SELECT test.commit(test.owner(2), 1, 500, 600, test.events(1, 10, '2026-11-20Z', '2 days'),
	p_generation => 2)$$,
	'TT002', NULL, 'names of another generation are refused');
SELECT throws_ok($$SELECT test.commit(test.owner(2), 1, 500, 499, '{}')$$, '22023', NULL,
	'a position never goes back');
SELECT throws_ok($$SELECT test.commit(test.owner(2), 1, 500, 600, ARRAY[test.event('2026-12-24Z')])$$, '23514', NULL,
	'a missing partition is a check violation');
SELECT is(test.fingerprint(), :'before', 'none of these changed anything');

SELECT is(test.commit(test.owner(2), 1, 500, 600, test.events(2, 100, '2026-11-19Z', '5 days'),
	p_dead => ARRAY[ROW('calls', 0, 501, 0, now(), 'not_json', 'at byte 1', NULL, 1),
		ROW('calls', 0, 502, 0, now(), 'too_old', '', '\xff'::bytea, 1200)]::dead_letter_delta[]),
		'committed',
	'the new owner goes on');
SELECT is((SELECT format('%s %s', sum(count), (SELECT sum(dead) FROM ingest_progress)) FROM dead_letter), '1201 1201',
	'dead letters are counted with the rest');
SELECT * FROM finish();
