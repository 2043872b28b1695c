-- SPDX-License-Identifier: Apache-2.0
--
-- Least privilege: what each role may do with every table, view and function of the schema, new ones too.
SELECT no_plan();

CREATE FUNCTION test.relations_with(p_role text, p_privileges text,
	VARIADIC p_kinds "char"[]) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(relname, ' ' ORDER BY relname COLLATE "C"), '') FROM pg_class
	WHERE relnamespace = 'tokentally'::regnamespace AND relkind = ANY (p_kinds)
	AND (has_table_privilege(p_role, oid, p_privileges) OR has_any_column_privilege(p_role, oid,
	'SELECT, INSERT, UPDATE'))
$$;
CREATE FUNCTION test.functions_of(p_role text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT proname::text FROM pg_proc
	WHERE pronamespace = 'tokentally'::regnamespace AND has_function_privilege(p_role, oid, 'EXECUTE')
$$;
CREATE FUNCTION test.definer(p_function text) RETURNS boolean LANGUAGE sql AS $$
	SELECT prosecdef FROM pg_proc WHERE pronamespace = 'tokentally'::regnamespace AND proname = p_function
$$;
CREATE ROLE test_nobody;
SELECT is(test.relations_with(r, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER', 'r', 'p', 'S',
	'm', 'f'), '',
	r || ' reaches no table and no sequence')
FROM unnest(ARRAY['tokentally_ingest', 'tokentally_reader', 'tokentally_people', 'test_nobody']) r;
SELECT unalike(test.relations_with('tokentally_admin', 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE', 'r', 'p', 'S'),
	'%' || t || '%', 'tokentally_admin does not reach ' || t)
FROM unnest(ARRAY['usage_', 'session_slot', 'latency_', 'person', 'kafka_offset', 'dead_letter_row', 'dedupe_',
	'setting']) t;
SELECT is((SELECT count(*) FROM pg_class c WHERE relnamespace = 'tokentally'::regnamespace AND relkind = 'v'
		AND has_table_privilege(r, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')), 0::bigint,
		r || ' writes through no view')
FROM unnest(ARRAY['tokentally_ingest', 'tokentally_reader', 'tokentally_people', 'tokentally_admin',
	'test_nobody']) r;
SELECT is(test.relations_with('test_nobody', 'SELECT', 'v'), '', 'without a role no view is readable');
SELECT is(has_schema_privilege('test_nobody', 'tokentally', 'USAGE'), false, '... and the schema is closed');
SELECT is((SELECT count(*) FROM test.functions_of('test_nobody')), 0::bigint, '... and no function can be called');

SELECT ok(has_table_privilege('tokentally_reader', 'tokentally.' || v, 'SELECT'), 'reader sees ' || v)
FROM unnest(ARRAY['usage_by_minute', 'usage_by_team_hour', 'usage_by_hour', 'usage_by_day', 'usage_by_session',
	'latency_by_minute', 'latency_by_hour', 'ingest_progress', 'usage_shadowed']) v;
SELECT ok(NOT has_table_privilege('tokentally_reader', 'tokentally.' || v, 'SELECT'), 'reader does not see ' || v)
FROM unnest(ARRAY['dead_letter', 'shown_team', 'shown_app', 'person_team']) v;
SELECT ok(has_table_privilege(r, 'tokentally.dead_letter', 'SELECT'), r || ' sees dead letters')
FROM unnest(ARRAY['tokentally_people', 'tokentally_admin']) r;
SELECT unalike(test.relations_with('tokentally_ingest', 'SELECT', 'v'), '%' || v || '%',
	'the daemon does not see ' || v)
FROM unnest(ARRAY['usage_', 'latency_', 'dead_letter', 'shown_']) v;

-- Exactly these, so that a new view or function is everyone's decision. Who sees more is a list of its own.
CREATE TABLE test.granted (role text, views text, functions text);
INSERT INTO test.granted VALUES
	('tokentally_reader', 'ingest_progress latency_by_hour latency_by_minute leaderboard leaderboard_list leaderboard_titles title_award '
		'title_history title_holder title_run title_run_note usage_by_day usage_by_hour usage_by_minute usage_by_session usage_by_team_hour usage_shadowed',
		'capped explain_my_titles my_choice my_place my_usage percentile_ms require_whole_hours title_holder_at usage_by_day_in'),
	('tokentally_people', 'ingest_progress latency_by_hour latency_by_minute leaderboard leaderboard_list leaderboard_titles title_award '
		'title_history title_holder title_run title_run_note usage_by_day usage_by_hour usage_by_minute usage_by_session usage_by_team_hour usage_shadowed '
		'dead_letter title_flag person_team',
		'capped explain_my_titles my_choice my_place my_usage percentile_ms require_whole_hours title_holder_at usage_by_day_in explain_titles'),
	('tokentally_admin', 'ingest_progress latency_by_hour latency_by_minute leaderboard leaderboard_list leaderboard_titles title_award '
		'title_history title_holder title_run title_run_note usage_by_day usage_by_hour usage_by_minute usage_by_session usage_by_team_hour usage_shadowed '
		'dead_letter title_flag audit_log open_weight_model source_name source_rule title_metric title_rule title_tier title_window',
		'capped explain_my_titles my_choice my_place my_usage percentile_ms require_whole_hours title_holder_at usage_by_day_in explain_titles '
		'accept_reset clear_flag erase_user export_user preview_titles recompute_titles refresh_small_groups set_alias set_login set_person '
		'titles_due import_people set_team'),
	('tokentally_ingest', 'ingest_progress leaderboard leaderboard_list leaderboard_titles title_history title_holder title_run title_run_note',
		'fold_days ingest_app_people ingest_claim ingest_commit ingest_dedupe_blocks ingest_dedupe_since ingest_drop_partitions '
		'ingest_ensure_partitions ingest_hello ingest_owners ingest_quarantine ingest_starts ingest_trim_dedupe intern_apps intern_models '
		'intern_people intern_teams ingest_rules ingest_roster ingest_sources preview_titles recompute_titles refresh_small_groups title_holder_at titles_due');
CREATE FUNCTION test.sorted(p_words text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(w, ' ' ORDER BY w COLLATE "C") FROM regexp_split_to_table(p_words, ' +') w
$$;
SELECT is(test.relations_with(role, 'SELECT', 'v', 'r', 'p', 'S', 'm', 'f'), test.sorted(views), role || ' reads these') FROM test.granted;
SELECT is((SELECT test.sorted(string_agg(f, ' ')) FROM test.functions_of(role) f), test.sorted(functions), role || ' calls these') FROM test.granted;
SELECT is((SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'tokentally'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
	AND (has_table_privilege(role, oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR has_any_column_privilege(role, oid, 'INSERT, UPDATE'))),
	CASE role WHEN 'tokentally_admin' THEN 'open_weight_model source_rule title_rule' END, role || ' writes only by functions, save for rules') FROM test.granted;
SELECT is(test.definer('usage_by_day_in'), false, 'usage_by_day_in reads as its caller');

SELECT is((SELECT string_agg(proname, ' ') FROM pg_proc WHERE prokind <> 'a' AND pronamespace = 'tokentally'::regnamespace
	AND (prosecdef OR prolang <> (SELECT oid FROM pg_language
	WHERE lanname = 'sql')) -- the planner inlines others
	AND NOT EXISTS (SELECT FROM unnest(proconfig) c
	WHERE c ~ '^search_path=tokentally, pg_catalog, pg_temp$')), NULL,
	'every function has its search_path pinned');
SELECT is((SELECT string_agg(proname, ' ') FROM pg_proc WHERE pronamespace = 'tokentally'::regnamespace
	AND (proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 0))), NULL,
	'no function is everyone''s');
SELECT is((SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'tokentally'::regnamespace
	AND relowner <> 'tokentally_owner'::regrole), NULL, 'everything belongs to tokentally_owner');
SELECT is((SELECT string_agg(proname, ' ') FROM pg_proc WHERE pronamespace = 'tokentally'::regnamespace
	AND proowner <> 'tokentally_owner'::regrole), NULL, 'functions too');
SELECT is((SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname ~ '^tokentally_'
	AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls)), NULL,
	'the roles are plain groups');

-- A function that owns its rights must not be led astray by objects of its caller.
CREATE TEMP TABLE kafka_offset (topic text);
SELECT lives_ok($$SELECT test.claim(test.owner(1), 0)$$, 'a temporary table does not stand in for ours');
SELECT is((SELECT count(*) FROM tokentally.kafka_offset), 1::bigint, '... the row is in the real one');

-- Each is tried as well, not only asked about.
SELECT throws_ok(format('SELECT test.value_as(%L, %L)', r, s), '42501', NULL, r || ': ' || s)
FROM (VALUES
	('tokentally_ingest', 'INSERT INTO tokentally.usage_hour DEFAULT VALUES'),
	('tokentally_ingest', 'UPDATE tokentally.kafka_offset SET next_offset = 0'),
	('tokentally_ingest', 'DELETE FROM tokentally.person'),
	('tokentally_ingest', 'TRUNCATE tokentally.usage_minute'),
	('tokentally_ingest', 'SELECT user_key FROM tokentally.person'),
	('tokentally_ingest', 'SELECT tokentally.accept_reset(''calls'', 0, 0, ''no'')'),
	('tokentally_ingest', 'DROP TABLE tokentally.usage_minute'),
	('tokentally_reader', 'SELECT count(*) FROM tokentally.person'),
	('tokentally_reader', 'SELECT count(*) FROM tokentally.usage_hour'),
	('tokentally_reader', 'SELECT count(*) FROM tokentally.dead_letter'),
	('tokentally_reader', 'SELECT tokentally.set_person(''ann'')'),
	('tokentally_people', 'SELECT tokentally.set_person(''ann'')'),
	('tokentally_people', 'SELECT count(*) FROM tokentally.person'),
	('tokentally_admin', 'UPDATE tokentally.person SET names = ''named'''),
	('tokentally_admin', 'SELECT tokentally.ingest_commit(NULL, 1, 1, now(), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)')
) AS t (r, s);
SELECT * FROM finish();
