-- SPDX-License-Identifier: Apache-2.0
--
-- Who sees whom: the people role sees keys, readers see what privacy.names or the person chose.
SELECT plan(24);
SELECT ingest_ensure_partitions('2026-11-01Z', '2026-11-30Z', '2026-11-01Z') > 20 AS made \gset
SELECT test.claim(test.owner(1), 0);
SELECT is(test.commit(test.owner(1), 1, 0, 10, ARRAY[
	test.event('2026-11-20 10:00Z', 'ann', p_session => 's1'), test.event('2026-11-20 11:00Z', 'ann',
	p_session => 's1'),
	test.event('2026-11-20 10:05Z', 'bob', p_session => 's2'), test.event('2026-11-20 10:06Z', 'cy',
	p_session => 's3'),
	test.event('2026-11-20 10:07Z', 'dee', p_session => 's4')]), 'committed', 'four people make calls');
CREATE FUNCTION test.keys(p_role text, p_view text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(q, ' ' ORDER BY q COLLATE "C") FROM test.query_as(p_role,
		format('SELECT user_key || '':'' || sum(calls) FROM tokentally.%I GROUP BY user_key', p_view)) q
$$;
SELECT is(test.keys('tokentally_reader', v),
	'(ANN-PSEUDONYM:2) (BOB-PSEUDONYM:1) (CY-PSEUDONYM:1) (DEE-PSEUDONYM:1)', v || ' shows readers pseudonyms')
FROM unnest(ARRAY['usage_by_hour', 'usage_by_day', 'usage_by_session']) v;
SELECT is(test.keys('tokentally_people', v), '(ann:2) (bob:1) (cy:1) (dee:1)', v || ' shows names to the people role')
FROM unnest(ARRAY['usage_by_hour', 'usage_by_day', 'usage_by_session']) v;
SELECT is(test.keys('tokentally_admin', 'usage_by_day'), test.keys('tokentally_reader', 'usage_by_day'),
	'admin alone sees no names');
CREATE ROLE test_login LOGIN IN ROLE tokentally_people;
SELECT is(test.keys('test_login', 'usage_by_day'), '(ann:2) (bob:1) (cy:1) (dee:1)',
	'a login that was granted the people role sees names');
CREATE ROLE test_noinherit LOGIN NOINHERIT IN ROLE tokentally_people;
GRANT tokentally_reader TO test_noinherit;
SELECT throws_ok($$SELECT test.keys('test_noinherit', 'usage_by_day')$$, '42501', NULL,
	'one that does not inherit has to SET ROLE first');

SELECT is((SELECT string_agg(q, ' ' ORDER BY q) FROM test.query_as('tokentally_reader',
	'SELECT session_key, calls FROM tokentally.usage_by_session') q),
	(SELECT string_agg(format('(%s,%s)', md5('s' || n), CASE n WHEN 1 THEN 2 ELSE 1 END),
	' ' ORDER BY md5('s' || n)) FROM generate_series(1, 4) n),
	'readers see hashed sessions');
SELECT is((SELECT string_agg(q, ' ' ORDER BY q) FROM test.query_as('tokentally_people',
	'SELECT session_key, calls, to_char(last_seen - first_seen, ''HH24:MI'') AS t FROM tokentally.usage_by_session') q),
	'(s1,2,01:00) (s2,1,00:00) (s3,1,00:00) (s4,1,00:00)',
	'the people role sees their keys, put together over slots');

SELECT test.value_as('tokentally_admin', 'SELECT tokentally.set_person(''bob'', names => ''hidden'')');
SELECT test.value_as('tokentally_admin', 'SELECT tokentally.set_person(''cy'', names => ''hidden'', titles => false)');
SELECT test.value_as('tokentally_admin', 'SELECT tokentally.set_person(''dee'', ''service'', names => ''named'')');
SELECT is(test.keys('tokentally_reader', v), '("(hidden):2") (ANN-PSEUDONYM:2) (dee:1)',
	v || ': hidden people are one, and one may choose to be named')
FROM unnest(ARRAY['usage_by_hour', 'usage_by_day', 'usage_by_session']) v;
SELECT is((SELECT count(*) FROM test.query_as('tokentally_reader',
	'SELECT * FROM tokentally.usage_by_hour WHERE user_key = ''(hidden)''')), 1::bigint,
	'... one summed row');
SELECT is((SELECT string_agg(q, ' ') FROM test.query_as('tokentally_reader',
	'SELECT session_key, calls FROM tokentally.usage_by_session WHERE user_key = ''(hidden)''') q),
	'("(hidden)",2)', '... for sessions too');
SELECT is(test.keys('tokentally_people', 'usage_by_hour'), '(ann:2) (bob:1) (cy:1) (dee:1)',
	'the people role still sees everybody');
SELECT is((SELECT string_agg(format('%s %s %s', user_key, kind, titles), ',' ORDER BY user_key) FROM person),
	'ann person t,bob person t,cy person f,dee service t', 'set_person sets what it is given');
SELECT set_person('cy', titles => true), set_person('dee', kind => 'person');
SELECT is((SELECT string_agg(format('%s %s %s', user_key, kind, names), ',' ORDER BY user_key) FROM person
	WHERE titles),
	'ann person ,bob person hidden,cy person hidden,dee person named', '... and leaves the rest');
SELECT set_person('eve', titles => false);
SELECT is((SELECT format('%s %s %s', kind, titles, shown_key) FROM person WHERE user_key = 'eve'),
	'person f (hidden)', 'someone not seen yet is made');
SELECT throws_ok($$SELECT set_person('ann', kind => 'robot')$$, '22023', NULL, 'kind is checked');

-- A filter that writes down what it is shown must not be shown the other arm.
CREATE FUNCTION test.spy(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 0.0001 AS $$
BEGIN
	PERFORM set_config('test.seen', current_setting('test.seen') || ',' || $1, false);
	RETURN true;
END $$;
SET test.seen = '';
SELECT test.value_as('tokentally_reader', format('SELECT count(*) FROM tokentally.%I WHERE test.spy(user_key)', v))
FROM unnest(ARRAY['usage_by_hour', 'usage_by_day', 'usage_by_session']) v;
SELECT is((SELECT string_agg(DISTINCT k, ' ' ORDER BY k)
	FROM unnest(string_to_array(current_setting('test.seen'), ',')) k WHERE k <> ''),
	'(hidden) ANN-PSEUDONYM dee', 'a cheap function in a filter is shown nothing else');
SELECT is((SELECT count(*) FROM test.query_as('tokentally_reader',
	'SELECT * FROM tokentally.usage_by_day WHERE user_key = ''ann''')), 0::bigint,
	'a reader finds nobody by key');
SELECT * FROM finish();
