-- SPDX-License-Identifier: Apache-2.0
--
-- ingest_hello: schema version, privacy key, and what the configuration says about names.
SELECT plan(16);
SELECT is(test.value_as('tokentally_ingest',
	'SELECT format(''%s %s'', schema_version, names_generation) FROM ingest_hello(1, ''k1'', ''pseudonym'', 5)'),
	'1 1', 'hello tells the schema version and the generation of names');
SELECT lives_ok($$SELECT ingest_hello(0, 'k1', 'pseudonym', 5)$$, 'a program one version older may work');
SELECT throws_ok($$SELECT ingest_hello(2, 'k1', 'pseudonym', 5)$$, 'TT010', NULL,
	'a newer program wants tokentally migrate');
SELECT throws_ok($$SELECT ingest_hello(-1, 'k1', 'pseudonym', 5)$$, 'TT010', NULL,
	'a program two versions older is refused');
SELECT throws_ok($$SELECT ingest_hello(1, 'k2', 'pseudonym', 5)$$, 'TT011', NULL, 'another privacy key is refused');
SELECT lives_ok($$SELECT ingest_hello(1, '', 'pseudonym', 5)$$, 'no key is not another key');
SELECT throws_ok($$SELECT ingest_hello(1, 'k1', 'nicknames', 5)$$, '22023', NULL, 'privacy.names has three values');
SELECT is((SELECT string_agg(key || '=' || value, ' ' ORDER BY key) FROM setting WHERE key <> 'tombstone_key'),
	'min_group=5 names_generation=1 privacy_key_check=k1 privacy_names=pseudonym rules_generation=0', 'all is recorded');

SELECT lives_ok($$SELECT ingest_hello(1, '', NULL, NULL)$$, 'a tool without a word about privacy may say hello');
SELECT is((SELECT string_agg(value, ' ' ORDER BY key) FROM setting WHERE key <> 'tombstone_key'), '5 1 k1 pseudonym 0', '... and changes nothing');

SELECT intern_people('{ann,bob,cy}', '{A,B,C}');
SELECT set_person('bob', names => 'named');
SELECT set_person('new', names => 'pseudonym');
SELECT is((SELECT string_agg(shown_key, ' ' ORDER BY user_key) FROM person), 'A bob C (hidden)',
	'people are shown by pseudonym or by their own choice; hidden while there is no pseudonym');
SELECT ingest_hello(1, 'k1', 'hidden', 5);
SELECT is((SELECT string_agg(shown_key, ' ' ORDER BY user_key) FROM person), '(hidden) bob (hidden) (hidden)',
	'a new privacy.names holds for people seen before');
SELECT ingest_hello(1, 'k1', 'named', 7);
SELECT is((SELECT string_agg(shown_key, ' ' ORDER BY user_key) FROM person), 'ann bob cy (hidden)', '... both ways');
SELECT is((SELECT value FROM setting WHERE key = 'min_group'), '7', 'min_group follows the configuration');
SELECT intern_people('{new}', '{N}');
SELECT is((SELECT shown_key FROM person WHERE user_key = 'new'), 'N', 'the pseudonym is filled in at the first call');
SELECT xmin AS before FROM setting WHERE key = 'min_group' \gset
SELECT ingest_hello(1, 'k1', 'named', 7);
SELECT is((SELECT xmin::text FROM setting WHERE key = 'min_group'), :'before',
	'hello writes nothing when nothing changed');
SELECT * FROM finish();
