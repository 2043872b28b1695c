-- SPDX-License-Identifier: Apache-2.0
--
-- Everything that a role can reach, tried one by one from the catalog, so that a new table, view, column or function is
-- tried as well: the daemon's login changes and reads no table; no function, error, plan or statistic shows anybody.
SELECT no_plan();
SELECT ingest_ensure_partitions('2026-11-19Z', '2026-11-21Z', '2026-11-19Z') > 7 AS made \gset
SELECT ingest_hello(1, 'k1', 'pseudonym', 5);
SELECT test.claim(test.owner(1), 0);
-- 300 people called zoe-..., every third hidden, in one large team and 40 small ones, with sessions and apps.
SELECT is(test.commit(test.owner(1), 1, 0, 20, (SELECT array_agg(test.event('2026-11-20 10:00Z'::timestamptz + n * interval '1 second', 'zoe-' || md5(n::text),
	CASE WHEN n % 3 = 0 THEN 'tiny-' || n % 40 ELSE 'big' END, p_session => 'zession-' || n, p_input => 1000 + n)) FROM generate_series(1, 300) n),
	p_dead => ARRAY[ROW('calls', 0, 1, 0, '2026-11-20Z', 'bad_type', 'field of zoe-dead', 'zoe-dead'::bytea, 1)::dead_letter_delta]), 'committed', 'a company makes calls');
UPDATE person SET names = 'hidden' WHERE id % 3 = 0;
SELECT show_people(NULL), set_alias((SELECT user_key FROM person WHERE id = 5), (SELECT user_key FROM person WHERE id = 7)),
	intern_apps('{tinyapp-x}') IS NOT NULL, erase_user((SELECT user_key FROM person WHERE id = 9)) IS NOT NULL;
SELECT recompute_titles('2026-11-20 12:00Z') IS NOT NULL AS ran, refresh_small_groups('2026-11-21Z', true) AS counted \gset
INSERT INTO title_flag_row (person_id, rule, day, evidence, opened_at) VALUES (7, 'sudden day', '2026-11-20', 'zoe-evidence', now());
SELECT set_team((SELECT user_key FROM person WHERE id = 11), 'tiny-roster', '2026-11-01Z');
INSERT INTO source_rule (provider, team, source, note) VALUES ('acme', 'ruled', 'kong', 'zoe-note');
INSERT INTO usage_shadow_hour (bucket, team_id, model_id, source, calls) SELECT '2026-11-20 10:00Z', t.id, m.id, 'kong', 1 FROM team t, model m;
CREATE ROLE attempts_reader LOGIN IN ROLE tokentally_reader;
CREATE ROLE attempts_daemon LOGIN IN ROLE tokentally_ingest;
ANALYZE;
-- What would give someone away, in any text. A pseudonym does for whoever is hidden.
CREATE FUNCTION test.tells(p_text text) RETURNS boolean LANGUAGE sql AS $$
	SELECT coalesce(p_text ~ '(zoe-(?![0-9a-f]{32}-pseudonym)|zession-|tiny-|tinyapp)' OR p_text ~ (SELECT string_agg(pseudonym, '|') FROM person WHERE shown_key = '(hidden)' AND pseudonym <> ''), false)
