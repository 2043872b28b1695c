-- SPDX-License-Identifier: Apache-2.0
--
-- The audit log: one row for each thing done, with who did it, and none for what failed; administrators alone read it,
-- nobody changes it, and it names nobody.
SELECT no_plan();
SELECT ingest_ensure_partitions('2026-11-01Z', '2026-11-30Z', '2026-11-01Z') > 20 AS made \gset
SELECT test.claim(test.owner(1), 0);
CREATE ROLE audit_daemon LOGIN IN ROLE tokentally_ingest;
CREATE ROLE audit_admin LOGIN IN ROLE tokentally_admin;
SELECT test.open('daemon'), test.open('admin');
SELECT dblink_exec('daemon', 'SET SESSION AUTHORIZATION audit_daemon; SET search_path = tokentally'),
	dblink_exec('admin', 'SET SESSION AUTHORIZATION audit_admin; SET search_path = tokentally; SET ROLE tokentally_admin');
-- What a statement of that login adds to the log.
CREATE FUNCTION test.logged(p_login text, p_sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_before bigint := (SELECT coalesce(max(id), 0) FROM audit_log);
BEGIN
	PERFORM dblink_exec(p_login, format('DO $do$ BEGIN %s; END $do$', p_sql), false);
	RETURN (SELECT string_agg(by_login || ': ' || action || ': ' || detail, '; ' ORDER BY id) FROM audit_log WHERE id > v_before);
END $$;
SELECT test.commit(test.owner(1), 1, 0, 1, test.events(3, 500, '2026-11-01Z', '25 days'));
SELECT id AS seven FROM person WHERE user_key = 'user7' \gset
SELECT id AS eight FROM person WHERE user_key = 'user8' \gset
INSERT INTO title_flag_row (person_id, rule, day, evidence, opened_at) VALUES (:seven, 'sudden day', '2026-11-20', 'evidence', now());

SELECT is(test.logged('daemon', $$PERFORM ingest_hello(1, 'k1', 'pseudonym', 5)$$),
	'audit_daemon: first key: the first privacy key of this database; audit_daemon: privacy: privacy.min_group is 5', 'the first key, and limits');
SELECT is(test.logged('daemon', $$PERFORM ingest_hello(1, 'k1', 'pseudonym', 5)$$), NULL, 'the same again is nothing');
SELECT is(test.logged('daemon', $$PERFORM ingest_hello(1, 'k1', 'named', 6)$$),
	'audit_daemon: privacy: privacy.min_group is 6; audit_daemon: privacy: privacy.names is named', 'what a reload changes about who is seen');
SELECT is(test.logged('daemon', $$PERFORM ingest_hello(1, 'k1', 'pseudonym', 6)$$), 'audit_daemon: privacy: privacy.names is pseudonym', '... and back');
SELECT is(test.logged('daemon', $$PERFORM ingest_hello(1, 'k2', 'hidden', 9)$$), NULL, 'a daemon that is refused changes nothing');
SELECT is(test.logged('admin', $$PERFORM set_person('user7', names => 'named')$$), format('audit_admin: set person: person %s: names named', :seven), 'set_person');
SELECT is(test.logged('admin', $$PERFORM set_person('user7', 'person', false, 'hidden')$$),
	format('audit_admin: set person: person %s: kind person titles false names hidden', :seven), '... says all that was set');
SELECT is(test.logged('admin', $$PERFORM set_person('user7')$$), NULL, '... and nothing for nothing');
SELECT is(test.logged('admin', $$PERFORM set_person('user7', names => 'nonsense')$$), NULL, '... or for what failed');
SELECT is(test.logged('admin', $$PERFORM set_alias('user8', 'user7')$$), format('audit_admin: set alias: identity %s belongs to person %s', :eight, :seven), 'set_alias');
SELECT is(test.logged('admin', $$PERFORM set_login('audit_daemon', 'user7')$$), format('audit_admin: set login: person %s has a login', :seven), 'set_login');
SELECT is(test.logged('admin', $$PERFORM clear_flag('user7', 'sudden day', '2026-11-20', 'a build')$$), 'audit_admin: clear flag: sudden day of 2026-11-20: a build', 'clear_flag');
SELECT is(test.logged('admin', $$PERFORM clear_flag('user7', 'sudden day', '2026-11-20', 'a build')$$), NULL, '... once');
SELECT is(test.logged('admin', $$PERFORM export_user('user8')$$), format('audit_admin: export: person %s', :seven), 'export_user');
SELECT is(test.logged('admin', $$UPDATE title_rule SET enabled = false WHERE name = 'Token Legend'$$) LIKE 'audit_admin: update rule: {%"name": "Token Legend"%"enabled": false%', true, 'a rule is changed');
SELECT is(test.logged('admin', $$UPDATE title_rule SET enabled = false WHERE name = 'Token Legend'$$), NULL, '... not, when it stays the same');
SELECT is(test.logged('admin', $$INSERT INTO title_rule (name, description, metric, tiers) VALUES ('X', 'x', 'calls', '{"emerald": 1}')$$) LIKE 'audit_admin: insert rule: {%"X"%', true, 'a rule is made');
SELECT is(test.logged('admin', $$DELETE FROM title_rule WHERE name = 'X'$$) LIKE 'audit_admin: delete rule: {%"X"%', true, 'a rule is removed');
SELECT is(test.logged('admin', $$DELETE FROM open_weight_model$$), 'audit_admin: delete open_weight_model: which models count as open', 'the list of open models is changed');
SELECT is(test.logged('admin', $$PERFORM erase_user('user8')$$), 'audit_admin: erase: a person with 2 identities', 'erase_user');
SELECT is(test.logged('admin', $$PERFORM erase_user('user8')$$), NULL, '... nobody, nothing');
SELECT rekey_switch('k2', array_agg(id), array_agg(md5(user_key))) > 0 AS done FROM rekey_people(0, 1000) \gset
SELECT is((SELECT action || ' ' || by_login FROM audit_log ORDER BY id DESC LIMIT 1), 'rekey postgres', 'another key');

SELECT is_empty($$SELECT * FROM audit_log WHERE detail ~ 'user[0-9]|PSEUDONYM|k1|k2'$$, 'no row names anybody, or a key''s check');
SELECT isnt(test.value_as('tokentally_admin', 'SELECT count(*) FROM tokentally.audit_log'), '0', 'an administrator reads it');
SELECT is((SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname ~ '^tokentally_' AND has_table_privilege(rolname, 'audit_log', 'SELECT')),
	'tokentally_owner tokentally_admin', '... and besides the owner nobody else');
SELECT is((SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname ~ '^tokentally_' AND rolname <> 'tokentally_owner'
	AND has_table_privilege(rolname, 'audit_log', 'INSERT, UPDATE, DELETE, TRUNCATE')), NULL, 'nobody writes to it');
SELECT is((SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname ~ '^tokentally_' AND rolname <> 'tokentally_owner'
	AND has_function_privilege(rolname, 'audit(text, text)', 'EXECUTE')), NULL, 'nor by the function');
SELECT throws_ok(format('SELECT test.value_as(''tokentally_owner'', %L)', s), '55000', NULL, 'the owner either cannot ' || s)
FROM unnest(ARRAY['UPDATE tokentally.audit_log SET detail = ''''', 'DELETE FROM tokentally.audit_log', 'TRUNCATE tokentally.audit_log']) s;
SELECT * FROM finish();
