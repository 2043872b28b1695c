-- SPDX-License-Identifier: Apache-2.0
--
-- Names to ids: in order, once, without burning sequences, and by two sessions at the same time.
SELECT plan(14);
SELECT test.value_as('tokentally_ingest', $$SELECT intern_people('{zoe,ann,zoe,Ann}', '{Z,A,Z,N}')$$) AS ids \gset
SELECT is(:'ids', (SELECT array_agg(p.id ORDER BY n)::text
	FROM unnest('{zoe,ann,zoe,Ann}'::text[]) WITH ORDINALITY k (name, n)
		JOIN person p ON p.user_key = k.name), 'ids come in the order of the names, repeated ones too');
SELECT is((SELECT string_agg(user_key || ' ' || id, ',' ORDER BY id) FROM person), 'ann 1,Ann 2,zoe 3',
	'they are made in the order of their pseudonyms, which says nothing of names');
SELECT intern_people('{zoe,ann,Ann}', '{Z,A,N}') FROM generate_series(1, 100);
SELECT is(intern_people('{bob}', '{B}'), '{4}'::bigint[], 'known names burn no number');
SELECT intern_teams('{red,"",blue}') AS ids \gset
SELECT is(:'ids'::int[], (SELECT array_agg(id ORDER BY name = 'blue', name = '') FROM team),
	'teams, the unknown one too');
SELECT is(intern_teams('{blue,red}'), (SELECT array_agg(id ORDER BY name) FROM team WHERE name <> ''),
	'... known ones again');
SELECT is(cardinality(intern_apps('{chat,code}')), 2, 'apps');
SELECT is(intern_models('{acme,acme,other}', '{m1,m2,m1}'), intern_models('{acme,acme,other}', '{m1,m2,m1}'),
	'models are the same again');
SELECT is((SELECT count(*) FROM model), 3::bigint, 'one model name of two providers is two models');
SELECT is(intern_people('{}', '{}'), '{}'::bigint[], 'no names, no ids');

-- Two sessions make the same new names; the second waits for the first, and both get the same ids.
SELECT test.open('one'), test.open('two');
SELECT pid AS pid FROM dblink('two', 'SELECT pg_backend_pid()') AS t (pid int) \gset
SELECT dblink_exec('one', 'BEGIN');
SELECT ids AS one FROM dblink('one', $$SELECT intern_people('{a1,a2,a3,ann}', '{P1,P2,P3,A}')$$) AS t (ids text) \gset
SELECT dblink_send_query('two', $$SELECT intern_people('{a3,a2,a1,ann}', '{P3,P2,P1,A}')$$);
SELECT ok(test.waits(:pid), 'the second session waits for the first');
SELECT dblink_exec('one', 'COMMIT');
SELECT ids AS two FROM dblink_get_result('two') AS t (ids text) \gset
SELECT is((:'two'::bigint[])[1:3], ARRAY[(:'one'::bigint[])[3], (:'one'::bigint[])[2], (:'one'::bigint[])[1]],
	'both have the same ids');
SELECT is((SELECT count(*) FROM person WHERE user_key LIKE 'a_'), 3::bigint, 'each name is there once');
SELECT * FROM dblink_get_result('two') AS t (ids text);

-- The first gives up: the second makes them.
SELECT dblink_exec('one', 'BEGIN');
SELECT ids AS one FROM dblink('one', $$SELECT intern_teams('{t1}')$$) AS t (ids text) \gset
SELECT dblink_send_query('two', $$SELECT intern_teams('{t1}')$$);
SELECT ok(test.waits(:pid), 'the second waits again');
SELECT dblink_exec('one', 'ROLLBACK');
SELECT ids AS two FROM dblink_get_result('two') AS t (ids text) \gset
SELECT is(:'two', (SELECT array_agg(id)::text FROM team WHERE name = 't1'),
	'... and makes the name itself when the first gives up');
SELECT * FROM finish();
