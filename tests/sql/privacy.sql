-- SPDX-License-Identifier: Apache-2.0
--
-- Attempts of a reader to learn a hidden name, a person's row in a small team, an order by name, a session's owner, a
-- service account's identity. Each of them fails. At the end: small teams and apps.
SELECT no_plan();
SELECT ingest_ensure_partitions('2026-11-01Z', '2026-11-30Z', '2026-11-01Z') > 20 AS made \gset
SELECT test.claim(test.owner(1), 0);
-- 6 people in team big, 3 in tiny, 2 in wee, 1 service in team bots; one of big is hidden, and so is one of tiny.
SELECT is(test.commit(test.owner(1), 1, 0, 20, (SELECT array_agg(test.event('2026-11-20 10:00Z'::timestamptz + n * interval '1 minute', who, team,
	p_session => who || '-session', p_input => 1000 + n)) FROM (VALUES
	(1, 'ann', 'big'), (2, 'bea', 'big'), (3, 'cleo', 'big'), (4, 'dora', 'big'), (5, 'eve', 'big'), (6, 'hank', 'big'),
	(7, 'tom', 'tiny'), (8, 'tim', 'tiny'), (9, 'tess', 'tiny'), (10, 'wes', 'wee'), (11, 'wanda', 'wee'),
	(12, 'nightly-build', 'bots')) e (n, who, team))), 'committed', 'a company makes calls');
SELECT set_person('hank', names => 'hidden'), set_person('tess', names => 'hidden'),
	set_person('nightly-build', kind => 'service');
SELECT recompute_titles('2026-11-20 12:00Z') IS NOT NULL AS ran \gset
INSERT INTO title_flag_row (person_id, rule, day, evidence, opened_at)
SELECT id, 'sudden day', '2026-11-20', 'evidence', now() FROM person WHERE user_key = 'hank';
SELECT refresh_small_groups('2026-11-21Z', true) AS done \gset

