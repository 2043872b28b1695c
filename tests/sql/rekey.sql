-- SPDX-License-Identifier: Apache-2.0
--
-- From one privacy key to another: all people at once, sessions part by part, nothing written with the former key after.
SELECT no_plan();
SELECT ingest_ensure_partitions('2026-11-01Z', '2026-11-30Z', '2026-11-01Z') > 20 AS made \gset
SELECT ingest_hello(1, 'old', 'pseudonym', 5);
SELECT test.claim(test.owner(1), 0);
SELECT test.commit(test.owner(1), 1, 0, 1, test.events(3, 2000, '2026-11-01Z', '25 days'));
SELECT set_person('chosen', names => 'named'), set_alias('user8', 'user7'), set_login('postgres', 'user7'), set_person('unmet', kind => 'person');
SELECT erase_user('user9') IS NOT NULL AS erased \gset
SELECT value::bigint AS generation FROM setting WHERE key = 'names_generation' \gset
-- What tokentally rekey does, with keys that make "n-NAME", "m-NAME" of names.
CREATE FUNCTION test.switch(p_check text, p_prefix text) RETURNS bigint LANGUAGE sql AS $$
	SELECT rekey_switch(p_check, array_agg(id), array_agg(p_prefix || user_key)) FROM rekey_people(0, 1000000)
$$;
CREATE FUNCTION test.sessions(p_check text, p_prefix text, p_rows int) RETURNS bigint LANGUAGE sql AS $$
	SELECT rekey_sessions_write(p_check, min(from_slot), min(until_slot), coalesce(array_agg(session_id) FILTER (WHERE session_id IS NOT NULL), '{}'),
		coalesce(array_agg(p_prefix || session_key) FILTER (WHERE session_id IS NOT NULL), '{}')) FROM rekey_sessions_read(p_rows)
	HAVING count(*) > 0
$$;
CREATE FUNCTION test.shown_sessions() RETURNS text LANGUAGE sql AS $$
	SELECT test.value_as('tokentally_reader',
		$q$SELECT string_agg(DISTINCT regexp_replace(session_key, '[0-9a-f]{32}|session.*$', ''), ' ') FROM tokentally.usage_by_session$q$)
$$;
SELECT is((SELECT key_check || ' ' || sessions_pending FROM rekey_state()), 'old false', 'the state before');
SELECT is((SELECT people FROM rekey_state()), (SELECT count(*) FROM rekey_people(0, 1000)), '... counts all people but "(erased)"');
SELECT is((SELECT count(*) FROM rekey_people((SELECT max(id) FROM rekey_people(0, 7)), 1000)) + 7, (SELECT count(*) FROM rekey_people(0, 1000)), 'people come in pages');
SELECT throws_ok($$SELECT rekey_switch('new', array_agg(id), array_agg('n-' || user_key)) FROM rekey_people(0, 5)$$, '40001', NULL, 'with someone missing nothing is changed');
SELECT is((SELECT key_check FROM rekey_state()), 'old', '... not the key either');
SELECT test.sums() AS sums, md5(string_agg(u::text, ',' ORDER BY u::text)) AS hours FROM usage_hour u \gset
SELECT is(test.shown_sessions(), '', 'sessions have hashes before');
SELECT is(test.switch('new', 'n-'), (SELECT people FROM rekey_state()), 'all people have new pseudonyms');
SELECT is((SELECT count(*) FROM person WHERE pseudonym <> 'n-' || user_key AND user_key <> '(erased)'), 0::bigint, '... each of the own key, also who was not met yet');
SELECT is((SELECT string_agg(user_key || '=' || shown_key, ' ' ORDER BY user_key) FROM person WHERE user_key IN ('user7', 'user8', 'chosen', 'unmet', '(erased)')),
	'(erased)=(erased) chosen=chosen unmet=n-unmet user7=n-user7 user8=n-user7', 'aliases and choices are kept, "(erased)" stays');
SELECT is((SELECT key_check || ' ' || sessions_pending FROM rekey_state()), 'new true', 'the database has the new key');
SELECT is(test.shown_sessions(), '(hidden)', 'while their hashes are of the former key, sessions are hidden');
SELECT is((SELECT string_agg(DISTINCT session_key, '' ORDER BY session_key) FROM usage_by_session WHERE session_key ~ '^session1?$'), 'session1', 'but not to whoever sees names');

-- A daemon of the former key.
SELECT throws_ok($$SELECT ingest_hello(1, 'old', 'pseudonym', 5)$$, 'TT011', NULL, 'it is refused when it says hello');
SELECT throws_ok(format($$SELECT intern_people('{new}', '{OLD}', %s)$$, :generation), 'TT002', NULL, 'it cannot intern a person');
SELECT throws_ok(format($$SELECT test.commit(test.owner(1), 2, 1, 2, test.events(5, 10, '2026-11-25Z', '1 hour'), p_generation => %s)$$, :generation), 'TT002', NULL, 'it cannot commit');
SELECT is((SELECT count(*) FROM person WHERE user_key = 'new'), 0::bigint, '... nobody was made');
SELECT lives_ok($$SELECT ingest_hello(1, 'new', 'pseudonym', 5)$$, 'one of the new key is not');

