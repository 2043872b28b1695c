-- SPDX-License-Identifier: Apache-2.0
--
-- Erasing: found nowhere, totals as before, and a replay does not bring anybody back. Aliases, logins and own choices.
SELECT no_plan();
SELECT ingest_ensure_partitions('2026-11-01Z', '2026-11-30Z', '2026-11-01Z') > 20 AS made \gset
SELECT test.claim(test.owner(1), 0);
SELECT test.commit(test.owner(1), 1, 0, 1, test.events(3, 3000, '2026-11-01Z', '25 days'));
SELECT test.commit(test.owner(1), 2, 1, 2, test.events(5, 300, '2026-11-25Z', '10 hours'),
	p_dead => ARRAY[ROW('calls', 0, 1, 0, '2026-11-25Z', 'bad_type', 'user', 'x"user":"user7","'::bytea, 1)::dead_letter_delta,
	ROW('calls', 0, 1, 1, '2026-11-25Z', 'bad_type', 'field of user7', NULL, 1)::dead_letter_delta]);
SELECT count(*) AS folded FROM generate_series(1, 40) WHERE fold_days('2026-11-24Z') \gset
SELECT recompute_titles('2026-11-23 00:00Z') IS NOT NULL AS ran \gset
SELECT test.value_as('tokentally_admin', 'SELECT tokentally.set_alias(''user8'', ''user7'')');
SELECT is(test.value_as('tokentally_people', $$SELECT count(*) FROM tokentally.usage_by_day WHERE user_key = 'user8'$$), '0', 'an alias is seen as its person');
SELECT is(test.value_as('tokentally_reader', $$SELECT count(*) FROM tokentally.usage_by_session WHERE user_key = 'USER8-PSEUDONYM'$$), '0', '... by readers too');
SELECT isnt((SELECT count(*) FROM usage_hour JOIN person ON id = person_id WHERE user_key = 'user8'), 0::bigint, '... while its rows stay as they are');
SELECT is((SELECT sum(calls) FROM usage_by_day WHERE user_key = 'user7'), (SELECT sum(calls)::numeric FROM usage_hour JOIN person ON id = person_id
	WHERE user_key IN ('user7', 'user8')), '... and count for the person');
SELECT test.value_as('tokentally_admin', 'SELECT tokentally.set_alias(''user8'', NULL)');
SELECT isnt(test.value_as('tokentally_people', $$SELECT count(*) FROM tokentally.usage_by_day WHERE user_key = 'user8'$$), '0', 'parted again');
SELECT test.value_as('tokentally_admin', 'SELECT tokentally.set_alias(''user8'', ''user7'')');
SELECT throws_ok($$SELECT set_alias('user7', 'user8')$$, '22023', NULL, 'nobody is the alias of the own alias');

-- A login of one's own.
CREATE ROLE test_user7 LOGIN IN ROLE tokentally_reader;
SELECT test.value_as('tokentally_admin', 'SELECT tokentally.set_login(''test_user7'', ''user8'')');
SELECT test.open('me');
SELECT dblink_exec('me', 'SET SESSION AUTHORIZATION test_user7; SET search_path = tokentally') AS ok \gset
SELECT is((SELECT calls FROM dblink('me', 'SELECT sum(calls) FROM my_usage()') AS t (calls numeric)),
	(SELECT sum(calls) FROM usage_by_day WHERE user_key = 'user7'), 'my_usage is all of one''s own');
SELECT is((SELECT t FROM dblink('me', 'SELECT c::text FROM my_choice(''named'', false) c') AS t (t text)), '(named,f,user7)', 'my_choice chooses');
SELECT is((SELECT t FROM dblink('me', 'SELECT c::text FROM my_choice() c') AS t (t text)), '(named,f,user7)', '... and tells');
SELECT is((SELECT t FROM dblink('me', 'SELECT c::text FROM my_choice(''default'', true) c') AS t (t text)), '(default,t,USER7-PSEUDONYM)', '... and goes back');
SELECT throws_ok($$SELECT * FROM dblink('me', 'SELECT count(*) FROM person') AS t (n bigint)$$, '42501', NULL, 'that login still reads no tables');
SELECT throws_ok('SELECT * FROM my_usage()', '42501', NULL, 'a login that is nobody''s has no usage');
SELECT dblink_disconnect('me') AS ok \gset

-- Export.
SELECT is((SELECT string_agg(DISTINCT json_typeof(value), ' ') FROM json_each(export_user('user7')) WHERE key ~ '^(usage|sessions|identities|awards|logins)'),
	'array', 'an export has all parts');
SELECT is((SELECT sum((h ->> 'calls')::int) FROM json_array_elements(export_user('user8') -> 'usage_by_hour') h),
	(SELECT sum(calls)::bigint FROM usage_hour JOIN person ON id = person_id WHERE user_key IN ('user7', 'user8')), '... of all identities');
