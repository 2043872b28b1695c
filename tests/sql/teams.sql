-- SPDX-License-Identifier: Apache-2.0
--
-- Teams of people by time: what an import does to the table, what a daemon gets to see of it, and that a batch counted by
-- an older state is refused.
SELECT no_plan();
SELECT ingest_ensure_partitions('2026-11-01Z', '2026-11-30Z', '2026-11-01Z') AS made \gset

CREATE FUNCTION test.import(p_text text, p_dry_run boolean DEFAULT false) RETURNS text LANGUAGE sql SET role = tokentally_admin AS $$
	-- "user team time; ...", answered as "entry change old>new; ..."
	SELECT coalesce(string_agg(format('%s %s %s>%s', entry, change, old_team, new_team), '; ' ORDER BY entry), '') FROM tokentally.import_people(
		(SELECT array_agg(split_part(e, ' ', 1) ORDER BY n) FROM unnest(string_to_array(p_text, '; ')) WITH ORDINALITY AS t (e, n)),
		(SELECT array_agg(split_part(e, ' ', 2) ORDER BY n) FROM unnest(string_to_array(p_text, '; ')) WITH ORDINALITY AS t (e, n)),
		(SELECT array_agg(split_part(e, ' ', 3)::timestamptz ORDER BY n) FROM unnest(string_to_array(p_text, '; ')) WITH ORDINALITY AS t (e, n)),
		p_dry_run)
$$;
CREATE FUNCTION test.roster() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s %s', user_key, team, to_char(valid_from AT TIME ZONE 'UTC', 'MM-DD')), '; ' ORDER BY user_key COLLATE "C", valid_from)
	FROM person_team
$$;
CREATE FUNCTION test.generation() RETURNS bigint LANGUAGE sql AS $$ SELECT value::bigint FROM setting WHERE key = 'rules_generation' $$;

-- What an import does.
SELECT is(test.generation(), 0::bigint, 'nothing is looked up at first');
SELECT is(test.import('ann red 2026-11-01Z; bob red 2026-11-01Z', true), '1 new >red; 2 new >red', 'a dry run says what would be');
SELECT is((test.roster(), test.generation(), (SELECT count(*) FROM person))::text, '(,0,0)', '... and changes nothing');
SELECT is(test.import('ann red 2026-11-01Z; bob red 2026-11-01Z'), '1 new >red; 2 new >red', 'people not seen yet are listed');
SELECT isnt(test.generation(), 0::bigint, 'the generation is another one');
SELECT test.generation() AS before \gset
SELECT is(test.import('ann red 2026-11-10Z; bob red 2026-11-01Z'), '', 'the same list again changes nothing');
SELECT is((test.roster(), test.generation())::text, format('("ann red 11-01; bob red 11-01",%s)', :before), '... and the generation stays');
SELECT is(test.import('ann blue 2026-11-10Z; bob red 2026-11-10Z'), '1 move red>blue', 'another team is a move');
SELECT isnt(test.generation(), :before, '... and a new generation');
SELECT is(test.roster(), 'ann red 11-01; ann blue 11-10; bob red 11-01', '... that ends the period before');
SELECT is((SELECT valid_to FROM person_team WHERE user_key = 'ann' AND team = 'red'), '2026-11-10Z'::timestamptz, '... at its begin');
SELECT is(test.import('ann green 2026-11-10Z'), '1 correction blue>green', 'the same moment again is a correction');
SELECT is(test.import('ann red 2026-11-05Z'), '', 'what already held at that time is no change');
SELECT is(test.import('ann pink 2026-11-05Z'), '1 move red>pink', 'a move may be told late');
SELECT is(test.roster(), 'ann red 11-01; ann pink 11-05; ann green 11-10; bob red 11-01', '... and ends where the next one begins');
SELECT is(test.import('bob  2026-11-12Z'), '1 leave red>', 'an empty team is none');
SELECT is(test.import('bob  2026-11-13Z'), '', '... once');
SELECT is(test.import('carl red 2026-11-03Z; carl blue 2026-11-02Z; carl red 2026-11-04Z'), '1 move blue>red; 2 new >blue', 'several moves of one person in a list, by time');
SELECT is(test.import('dora red 2026-11-03Z; dora red 2026-11-03Z'), '1 new >red', 'a line twice is one');
SELECT throws_ok($$SELECT test.import('eve red 2026-11-03Z; fred red 2026-11-03Z; eve blue 2026-11-03Z')$$, '22023',
	'entry 1: "eve" has two teams from the same time', 'two teams from one moment are refused');
