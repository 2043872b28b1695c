-- SPDX-License-Identifier: Apache-2.0
--
-- usage_by_day_in: the days of other zones.
SELECT plan(13);
SELECT ingest_ensure_partitions('2026-03-01Z', '2026-03-31Z', '2026-03-01Z') > 20 AS made \gset
SELECT test.claim(test.owner(1), 0);
SELECT is(test.commit(test.owner(1), 1, 0, 10, test.events(1, 2000, '2026-03-25Z', '6 days')), 'committed',
	'six days around a change of the clocks');
SELECT is((SELECT sum(calls) FROM usage_by_day_in(z, '2026-03-01Z', '2026-04-01Z')), 2000::numeric,
	z || ': each call is in one day')
FROM unnest(ARRAY['Europe/Berlin', 'America/New_York', 'UTC', 'Etc/GMT-14']) z;
SELECT is((SELECT count(*) FROM (
	(SELECT * FROM usage_by_day_in('UTC', '2026-03-01Z', '2026-04-01Z') EXCEPT SELECT * FROM usage_by_day)
	UNION ALL (SELECT * FROM usage_by_day EXCEPT SELECT * FROM usage_by_day_in('UTC', '2026-03-01Z',
	'2026-04-01Z'))) d), 0::bigint,
	'in UTC it is usage_by_day');
SELECT is((SELECT array_agg(DISTINCT bucket ORDER BY bucket) FROM usage_by_day_in('Europe/Berlin',
	'2026-03-28 23:00Z', '2026-03-30 22:00Z')),
	ARRAY['2026-03-28 23:00Z', '2026-03-29 22:00Z']::timestamptz[],
	'a bucket is the zone''s midnight, and a day may have 23 hours');
SELECT is((SELECT sum(calls) FROM usage_by_day_in('Europe/Berlin', '2026-03-28 23:00Z', '2026-03-29 22:00Z')),
	(SELECT sum(calls) FROM usage_by_hour WHERE bucket >= '2026-03-28 23:00Z'
	AND bucket < '2026-03-29 22:00Z'), 'to is not part of the span');
SELECT throws_like(format($$SELECT * FROM usage_by_day_in(%L, '2026-03-25Z', '2026-03-27Z')$$, z),
	'%usage_by_minute%', z || ': not whole hours')
FROM unnest(ARRAY['Asia/Kolkata', 'Asia/Kathmandu', 'Australia/Adelaide']) z;
SELECT throws_ok($$SELECT * FROM usage_by_day_in('Mars/Olympus', '2026-03-25Z', '2026-03-27Z')$$, '22023', NULL,
	'an unknown zone is an error');
SELECT is((SELECT count(*) FROM test.query_as('tokentally_reader', $$SELECT *
	FROM tokentally.usage_by_day_in(tz => 'Europe/Berlin', "from" => '2026-03-01Z', "to" => '2026-04-01Z')
	WHERE user_key NOT LIKE '%-PSEUDONYM'$$)), 0::bigint, 'readers get pseudonyms here too');
SELECT * FROM finish();
