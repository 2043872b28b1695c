-- SPDX-License-Identifier: Apache-2.0
--
-- Filters on bucket and user_key reach partitions and indexes, for readers and the people role. Plans, not times.
SELECT plan(16);
SELECT ingest_ensure_partitions('2026-09-01Z', '2026-11-30Z', '2026-11-01Z') > 20 AS made \gset
SELECT test.claim(test.owner(1), 0);
SELECT test.commit(test.owner(1), s, s - 1, s, test.events(s, 4000, '2026-09-01Z', '90 days'),
	p_minute_from => '2026-11-01Z') FROM generate_series(1, 3) s;
SELECT intern_people(array_agg('other' || n), array_agg('OTHER' || n)) IS NOT NULL AS made
	FROM generate_series(1, 5000) n \gset
SELECT count(*) AS folded FROM generate_series(1, 3000) WHERE fold_days('2026-11-28Z') \gset
VACUUM ANALYZE;

-- What a role reads: each table with the number of rows and of loops, of the nodes that were run.
CREATE FUNCTION test.plan_of(p_role text, p_sql text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', p_role);
	RETURN QUERY EXECUTE 'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) ' || p_sql;
	RESET ROLE;
END $$;
CREATE FUNCTION test.tables_read(p_role text, p_sql text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(DISTINCT substring(line FROM ' on (\w+)'), ' ' ORDER BY substring(line
		FROM ' on (\w+)')), '')
	FROM test.plan_of(p_role, p_sql) line
	WHERE line ~ ' on (usage_|session_slot|latency_)\w+_p\d+' AND line !~ 'never executed'
	AND line !~ 'Bitmap Index Scan'
$$;
SELECT is(test.tables_read(r, format('SELECT * FROM tokentally.%I WHERE bucket >= ''2026-11-20Z'' AND bucket < ''2026-11-21Z''', v)), t, r || ' ' || v || ' prunes by bucket')
FROM (VALUES ('usage_by_hour', 'usage_hour_p20261116'), ('usage_by_minute', 'usage_minute_p20261120'),
	('usage_by_team_hour', 'usage_team_hour_p20261101'), ('latency_by_hour', 'latency_hour_p20261101'),
	('usage_by_day', 'usage_day_p20261101 usage_hour_p20261123 usage_hour_p20261130')) AS p (v, t),
	unnest(ARRAY['tokentally_reader', 'tokentally_people']) r;
SELECT ok(NOT EXISTS (SELECT FROM test.plan_of(r,
	format('SELECT * FROM tokentally.usage_by_day WHERE bucket >= ''2026-09-01Z'' AND user_key = %L', k)) line
	WHERE line ~ 'Seq Scan on (usage_day|person)' AND line !~ 'never executed'),
	r || ': a person''s days come by index')
FROM (VALUES ('tokentally_reader', 'USER7-PSEUDONYM'), ('tokentally_people', 'user7')) AS t (r, k);
SELECT ok(EXISTS (SELECT FROM test.plan_of(r,
	format('SELECT * FROM tokentally.usage_by_hour WHERE bucket >= ''2026-11-20Z'' AND user_key = %L', k)) line
	WHERE line ~ ('Index.* Scan using person_' || i) AND line !~ 'never executed'),
	r || ': a person is found by index')
FROM (VALUES ('tokentally_reader', 'USER7-PSEUDONYM', 'shown_key'), ('tokentally_people', 'user7',
	'user_key')) AS t (r, k, i);
SELECT is((SELECT count(*) FROM test.plan_of(r,
	'SELECT * FROM tokentally.usage_by_hour WHERE bucket = ''2026-11-20 10:00Z''') line
	WHERE line ~ 'One-Time Filter'), 5::bigint, r || ': both arms, and those of teams, have a one-time filter')
FROM unnest(ARRAY['tokentally_reader', 'tokentally_people']) r;
SELECT * FROM finish();