$$;
SELECT ok(test.tells(user_key) AND test.tells(pseudonym), 'the search would find them') FROM person WHERE id = 6;
-- Runs a statement as a role: all rows, or all of the error.
CREATE FUNCTION test.outcome(p_role text, p_sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_answer text;
	v_detail text;
	v_hint text;
	v_context text;
BEGIN
	v_answer := (SELECT string_agg(q, E'\n') FROM test.query_as(p_role, p_sql) q);
	RETURN 'answer ' || coalesce(v_answer, '');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT, v_context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(E'\n', 'error ' || SQLSTATE, SQLERRM, v_detail, v_hint, replace(v_context, p_sql, ''));
END $$;

-- 1: the daemon's login and a reader's at every table and sequence.
CREATE FUNCTION test.allowed(p_role text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	v_table text;
	v_verb text;
	v_code text;
BEGIN
	FOR v_table, v_verb IN SELECT c.relname, v FROM pg_class c, unnest(CASE c.relkind WHEN 'S' THEN ARRAY['SELECT * FROM %s', 'SELECT nextval(''%s'')',
			'SELECT setval(''%s'', 1)'] ELSE ARRAY['DELETE FROM %s', 'TRUNCATE %s', 'UPDATE %s SET %s = NULL', 'INSERT INTO %s DEFAULT VALUES', 'SELECT * FROM %s',
			'SELECT count(*) FROM %s', 'COPY %s TO STDOUT', 'DROP TABLE %s', 'ALTER TABLE %s ADD COLUMN spy text', 'LOCK TABLE %s',
			'CREATE TRIGGER spy BEFORE INSERT ON %s EXECUTE FUNCTION suppress_redundant_updates_trigger()', 'COMMENT ON TABLE %s IS ''spy''',
			'CREATE TEMP TABLE spy (LIKE %s INCLUDING ALL); INSERT INTO spy SELECT * FROM %1$s', 'CREATE INDEX ON %s (%s)', 'GRANT SELECT ON %s TO PUBLIC'] END) v
			WHERE c.relnamespace = 'tokentally'::regnamespace AND c.relkind IN ('r', 'p', 'S') LOOP
		BEGIN
			EXECUTE format('SET LOCAL ROLE %I', p_role);
			EXECUTE format(v_verb, 'tokentally.' || v_table, (SELECT attname FROM pg_attribute WHERE attrelid = ('tokentally.' || v_table)::regclass AND attnum > 0
				AND attidentity = '' AND attgenerated = '' ORDER BY attnum LIMIT 1));
			v_code := 'done';
		EXCEPTION WHEN OTHERS THEN
			v_code := SQLSTATE;
		END;
		RESET ROLE;
		IF v_code NOT IN ('42501', '0A000') THEN -- the latter is COPY TO STDOUT within a function
			RETURN NEXT format('%s: %s %s', v_code, v_verb, v_table);
		END IF;
	END LOOP;
END $$;
SELECT is_empty(format('SELECT * FROM test.allowed(%L)', r), '1: ' || r || ' does nothing to any table') FROM unnest('{tokentally_ingest,tokentally_reader,tokentally_people}'::text[]) r;
SELECT alike(test.outcome('tokentally_owner', 'SELECT count(*) FROM tokentally.person'), 'answer%', '1: ... and the owner does');

-- 2: every function that a role may call, with plausible values: of somebody's name, of nothing, of far too much.
CREATE FUNCTION test.calls_of(p_role text, p_who text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('SELECT f.* FROM tokentally.%I(%s) f', p.proname, (SELECT string_agg(CASE
		WHEN t = 'text' THEN quote_literal(p_who) WHEN t = 'text[]' THEN quote_literal(ARRAY[p_who]) WHEN t = 'name' THEN '''attempts_daemon'''
		WHEN t LIKE 'timestamp%' THEN '''2026-11-20 12:00Z''' WHEN t = 'interval' THEN '''1 h''' WHEN t IN ('bigint', 'integer', 'double precision') THEN '1'
		WHEN t IN ('bigint[]', 'integer[]') THEN '''{1}''' WHEN t = 'boolean' THEN 'true' WHEN t = 'date' THEN '''2026-11-20''' WHEN t = 'uuid' THEN quote_literal(test.owner(1))
		ELSE '''{}''' END || '::' || t, ', ' ORDER BY n) FROM unnest(p.proargtypes) WITH ORDINALITY a (oid, n), format_type(a.oid, NULL) t))
	FROM pg_proc p WHERE pronamespace = 'tokentally'::regnamespace AND has_function_privilege(p_role, p.oid, 'EXECUTE')
$$;
SELECT ok((SELECT count(*) FROM test.calls_of(r, 'x')) > 7, '2: there is something to call as ' || r) FROM unnest('{tokentally_ingest,tokentally_reader}'::text[]) r;
SELECT is_empty(format($$SELECT c, o FROM test.calls_of(%1$L, %2$L) c, LATERAL (SELECT replace(test.outcome(%1$L, c), %2$L, '') o) x WHERE test.tells(o)$$, r, who),
	'2: no function tells ' || r || ' anybody, asked for ' || left(who, 12))
FROM unnest('{tokentally_ingest,tokentally_reader}'::text[]) r, unnest(ARRAY[(SELECT user_key FROM person WHERE id = 6), 'nobody', '', repeat('x', 300),
	'UTC'' UNION SELECT user_key FROM tokentally.person --', '(hidden)', '%']) who;
SELECT ok(test.tells(test.outcome('tokentally_ingest', format('SELECT * FROM tokentally.ingest_roster(%s, ''-infinity'', 0, 10)',
	(SELECT value FROM setting WHERE key = 'rules_generation')))), '2: ... but the roster: who is in a team by it is told to the daemon, which keeps hashes');
SELECT is(test.sums(), '300 300 300 300 300', '2: ... and nothing was lost by that');
SELECT alike(test.outcome('tokentally_people', 'SELECT * FROM tokentally.usage_by_day_in(''UTC'', ''2026-11-20Z'', ''2026-11-21Z'')'), '%zoe-%', '2: ... while who may see names does');
DELETE FROM model WHERE name LIKE 'zoe-%'; -- the daemon's login made that

-- 3: every column of every view that a reader sees. A cheap function of one's own in WHERE, HAVING and ORDER BY; casts that fail
-- with the value; conditions that fail only for one value.
CREATE TABLE test.spied (place text, text text);
GRANT INSERT ON test.spied TO PUBLIC;
CREATE FUNCTION test.spy(p_place text, p_value anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	INSERT INTO test.spied VALUES (p_place, p_value::text);
	RAISE DEBUG 'spied %', p_value;
	RETURN true;
END $$;
CREATE VIEW test.place AS
SELECT c.relname, a.attname, format_type(a.atttypid, NULL) AS type FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'tokentally'::regnamespace AND c.relkind = 'v' AND has_table_privilege('tokentally_reader', c.oid, 'SELECT');
SELECT ok(count(*) > 150, '3: a reader sees many columns: ' || count(*)) FROM test.place;
SELECT is_empty($$SELECT p, o FROM test.place p, LATERAL (SELECT test.outcome('tokentally_reader', format(
	'SELECT count(*) FROM tokentally.%1$I WHERE test.spy(''%1$s.%2$s'', %2$I)', relname, attname)) o) x WHERE o !~ '^answer'$$, '3: a cheap function looks at each of them in WHERE');
SELECT is_empty($$SELECT p, o FROM test.place p, LATERAL (SELECT test.outcome('tokentally_reader', format(
	'SELECT max(%2$I::text) FROM tokentally.%1$I GROUP BY %2$I HAVING test.spy(''%1$s.%2$s'', %2$I) ORDER BY test.spy(''%1$s.%2$s'', %2$I)', relname, attname)) o) x WHERE o !~ '^answer'$$, '3: ... in HAVING and ORDER BY');
SELECT is_empty('SELECT DISTINCT place, text FROM test.spied WHERE test.tells(text)', '3: ... and is shown nobody');
SELECT ok((SELECT count(DISTINCT place) FROM test.spied) > 100, '3: ... though it was shown most of the places');
SELECT is_empty(format($$SELECT p, o FROM test.place p, LATERAL (SELECT test.outcome('tokentally_reader', format(%L, relname, attname)) o) x WHERE test.tells(o)$$, q), '3: no value of anybody in what comes of ' || q)
FROM unnest(ARRAY['SELECT %2$I::text::int FROM tokentally.%1$I', 'SELECT count(*) FROM tokentally.%1$I WHERE %2$I::text::int = 1', 'SELECT (%2$I::text)::regclass FROM tokentally.%1$I',
	'SELECT * FROM tokentally.%1$I WHERE %2$I::text::json IS NOT NULL', 'SELECT xmlparse(document %2$I::text) FROM tokentally.%1$I', 'SELECT min(%2$I::text), max(%2$I::text) FROM tokentally.%1$I',
	'SELECT query_to_xml(''SELECT %2$I FROM tokentally.%1$I'', true, true, '''')', 'SELECT to_jsonb(v) FROM tokentally.%1$I v', 'SELECT DISTINCT ON (%2$I) v FROM tokentally.%1$I v ORDER BY %2$I DESC',
	'SELECT ctid, tableoid, %2$I FROM tokentally.%1$I', 'SELECT %2$I FROM tokentally.%1$I TABLESAMPLE SYSTEM (100)', 'SELECT %2$I FROM tokentally.%1$I FOR UPDATE',
	'SELECT string_agg(DISTINCT %2$I::text, '','') OVER () FROM tokentally.%1$I']) q;
SELECT is_empty($$SELECT p, who FROM test.place p, unnest(ARRAY[(SELECT user_key FROM person WHERE id = 6), (SELECT pseudonym FROM person WHERE id = 6), 'zession-6', 'tiny-6']) who,
	LATERAL (SELECT test.outcome('tokentally_reader', format('SELECT 1 / (CASE WHEN %2$I::text = %3$L THEN 0 ELSE 1 END) FROM tokentally.%1$I', relname, attname, who)) o) x
	WHERE o ~ '^error'$$, '3: no condition fails for a value of somebody hidden, or of a small team');

-- 4: plans and statistics. Estimates are made for the arm that is not the reader's, too.
CREATE FUNCTION test.explained(p_sql text, p_value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_line text;
	v_all text := '';
BEGIN
	SET LOCAL ROLE tokentally_reader;
	FOR v_line IN EXECUTE 'EXPLAIN (VERBOSE) ' || format(p_sql, p_value) LOOP
		v_all := v_all || replace(v_line, quote_literal(p_value), '?') || E'\n';
	END LOOP;
	RESET ROLE;
	RETURN v_all;
END $$;
-- All that readers see of these columns sorts before "t": any difference between two values from "t" on is of what they do not see.
SELECT is((SELECT string_agg(format('%s.%s %s', p.relname, p.attname, op), ' ') FROM test.place p, unnest('{<,<=,>,>=,=,<>}'::text[]) op
	WHERE p.attname IN ('user_key', 'display_name', 'session_key', 'team', 'app')
	AND (SELECT count(DISTINCT test.explained(format('SELECT * FROM tokentally.%I WHERE %I %s %%L', p.relname, p.attname, op), v))
		FROM unnest(ARRAY['tiny-', 'tiny-6', 'zession-6', 'zession-99', 'zoe-', 'zoe-8', (SELECT user_key FROM person WHERE id = 6), (SELECT user_key FROM person WHERE id = 7), 'zzzz']) v) > 1),
	NULL, '4: EXPLAIN estimates the same for any name that a reader does not see');
-- Statistics are samples of values. Which columns of text may have some is said here.
SELECT is((SELECT string_agg(DISTINCT format('%s.%s', regexp_replace(c.relname, '_p\d+$', ''), a.attname), ' ') FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
	JOIN pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum
	WHERE c.relnamespace = 'tokentally'::regnamespace AND c.relkind IN ('r', 'p') AND a.atttypid::regtype::text IN ('text', 'bytea', 'jsonb', 'json', 'name', 'text[]', 'character varying')
	AND format('%s.%s', regexp_replace(c.relname, '_p\d+$', ''), a.attname) <> ALL (ARRAY['audit_log.action', 'audit_log.by_login', 'column_meaning.meaning', 'dead_letter_row.field',
		'dead_letter_row.reason', 'dead_letter_row.topic', 'dedupe_block.ids', 'dedupe_block.topic', 'kafka_offset.state', 'kafka_offset.topic', 'leaderboard_row.board', 'leaderboard_row.window_name',
		'model.canonical', 'model.name', 'model.provider', 'offset_change.changed_by', 'offset_change.reason', 'offset_change.topic', 'open_weight_model.note', 'open_weight_model.pattern', 'partition_spec.column_name',
		'partition_spec.retention_key', 'partition_spec.step', 'partition_spec.table_name', 'person.kind', 'person.names', 'person.shown_key', 'price_class.prompt_size', 'price_class.service_tier',
		'schema_migration.applied_by', 'schema_migration.name', 'setting.key', 'source_name.name', 'source_rule.provider', 'source_rule.source', 'usage_shadow_hour.source', 'team.shown_name', 'app.shown_name'])
	AND c.relname !~ '^title_'), NULL, '4: no statistics of names; a new column of text is listed here, or has STATISTICS 0');
SELECT is((SELECT count(*) FROM test.query_as('tokentally_reader', 'SELECT * FROM pg_stats WHERE schemaname = ''tokentally''') q WHERE test.tells(q)), 0::bigint, '4: pg_stats shows nobody');
SELECT is_empty(format($$SELECT o FROM test.outcome('attempts_reader', %L) o WHERE test.tells(o)$$, q), '4: nobody in ' || q)
FROM unnest(ARRAY['SELECT * FROM pg_stats_ext', 'SELECT * FROM pg_stat_activity', 'SELECT * FROM pg_prepared_statements', 'SELECT * FROM pg_cursors', 'SELECT * FROM pg_stat_user_tables',
	'SELECT * FROM pg_locks', 'SELECT * FROM pg_statistic', 'SELECT * FROM pg_sequences', 'SELECT pg_get_viewdef(oid) FROM pg_class WHERE relkind = ''v'' AND relnamespace = ''tokentally''::regnamespace',
	'SELECT prosrc FROM pg_proc WHERE pronamespace = ''tokentally''::regnamespace', 'SELECT * FROM pg_constraint', 'SELECT pg_get_expr(relpartbound, oid) FROM pg_class',
	'SELECT * FROM pg_attrdef', 'SELECT * FROM pg_description', 'SELECT * FROM pg_settings', 'SELECT * FROM pg_file_settings', 'SELECT * FROM information_schema.column_privileges']) q;

-- 5: becoming somebody else. Over a login of a reader's own.
CREATE SCHEMA spy AUTHORIZATION attempts_reader;
SELECT dblink_connect('spy', format('host=%s port=%s user=attempts_reader dbname=%s', split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database()));
SELECT throws_ok(format('SELECT dblink_exec(''spy'', %L)', format('DO $do$ BEGIN EXECUTE %L; END $do$', s)), '42501', NULL, '5: a reader cannot ' || s)
FROM unnest(ARRAY['SET ROLE tokentally_people', 'SET ROLE tokentally_owner', 'SET SESSION AUTHORIZATION postgres', 'GRANT tokentally_people TO attempts_reader', 'ALTER ROLE attempts_reader SUPERUSER',
	'CREATE TABLE tokentally.spy (a int)', 'CREATE FUNCTION tokentally.pg_has_role(name, name, text) RETURNS boolean LANGUAGE sql AS ''SELECT true''',
	'CREATE OR REPLACE VIEW tokentally.usage_by_hour AS SELECT 1', 'ALTER VIEW tokentally.usage_by_hour SET (security_barrier = false)', 'ALTER FUNCTION tokentally.my_usage() SECURITY INVOKER',
	'DROP VIEW tokentally.usage_by_hour CASCADE', 'SET session_replication_role = replica', 'LOCK TABLE tokentally.usage_by_hour', 'CREATE PUBLICATION spy FOR TABLE tokentally.person',
	'SELECT pg_read_file(''postgresql.conf'')', 'SELECT lo_import(''/etc/passwd'')', 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ''postgres'' AND pid <> pg_backend_pid()']) s;
-- A function of the same name in a schema of one's own is not the view's.
SELECT dblink_exec('spy', $$CREATE FUNCTION spy.pg_has_role(name, name, text) RETURNS boolean LANGUAGE sql AS 'SELECT true'$$),
	dblink_exec('spy', $$CREATE FUNCTION spy.pg_has_role(name, text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true'$$),
	dblink_exec('spy', 'SET search_path = spy, pg_catalog');
SELECT is((SELECT n FROM dblink('spy', 'SELECT count(*) FROM tokentally.usage_by_hour WHERE user_key ~ ''^zoe''') AS t (n bigint)), 0::bigint, '5: pg_has_role is not led astray');
SELECT dblink_exec('spy', 'CREATE TEMP TABLE person (id bigint, user_key text); CREATE TEMP TABLE setting (key text, value text); SET search_path = pg_temp, spy');
SELECT is((SELECT n FROM dblink('spy', 'SELECT count(*) FROM tokentally.usage_by_day_in(''UTC'', ''2026-11-01Z'', ''2026-11-30Z'') WHERE user_key ~ ''^zoe''') AS t (n bigint)), 0::bigint, '5: nor are the tables');
-- A leaky operator, and one with an estimator that looks at statistics.
SELECT dblink_exec('spy', $$CREATE FUNCTION spy.below(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 0.0001 AS 'BEGIN IF $1 LIKE ''zoe%'' THEN RAISE EXCEPTION ''%'', $1; END IF; RETURN true; END'$$),
	dblink_exec('spy', 'CREATE OPERATOR spy.<<< (FUNCTION = spy.below, LEFTARG = text, RIGHTARG = text, RESTRICT = scalarltsel)');
SELECT lives_ok($$SELECT n FROM dblink('spy', 'SELECT count(*) FROM tokentally.usage_by_hour WHERE user_key OPERATOR(spy.<<<) ''zzz''') AS t (n bigint)$$, '5: an operator of one''s own is shown nobody');
SELECT is((SELECT count(DISTINCT plan) FROM unnest('{zoe-1,zoe-8,zoe-f}'::text[]) v, LATERAL (SELECT string_agg(replace(line, quote_literal(v), '?'), ' ') AS plan
	FROM dblink('spy', format('EXPLAIN SELECT * FROM tokentally.usage_by_hour WHERE user_key OPERATOR(spy.<<<) %L', v)) AS t (line text)) e), 1::bigint, '5: ... nor does its estimator tell');
SELECT * FROM finish();