-- Sessions: in parts, newest first, whatever comes in between.
SELECT isnt(test.sessions('new', 'n-', 300), NULL, 'a part of the sessions');
SELECT alike(test.shown_sessions(), '%n-%', 'those are shown') UNION ALL SELECT alike(test.shown_sessions(), '(hidden)%', '... the others not yet');
SELECT is((SELECT count(*) FROM test.query_as('tokentally_reader', 'SELECT session_key FROM tokentally.usage_by_session') q WHERE q !~ '^\("?(n-session|\(hidden)'), 0::bigint, '... none by the former hash');
SELECT from_slot AS from_slot, until_slot AS until_slot FROM rekey_sessions_read(300) LIMIT 1 \gset
SELECT throws_ok(format($$SELECT rekey_sessions_write('old', %L, %L, '{}', '{}')$$, :'from_slot', :'until_slot'), '55000', NULL, 'another key writes no sessions');
SELECT test.switch('newer', 'm-') > 0 AS again \gset
SELECT throws_ok(format($$SELECT rekey_sessions_write('new', %L, %L, '{}', '{}')$$, :'from_slot', :'until_slot'), '55000', NULL, 'nor the key before a second change');
SELECT throws_ok(format($$SELECT rekey_sessions_write('newer', %L, %L, '{}', '{}')$$, :'from_slot', :'until_slot'), '55000', NULL, 'nor who is not where the last one ended');
SELECT is(test.shown_sessions(), '(hidden)', 'a second change begins anew');
SELECT (SELECT count(test.sessions('newer', 'm-', 100)) FROM generate_series(1, 200)) AS parts \gset
SELECT ok(:parts > 5, 'many small parts');
SELECT is((SELECT sessions_pending FROM rekey_state()), false, '... and it is done');
SELECT is(test.shown_sessions(), 'm-', 'all sessions have new hashes');
SELECT is((SELECT count(*) FROM session_slot WHERE shown_key <> 'm-' || session_key), 0::bigint, '... each the own');
SELECT is(test.sums(), :'sums', 'nothing was counted');
SELECT is((SELECT md5(string_agg(u::text, ',' ORDER BY u::text)) FROM usage_hour u), :'hours', '... and no row moved');
SELECT is_empty($$SELECT * FROM rekey_sessions_read(100)$$, 'there is nothing left to do');
SELECT ok(is_erased('user9') AND intern_people('{user9}', '{m-user9}') = ARRAY[erased_person()], 'who was erased stays erased');
SELECT is((SELECT string_agg(action || ': ' || detail, '; ' ORDER BY id) FROM audit_log WHERE action = 'rekey'),
	format('rekey: another privacy key: new pseudonyms of %1$s people; rekey: another privacy key: new pseudonyms of %1$s people; '
	'rekey: all sessions have hashes of the new privacy key', (SELECT people FROM rekey_state())), 'the audit log has it, without a key');

-- Without sessions, without people; from a database that never had a key.
DELETE FROM session_slot;
DELETE FROM setting WHERE key = 'privacy_key_check';
UPDATE person SET pseudonym = '' WHERE user_key <> '(erased)';
SELECT show_people(NULL);
SELECT is((SELECT shown_key FROM person WHERE user_key = 'user7'), '(hidden)', 'without a key people are hidden');
SELECT is((SELECT key_check || ' ' || nameless FROM rekey_state()), ' true', '... and the database has none');
SELECT test.switch('first', 'f-') > 0 AS done \gset
SELECT is((SELECT shown_key FROM person WHERE user_key = 'user7'), 'f-user7', 'the first key names all people at once');
SELECT is((SELECT nameless FROM rekey_state()), false, '... nobody is left');
SELECT is(test.sessions('first', 'f-', 100), 0::bigint, 'no sessions: one empty part ends it');
SELECT is((SELECT sessions_pending FROM rekey_state()), false, '... at once');
-- Two at a time: the switch waits for a commit, and a commit for the switch.
SELECT test.open('one'), test.open('two');
SELECT pid AS pid FROM dblink('two', 'SELECT pg_backend_pid()') AS t (pid int) \gset
SELECT value::bigint AS generation FROM setting WHERE key = 'names_generation' \gset
SELECT dblink_exec('one', 'BEGIN');
SELECT ids FROM dblink('one', format($$SELECT intern_people('{late}', '{F-LATE}', %s)$$, :generation)) AS t (ids text);
SELECT dblink_send_query('two', $$SELECT test.switch('second', 's-')$$);
SELECT ok(test.waits(:pid), 'the switch waits for who is interning');
SELECT dblink_exec('one', 'COMMIT');
SELECT throws_ok($$SELECT * FROM dblink_get_result('two') AS t (n bigint)$$, '40001', NULL, '... and then misses the person that came');
SELECT * FROM dblink_get_result('two') AS t (n bigint);
SELECT is((SELECT n FROM dblink('two', $$SELECT test.switch('second', 's-')$$) AS t (n bigint)), (SELECT people FROM rekey_state()), 'the next try has all');
SELECT is((SELECT pseudonym FROM person WHERE user_key = 'late'), 's-late', '... also that one');
SELECT throws_ok(format('SELECT test.value_as(%L, %L)', r, s), '42501', NULL, r || ' cannot ' || s)
FROM unnest('{tokentally_admin,tokentally_people,tokentally_ingest,tokentally_reader}'::text[]) r, unnest(ARRAY['SELECT tokentally.rekey_people(0, 1)',
	'SELECT tokentally.rekey_state()', 'SELECT tokentally.rekey_switch(''k'', ''{}'', ''{}'')', 'SELECT tokentally.rekey_sessions_read(1)']) s;
SELECT * FROM finish();