SELECT is(test.import('eve red 2026-11-03Z; fred red 2026-11-03Z; eve blue 2026-11-03Z', true), '1 conflict >red; 2 new >red; 3 conflict red>blue',
	'... and named in a dry run');
SELECT is((SELECT count(*) FROM person WHERE user_key IN ('eve', 'fred')), 0::bigint, '... as a whole');
SELECT throws_ok(format('SELECT * FROM import_people(ARRAY[''a'', %L], ARRAY[''t'', ''t''], ARRAY[now(), %s])', k, t), '22023', NULL, 'refused: ' || what)
FROM (VALUES ('', 'now()', 'an empty key'), (repeat('x', 257), 'now()', 'a key above 256 bytes'), ('b', 'NULL', 'no time'), ('b', '''infinity''', 'no end of time')) AS t (k, t, what);
SELECT throws_ok(format('SELECT * FROM set_team(''a'', %L)', repeat('x', 257)), '22023', NULL, 'refused: a team above 256 bytes');
SELECT throws_ok('SELECT * FROM set_team(''a'', NULL)', '22023', NULL, 'refused: no team, not even the empty one');
SELECT is((SELECT detail FROM audit_log WHERE action = 'import people' ORDER BY id DESC LIMIT 1), '2 entries: 1 new', 'the audit log counts, and names nobody');

-- Who may.
SELECT throws_ok(format('SELECT test.value_as(%L, ''SELECT count(*) FROM tokentally.import_people(ARRAY[''''z''''], ARRAY[''''t''''], ARRAY[now()])'')', r), '42501', NULL, r || ' may not import')
FROM unnest('{tokentally_ingest,tokentally_reader,tokentally_people}'::text[]) r;
SELECT throws_ok(format('SELECT test.value_as(%L, ''SELECT count(*) FROM tokentally.person_team'')', r), '42501', NULL, r || ' does not see who is in which team')
FROM unnest('{tokentally_ingest,tokentally_reader,tokentally_admin}'::text[]) r;
SELECT is(test.value_as('tokentally_people', 'SELECT count(*) FROM tokentally.person_team'), '8', 'the people role does');
SELECT is(test.value_as('tokentally_admin', 'SELECT change FROM tokentally.set_team(''gil'', ''red'', ''2026-11-02Z'')'), 'new', 'set_team is for one');

