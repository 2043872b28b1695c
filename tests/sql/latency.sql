-- SPDX-License-Identifier: Apache-2.0
--
-- Latency classes and percentile_ms.
SELECT plan(17);
SELECT ingest_ensure_partitions('2026-11-19Z', '2026-11-23Z', '2026-11-19Z') > 20 AS made \gset
SELECT test.claim(test.owner(1), 0);
-- 1000 calls of 1 to 1000 ms, one every 10 s from 10:30 on.
SELECT is(test.commit(test.owner(1), 1, 0, 10,
	(SELECT array_agg(test.event('2026-11-20 10:30Z'::timestamptz + n * interval '10 s',
	p_model => CASE WHEN n <= 900 THEN 'm1' ELSE 'm2' END, p_duration_ms => (n * 7919) % 1000 + 1))
	FROM generate_series(0, 999) n)), 'committed', 'calls of 1 to 1000 ms');
SELECT results_eq('SELECT DISTINCT kind FROM latency_by_minute', $$VALUES ('duration')$$, 'kind is a word');
SELECT ok(percentile_ms('duration', q, '2026-11-20Z', '2026-11-21Z') BETWEEN q * 1000 AND q * 1050.1,
	q || ': at most 5 % above the exact value')
FROM unnest(ARRAY[0.5, 0.9, 0.95, 0.99, 1.0]) q;
SELECT is(percentile_ms('duration', 0, '2026-11-20Z', '2026-11-21Z'), 1::float8, 'the 0th is the first class');
SELECT is(percentile_ms('ttft', 0.5, '2026-11-20Z', '2026-11-21Z'), NULL, 'no calls, no percentile');
SELECT is(percentile_ms('duration', 0.5, '2026-11-20Z', '2026-11-21Z', 'm3'), NULL, '... of a model without calls');
SELECT isnt(percentile_ms('duration', 0.5, '2026-11-20Z', '2026-11-21Z', 'm2'), NULL, 'a model by name');
-- Any span, whether it begins and ends with an hour or not, is the same as from minutes alone.
CREATE FUNCTION test.by_minutes(q float8, f timestamptz, t timestamptz) RETURNS float8 LANGUAGE sql AS $$
	SELECT min(le_ms) FROM (SELECT le_ms, sum(sum(calls)) OVER (ORDER BY le_ms) AS up_to,
		sum(sum(calls)) OVER () AS total
		FROM latency_by_minute WHERE bucket >= f AND bucket < t GROUP BY le_ms) s
			WHERE up_to >= q::numeric * total
$$;
SELECT is((SELECT count(*) FROM generate_series('2026-11-20 10:20Z'::timestamptz, '2026-11-20 13:30Z',
	interval '7 min') f,
	generate_series('2026-11-20 10:20Z'::timestamptz, '2026-11-20 13:30Z', interval '11 min') t
	WHERE percentile_ms('duration', 0.7, f, t) IS DISTINCT FROM test.by_minutes(0.7, f, t)), 0::bigint,
	'hours and minutes are put together without a gap');
SELECT is(percentile_ms('duration', 0.7, '2026-11-20 11:00Z', '2026-11-20 12:00Z'), test.by_minutes(0.7,
	'2026-11-20 11:00Z', '2026-11-20 12:00Z'), 'one full hour');
SET TimeZone = 'Asia/Kolkata';
SELECT is(percentile_ms('duration', 0.7, '2026-11-20 10:40Z', '2026-11-20 12:10Z'), test.by_minutes(0.7,
	'2026-11-20 10:40Z', '2026-11-20 12:10Z'),
	'the caller''s time zone does not matter');
SELECT throws_ok($$SELECT percentile_ms('total', 0.5, now(), now())$$, '22023', NULL, 'an unknown kind is an error');
SELECT throws_ok($$SELECT percentile_ms('ttft', 95, now(), now())$$, '22023', NULL, 'q is a fraction');
SELECT is(test.value_as('tokentally_reader', $$SELECT percentile_ms(kind => 'duration', q => 1,
	"from" => '2026-11-20Z', "to" => '2026-11-21Z', model => 'm1') > 900$$),
	'true', 'readers may ask, with the names of the arguments');
SELECT * FROM finish();