SELECT throws_ok($$SELECT export_user('nobody')$$, 'P0002', NULL, 'nobody is not exported');

-- Erase.
CREATE FUNCTION test.totals() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', test.sums(), (SELECT sum(total_tokens) FROM usage_by_hour), (SELECT sum(total_tokens) FROM usage_by_day), (SELECT sum(cost_usd) FROM usage_by_day),
		(SELECT sum(count) FROM dead_letter))
$$;
CREATE FUNCTION test.found(p_text text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_table text;
	v_found boolean;
	v_all text := '';
BEGIN
	FOR v_table IN SELECT relname FROM pg_class WHERE relnamespace = 'tokentally'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM tokentally.%I t WHERE strpos(t::text, %L) > 0 OR strpos(t::text, %L) > 0)', v_table, p_text,
			substr(p_text::bytea::text, 3)) INTO v_found;
		v_all := v_all || CASE WHEN v_found THEN v_table || ' ' ELSE '' END;
	END LOOP;
	RETURN v_all;
END $$;
SELECT test.totals() AS totals, array_agg(id)::text AS ids FROM person WHERE user_key IN ('user7', 'user8') \gset
SELECT is(test.found('user8'), 'person ', 'the search finds a key where it is');
SELECT is(test.value_as('tokentally_admin', 'SELECT identities || '' '' || (hours > 0) || '' '' || (days > 0) || '' '' || (sessions > 0) FROM tokentally.erase_user(''user8'')'),
	'2 true true true', 'an administrator erases');
SELECT is(test.found(k), '', 'nothing has ' || k) FROM unnest('{user7,user8,USER7-PSEUDONYM}'::text[]) k;
SELECT is(test.totals(), :'totals', 'totals are as before');
SELECT is((SELECT count(*) FROM usage_hour WHERE person_id = ANY (:'ids'::bigint[])) + (SELECT count(*) FROM usage_day WHERE person_id = ANY (:'ids'::bigint[]))
	+ (SELECT count(*) FROM session_slot WHERE person_id = ANY (:'ids'::bigint[])) + (SELECT count(*) FROM title_standing WHERE person_id = ANY (:'ids'::bigint[]))
	+ (SELECT count(*) FROM app_person WHERE person_id = ANY (:'ids'::bigint[])) + (SELECT count(*) FROM title_award_row WHERE person_id = ANY (:'ids'::bigint[])),
	0::bigint, 'nothing has their ids');
SELECT is_empty('SELECT * FROM test.true_day EXCEPT SELECT * FROM test.seen_day', 'days are still the sums of hours');
SELECT is((SELECT string_agg(concat_ws('|', detail, payload_excerpt IS NULL), ', ' ORDER BY record) FROM dead_letter_row), 'user|t, |t',
	'dead letters that quote the key do so no more');
SELECT throws_ok($$SELECT test.commit(test.owner(1), 3, 2, 3, ARRAY[test.event('2026-11-25 10:00Z', 'ann')])$$, 'TT002', NULL,
	'a daemon that holds ids from before has to look them up again');
SELECT is(test.commit(test.owner(1), 3, 2, 3, ARRAY[test.event('2026-11-25 10:00Z', 'user7', p_session => 's'), test.event('2026-11-25 10:00Z', 'user8', p_session => 's'),
	test.event('2026-11-20 10:00Z', 'user8', p_session => 't'), test.event('2026-11-25 10:00Z', 'user9', p_session => 's')], p_generation => 2),
	'committed', 'later events of erased keys, several in one batch, are counted');
SELECT is(test.found(k), '', 'and bring nobody back: ' || k) FROM unnest('{user7,user8,USER7-PSEUDONYM}'::text[]) k;
SELECT is((SELECT string_agg(DISTINCT user_key, ' ') FROM usage_by_session WHERE session_key IN ('s', 't')), 'user9', 'they have no sessions');
SELECT is((SELECT array_agg(id = erased_person())::text FROM unnest(intern_people('{user7,user8,user9}', '{P7,P8,P9}')) id), '{t,t,f}', 'they are interned as "(erased)"');
SELECT is(json_ascii(E'a"\u00e9\U0001F98A'), 'a\"\u00e9\ud83e\udd8a', 'a key is looked for with the escapes of JSON, too');
SELECT throws_ok($$SELECT erase_user('user7')$$, 'P0002', NULL, 'nobody is erased twice');
SELECT throws_ok($$SELECT erase_user('(erased)')$$, 'P0002', NULL, '"(erased)" is not erased');
SELECT throws_ok($$SELECT set_person('user7', names => 'named')$$, '55000', NULL, 'nor made again by a choice');
SELECT is((SELECT string_agg(DISTINCT action, ', ' ORDER BY action) FROM audit_log), 'erase, export, set alias, set login', 'all is in the audit log');
SELECT * FROM finish();