-- What a daemon gets.
CREATE FUNCTION test.pages(p_from timestamptz, p_rows int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_all text[] := '{}';
	v_page text[];
	v_after bigint := 0;
	v_pages int := 0;
BEGIN
	LOOP
		SELECT array_agg(format('%s %s %s', user_key, team, to_char(valid_from AT TIME ZONE 'UTC', 'MM-DD'))), max(person_id) INTO v_page, v_after
		FROM ingest_roster(test.generation(), p_from, v_after, p_rows);
		EXIT WHEN v_page IS NULL;
		v_all := v_all || v_page;
		v_pages := v_pages + 1;
	END LOOP;
	RETURN v_pages || ' pages: ' || (SELECT string_agg(x, '; ' ORDER BY x COLLATE "C") FROM unnest(v_all) x);
END $$;
SELECT test.value_as('tokentally_admin', 'SELECT tokentally.set_alias(''ann@corp'', ''ann'')') AS ok \gset
SELECT is(test.pages('-infinity', 2), '4 pages: ann green 11-10; ann pink 11-05; ann red 11-01; ann@corp green 11-10; ann@corp pink 11-05; '
	'ann@corp red 11-01; bob  11-12; bob red 11-01; carl blue 11-02; carl red 11-03; dora red 11-03; gil red 11-02', 'all moves under every key of a person, in pages');
SELECT is(test.pages('2026-11-10Z', 100), '1 pages: ann green 11-10; ann@corp green 11-10; bob  11-12; bob red 11-01; carl red 11-03; dora red 11-03; gil red 11-02',
	'... without what ended before the oldest event there may be');
SELECT lives_ok(format('SELECT test.value_as(''tokentally_ingest'', ''SELECT count(*) FROM tokentally.ingest_roster(%s, now(), 0, 5)'')', test.generation()), 'by the role of the daemon');
SELECT throws_ok(format('SELECT test.value_as(%L, ''SELECT count(*) FROM tokentally.ingest_roster(%s, now(), 0, 5)'')', r, test.generation()), '42501', NULL, r || ' may not')
FROM unnest('{tokentally_reader,tokentally_people,tokentally_admin}'::text[]) r;
SELECT throws_ok(format('SELECT * FROM ingest_roster(%s, now(), 0, 5)', test.generation() - 1), 'TT005', NULL, 'a page of another generation is refused');

-- Joining and parting.
SELECT test.generation() AS before \gset
SELECT test.value_as('tokentally_admin', 'SELECT tokentally.set_alias(''carl'', ''carla'')') AS ok \gset
SELECT isnt(test.generation(), :before, 'an alias is a new generation');
SELECT is((SELECT string_agg(team, ' ' ORDER BY valid_from) FROM person_team WHERE user_key = 'carla'), 'blue red', 'what an identity brings along is the person''s');
SELECT is(test.import('carl pink 2026-11-20Z'), '1 move red>pink', 'an import under the alias');
SELECT is((SELECT string_agg(team, ' ' ORDER BY valid_from) FROM person_team WHERE user_key = 'carla'), 'blue red pink', '... is the person''s');
SELECT throws_ok($$SELECT test.import('carl red 2026-11-25Z; carla blue 2026-11-25Z')$$, '22023', NULL, 'two identities, two teams: refused');
SELECT test.value_as('tokentally_admin', 'SELECT tokentally.set_alias(''dora'', ''ann'')') AS ok \gset
SELECT is((SELECT string_agg(DISTINCT user_key, ' ') FROM person_team WHERE user_key IN ('ann', 'dora')), 'ann', 'where the person has teams, those hold');
SELECT test.value_as('tokentally_admin', 'SELECT tokentally.set_alias(''dora'', NULL)') AS ok \gset

-- Erasing.
SELECT is((SELECT json_array_length(export_user('ann@corp') -> 'teams')), 3, 'an export has the teams');
SELECT test.generation() AS before \gset
SELECT is(test.value_as('tokentally_admin', 'SELECT identities FROM tokentally.erase_user(''ann@corp'')'), '2', 'a person who made no call yet can be erased');
SELECT is((SELECT count(*) FROM person_team_row t LEFT JOIN person p ON p.id = t.person_id WHERE p.id IS NULL OR p.user_key ~ 'ann'), 0::bigint, '... with the teams');
SELECT isnt(test.generation(), :before, '... which daemons forget');
SELECT is(test.import('ann red 2026-11-20Z; hal red 2026-11-20Z; ann@corp blue 2026-11-21Z'), '1 erased >red; 2 new >red; 3 erased >blue', 'an import does not bring them back');
SELECT is((SELECT count(*) FROM person WHERE user_key ~ 'ann'), 0::bigint, '... in no table');
SELECT is((SELECT count(*) FROM audit_log WHERE detail ~ 'ann|red'), 0::bigint, '... nor in the audit log');

-- Commits.
SELECT test.claim(test.owner(1), 0) AS ok \gset
SELECT test.fingerprint() AS before \gset
CREATE FUNCTION test.commit_with(p_seq bigint, p_from bigint, p_to bigint, p_rules bigint) RETURNS text LANGUAGE sql SET role = tokentally_ingest AS $$
	SELECT tokentally.ingest_commit(test.owner(1), p_seq, 2, '2026-11-01Z', ARRAY[ROW('calls', 0, p_from, p_to, p_to - 1, 0, 0, p_to, NULL, 0, 0, 0, 0)::tokentally.progress_delta],
		'{}', '{}', '{}', '{}', '{}', '{}', '{}', p_rules_generation => p_rules)
$$;
SELECT throws_ok('SELECT test.commit_with(1, 0, 5, 12345)', 'TT005', NULL, 'a batch that was counted by other teams is refused');
SELECT is(test.fingerprint(), :'before', '... without a trace');
SELECT is(test.commit_with(1, 0, 5, test.generation()), 'committed', 'one by these is not');
SELECT test.generation() AS before \gset
SELECT count(*) FROM set_team('ida', 'red') \gset
SELECT is(test.commit_with(1, 0, 5, :before), 'already committed', 'what was committed stays so, whatever changed since');
SELECT throws_ok(format('SELECT test.commit_with(2, 5, 6, %s)', :before), 'TT005', NULL, 'the next batch is refused');
SELECT * FROM finish();