CREATE ROLE test_reader LOGIN IN ROLE tokentally_reader;
CREATE TABLE test.spied (text text);
GRANT INSERT ON test.spied TO PUBLIC;
CREATE FUNCTION test.spy(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	INSERT INTO test.spied VALUES ($1);
	RETURN true;
END $$;
-- What a reader can see, in any row, of any view, as one text.
CREATE FUNCTION test.seen_by(p_role text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_view text;
	v_all text := '';
	v_part text;
BEGIN
	FOR v_view IN SELECT relname FROM pg_class WHERE relnamespace = 'tokentally'::regnamespace AND relkind = 'v'
			AND has_table_privilege(p_role, oid, 'SELECT') ORDER BY 1 LOOP
		v_part := (SELECT string_agg(q, E'\n') FROM test.query_as(p_role, format('SELECT * FROM tokentally.%I', v_view)) q);
		v_all := v_all || v_view || coalesce(v_part, '') || E'\n';
	END LOOP;
	RETURN v_all;
END $$;
SELECT unalike(test.seen_by('tokentally_reader'), '%' || who || '%', '1: no view shows a reader the name ' || who)
FROM unnest('{ann,bea,hank,tess,tom,wes,nightly-build,HANK-PSEUDONYM,TESS-PSEUDONYM}'::text[]) who;
SELECT alike(test.seen_by('tokentally_people'), '%hank%', '... and the search would find one: the people role sees it');
SELECT throws_ok(format('SELECT test.value_as(''tokentally_reader'', %L)', s), '42501', NULL, '2: a reader cannot ' || s)
FROM unnest(ARRAY['SELECT user_key FROM tokentally.person', 'SELECT kind FROM tokentally.person', 'SELECT name FROM tokentally.team',
	'SELECT person_id FROM tokentally.session_slot', 'SELECT * FROM tokentally.title_flag', 'SELECT * FROM tokentally.audit_log',
	'SELECT * FROM tokentally.dead_letter', 'SELECT * FROM tokentally.shown_team', 'SELECT * FROM tokentally.app_person',
	'SELECT * FROM tokentally.erased_key', 'SELECT * FROM tokentally.setting', 'SELECT * FROM tokentally.title_standing',
	'SELECT tokentally.export_user(''hank'')', 'SELECT tokentally.erase_user(''hank'')', 'SELECT tokentally.is_erased(''hank'')',
	'SELECT tokentally.set_person(''hank'', names => ''named'')', 'SELECT tokentally.my_usage()',
	'SELECT tokentally.set_login(''test_reader'', ''hank'')', 'SELECT * FROM tokentally.titles_people(now())',
	'SELECT tokentally.shown_key(''a'', ''b'', ''named'', ''named'')']) s;
SELECT is((SELECT count(*) FROM test.query_as('tokentally_reader', format('SELECT * FROM tokentally.%I WHERE user_key = %L', v, who))),
	0::bigint, '3: nobody is found by the key ' || who || ' in ' || v)
FROM unnest(ARRAY['usage_by_hour', 'usage_by_day', 'usage_by_session', 'title_holder', 'title_award']) v, unnest('{ann,hank,nightly-build}'::text[]) who;
SELECT lives_ok(format('SELECT test.value_as(''tokentally_reader'', %L)', format('SELECT count(*) FROM tokentally.%I WHERE test.spy(%I)', v, c)),
	'4: a cheap function looks at ' || v)
FROM (VALUES ('usage_by_hour', 'user_key'), ('usage_by_day', 'user_key'), ('usage_by_session', 'user_key'), ('usage_by_session', 'session_key'),
	('usage_by_hour', 'team'), ('usage_by_minute', 'team'), ('usage_by_minute', 'app'), ('title_holder', 'user_key'), ('title_award', 'user_key'),
	('title_history', 'user_key'), ('leaderboard', 'display_name'), ('leaderboard_titles', 'display_name')) AS s (v, c);
SELECT is_empty($$SELECT text FROM test.spied WHERE text ~ '^(ann|bea|hank|tess|tom|wes|wanda|nightly|tiny|wee|bots|.*session$)' OR text ~ '(HANK|TESS)-'$$,
	'4: ... and was shown nobody, no small team, no session');
SELECT isnt_empty('SELECT FROM test.spied', '4: ... though it was called');
SELECT lives_ok(format('SELECT test.value_as(''tokentally_reader'', %L)',
	format('SELECT count(*) FROM tokentally.%I WHERE 1 / (CASE WHEN %I = %L THEN 0 ELSE 1 END) = 1', v, c, k)),
	'5: no error gives away ' || k || ' in ' || v)
FROM (VALUES ('usage_by_hour', 'user_key', 'hank'), ('usage_by_day', 'user_key', 'hank'), ('usage_by_session', 'session_key', 'hank-session'),
	('usage_by_minute', 'team', 'tiny'), ('title_holder', 'user_key', 'nightly-build'), ('leaderboard', 'display_name', 'hank')) AS s (v, c, k);
SELECT is((SELECT string_agg(q, ' ' ORDER BY q) FROM test.query_as('tokentally_reader', format('SELECT DISTINCT team FROM tokentally.%I', v)) q), t,
	'6: small teams are one in ' || v) FROM (VALUES ('usage_by_minute', '("(small teams)") (big)'), ('usage_by_team_hour', '("(small teams)") (big)'),
	('usage_by_hour', '("(hidden)") ("(small teams)") (big)'), ('usage_by_day', '("(hidden)") ("(small teams)") (big)')) AS s (v, t);
SELECT is((SELECT string_agg(q, ' ') FROM test.query_as('tokentally_reader',
	'SELECT user_key, team, sum(calls) FROM tokentally.usage_by_hour WHERE user_key = ''(hidden)'' GROUP BY 1, 2') q), '("(hidden)","(hidden)",2)',
	'7: hidden people of several teams are one row, of no team');
SELECT is((SELECT string_agg(q, ' ') FROM test.query_as('tokentally_reader',
	'SELECT session_key, calls FROM tokentally.usage_by_session WHERE user_key = ''(hidden)''') q), '("(hidden)",2)',
	'8: the sessions of hidden people are one row');
SELECT is((SELECT count(*) FROM test.query_as('tokentally_reader', 'SELECT * FROM tokentally.usage_by_session WHERE session_key ~ ''-session$''')), 0::bigint,
	'9: no session is found by its key');
SELECT is((SELECT count(*) FROM test.query_as('tokentally_reader', 'SELECT * FROM pg_stats WHERE schemaname = ''tokentally'' '
	'AND tablename ~ ''^(person|team|app|session_slot|usage_|setting|title_|erased)''')), 0::bigint, '10: statistics give nothing away');
SELECT is(pg_has_role('test_reader', 'tokentally_people', 'member'), false, '11: a reader cannot take on the people role');
SELECT throws_ok($$SELECT test.value_as('tokentally_reader', 'CREATE FUNCTION pg_temp.f(text) RETURNS boolean LANGUAGE sql LEAKPROOF AS ''SELECT true''')$$,
	'42501', NULL, '12: a reader makes no leakproof function');
SELECT is(test.value_as('tokentally_reader', 'SELECT set_config(''search_path'', ''pg_temp, public'', true)') IS NOT NULL
	AND NOT EXISTS (SELECT FROM test.query_as('tokentally_reader', 'SELECT * FROM tokentally.usage_by_hour WHERE user_key = ''ann''')), true,
	'13: a search_path does not change who one is');
SET search_path = test, public, tokentally;
SELECT is((SELECT string_agg(q, ' ') FROM test.query_as('tokentally_reader',
	'SELECT user_key FROM tokentally.usage_by_day_in(''UTC'', ''2026-11-01Z'', ''2026-11-30Z'') WHERE user_key ~ ''^[a-z]''') q), NULL,
	'14: nor does the function for other zones name anybody');
SELECT is((SELECT count(*) FROM test.query_as('tokentally_reader', 'SELECT * FROM tokentally.title_holder_at(now()) WHERE user_key ~ ''^[a-z]''')),
	0::bigint, '15: nor the one for titles of the past');
-- Ids are given in the order of pseudonyms, and ties are ordered by id: that order must not be that of names.
SELECT intern_people('{z,y,x,w,v}', '{A1,B2,C3,D4,E5}') IS NOT NULL AS made \gset
SELECT is((SELECT string_agg(user_key, '' ORDER BY id) FROM person WHERE length(user_key) = 1), 'zyxwv', '16: no order by name: ids follow pseudonyms');
SELECT is((SELECT string_agg(column_name, ' ') FROM information_schema.columns c
	JOIN pg_class t ON t.relname = c.table_name AND t.relnamespace = 'tokentally'::regnamespace
	WHERE c.table_schema = 'tokentally' AND t.relkind = 'v' AND has_table_privilege('tokentally_reader', t.oid, 'SELECT')
	AND column_name ~ '(person|_id$|pseudonym|first_name|ctid)' ), NULL, '17: no view has a column of ids');
SELECT is(test.value_as('tokentally_reader', 'SELECT count(*) FROM tokentally.usage_by_hour WHERE user_key = ''NIGHTLY-BUILD-PSEUDONYM'''), '1',
	'18: a service account looks like anybody else');
SELECT is((SELECT count(*) FROM test.query_as('tokentally_reader', 'SELECT * FROM tokentally.title_run_note WHERE note ~ ''(hank|ann|tess)''')), 0::bigint,
	'19: the remarks of runs name nobody');
SELECT is((SELECT string_agg(q, ' ') FROM test.query_as('tokentally_reader',
	'SELECT DISTINCT titles FROM tokentally.leaderboard_titles WHERE display_name = ''(hidden)''') q), '()', '20: no titles stand beside a hidden person on a board');
SELECT is((SELECT count(DISTINCT line) FROM unnest('{hank,nobody-at-all}'::text[]) k, LATERAL (SELECT md5(string_agg(replace(q, k, '?'), E'\n')) AS line
	FROM test.query_as('tokentally_reader', format('SELECT count(*) FROM tokentally.usage_by_hour WHERE user_key = %L', k)) q) p), 1::bigint,
	'21: a hidden name and one that nobody has look the same');

-- Small groups.
CREATE FUNCTION test.small_for(p_min int, VARIADIC p_teams text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN -- p_teams: 'name:person,person,...'
	CREATE TEMP TABLE IF NOT EXISTS team_person (team_id int, person_id bigint);
	TRUNCATE team_person;
	TRUNCATE team;
	INSERT INTO team (name) SELECT split_part(t, ':', 1) FROM unnest(p_teams) t;
	INSERT INTO team_person SELECT team.id, who::bigint FROM unnest(p_teams) t JOIN team ON team.name = split_part(t, ':', 1),
		unnest(string_to_array(split_part(t, ':', 2), ',')) who;
	RETURN (SELECT string_agg(name, ' ' ORDER BY name) FROM team WHERE id = ANY (small_teams(p_min)));
END $$;
BEGIN;
SELECT is(test.small_for(5, 'a:1,2,3,4,5', 'b:6,7,8,9,10'), NULL, 'teams of five are not small');
SELECT is(test.small_for(5, 'a:1,2,3,4,5', 'b:6,7,8', 'c:9,10'), 'b c', 'together five: no other team joins');
SELECT is(test.small_for(5, 'a:1,2,3,4,5,6', 'b:6,7,8', 'c:9', 'd:11,12,13,14,15,16,17'), 'a b c', 'together four: the next larger joins');
SELECT is(test.small_for(5, 'a:1,2,3,4,5,6', 'b:6,7,8', 'c:6,7', 'd:11,12,13,14,15,16,17'), 'a b c', 'one person in two teams is one');
SELECT is(test.small_for(5, 'a:1,2', 'b:3'), 'a b', 'all are small when all together are');
SELECT is(test.small_for(0, 'a:1,2', 'b:3'), NULL, 'privacy.min_group = 0 hides nothing');
ROLLBACK;
SELECT test.value_as('tokentally_ingest', format('SELECT tokentally.ingest_app_people(ARRAY(SELECT %s FROM generate_series(1, 4)), %L, %L)',
	(SELECT id FROM app WHERE name = 'chat'), (SELECT array_agg(id) FROM (SELECT id FROM person WHERE kind = 'person' ORDER BY id LIMIT 4) p),
	array_fill('2026-11-20'::date - '1970-01-01'::date, ARRAY[4])));
SELECT refresh_small_groups('2026-11-21Z', true) AS done \gset
SELECT is(test.value_as('tokentally_reader', 'SELECT DISTINCT app FROM tokentally.usage_by_minute'), '(other)', 'an app of four people is (other)');
SELECT is(test.value_as('tokentally_people', 'SELECT DISTINCT app FROM tokentally.usage_by_minute'), 'chat', '... but not for the people role');
INSERT INTO app_person SELECT app.id, person.id, '2026-11-01' FROM app, person WHERE person.user_key = 'wes' AND app.name = 'chat' ON CONFLICT DO NOTHING;
SELECT refresh_small_groups('2026-11-21Z', true) AS done \gset
SELECT is(test.value_as('tokentally_reader', 'SELECT DISTINCT app FROM tokentally.usage_by_minute'), 'chat', 'one of five is named');
SELECT refresh_small_groups('2026-12-02Z', true) AS done \gset
SELECT is(test.value_as('tokentally_reader', 'SELECT DISTINCT app FROM tokentally.usage_by_minute'), '(other)', '... as long as the fifth has used it in 30 days');
SELECT is(test.value_as('tokentally_ingest', 'SELECT tokentally.refresh_small_groups()'), 'false', 'counting again waits');
-- The profile "no titles, nobody named": titles.enabled = false, privacy.names = hidden.
SELECT record_privacy('hidden', 5);
UPDATE person SET names = NULL WHERE kind = 'person';
SELECT show_people(NULL);
SELECT is((SELECT string_agg(DISTINCT q, ' ') FROM test.query_as('tokentally_reader', format('SELECT user_key FROM tokentally.%I', v)) q),
	'("(hidden)")', 'privacy.names = hidden: nobody is told from anybody in ' || v)
FROM unnest(ARRAY['usage_by_hour', 'usage_by_day', 'usage_by_session']) v;
SELECT * FROM finish();
