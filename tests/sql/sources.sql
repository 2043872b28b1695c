-- SPDX-License-Identifier: Apache-2.0
--
-- Source rules: what can't be meant is refused, a change makes a new generation, and what they keep out is counted apart,
-- exactly once.
SELECT no_plan();
SET client_min_messages = error; -- a rule for a provider that was not seen yet warns
SELECT ingest_ensure_partitions('2026-11-01Z', '2026-11-30Z', '2026-11-01Z') AS made \gset
CREATE FUNCTION test.generation() RETURNS bigint LANGUAGE sql AS $$ SELECT value::bigint FROM setting WHERE key = 'rules_generation' $$;
CREATE FUNCTION test.rule(p_sql text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE tokentally_admin;
	EXECUTE p_sql;
	RESET ROLE;
	RETURN 'done';
END $$;

-- Rules.
SELECT is(array_agg(r)::text, '{"(0,,,)"}', 'without a rule the daemon gets the generation alone') FROM ingest_rules() r;
SELECT is(test.rule($$INSERT INTO tokentally.source_rule (provider, source) VALUES ('anthropic', 'litellm')$$), 'done', 'an administrator writes a rule');
SELECT isnt(test.generation(), 0::bigint, '... which is a new generation');
SELECT is(array_agg(r)::text, format('{"(%s,anthropic,*,litellm)"}', test.generation()), '... and what the daemon gets') FROM ingest_rules() r;
SELECT is(test.value_as('tokentally_ingest', 'SELECT count(*) FROM tokentally.ingest_rules()'), '1', '... by its role');
SELECT test.generation() AS before \gset
SELECT is(test.rule($$UPDATE tokentally.source_rule SET note = note$$), 'done', 'an update that changes nothing');
SELECT is(test.generation(), :before, '... makes no new generation');
SELECT is(test.rule($$UPDATE tokentally.source_rule SET note = 'the gateway knows the cost'$$), 'done', 'a note');
SELECT is(test.rule($$DELETE FROM tokentally.source_rule$$), 'done', 'a rule may go');
SELECT isnt(test.generation(), :before, '... which is a new one');
SELECT is((SELECT string_agg(action, ', ' ORDER BY id) FROM audit_log), 'insert source rule, update source rule, delete source rule', 'all is in the audit log');
SELECT throws_like($$SELECT test.rule('INSERT INTO tokentally.source_rule (source) VALUES (''litelm'')')$$,
	'unknown source "litelm"; known: apisix, claude_code, codex, gemini_cli, kong, litellm, native, otel_genai, usage', 'an unknown source is refused, and the known ones are named');
SELECT throws_ok(format('SELECT test.rule(''INSERT INTO tokentally.source_rule (source) VALUES (''%L'')'')', s), '22023', NULL, 'refused as a source: ' || s)
FROM unnest('{"",auto,otlp_json,otlp_proto,Native}'::text[]) s;
SELECT throws_ok($$SELECT test.rule('INSERT INTO tokentally.source_rule (provider, source) VALUES (NULL, ''native'')')$$, '23502', NULL, 'a provider is there, be it "*"');
SELECT throws_ok($$SELECT test.rule('INSERT INTO tokentally.source_rule (provider, source) VALUES (repeat(''x'', 257), ''native'')')$$, '23514', NULL, 'no name is above 256 bytes');
SELECT lives_ok($$SELECT test.value_as('tokentally_ingest', 'SELECT tokentally.ingest_sources(''{our_gateway,native,our_gateway}'')')$$, 'a daemon tells the formats it reads');
SELECT is(test.rule($$INSERT INTO tokentally.source_rule (team, source) VALUES ('red', 'our_gateway')$$), 'done', '... which rules may name then');
SELECT throws_ok(format('SELECT test.value_as(%L, %L)', r, s), '42501', NULL, r || ': ' || s)
FROM unnest('{tokentally_reader,tokentally_people,tokentally_ingest}'::text[]) r, unnest(ARRAY['SELECT count(*) FROM tokentally.source_rule',
	'INSERT INTO tokentally.source_rule (source) VALUES (''native'')', 'SELECT count(*) FROM tokentally.usage_shadow_hour']) s;
SELECT throws_ok(format('SELECT test.value_as(%L, ''SELECT count(*) FROM tokentally.ingest_rules()'')', r), '42501', NULL, r || ' does not call what is the daemon''s')
FROM unnest('{tokentally_reader,tokentally_people,tokentally_admin}'::text[]) r;

-- An open transaction holds up nobody for long.
SELECT test.open('other');
SELECT dblink_exec('other', 'BEGIN; SET client_min_messages = error; INSERT INTO source_rule (provider, source) VALUES (''x'', ''native'')') AS ok \gset
SELECT throws_ok($$SELECT * FROM set_team('ann', 'red')$$, '55P03', NULL, 'a change beside another that is not committed is refused');
SELECT is((SELECT count(*) FROM person), 0::bigint, '... as a whole');
SELECT dblink_exec('other', 'ROLLBACK') AS ok \gset
SELECT lives_ok($$SELECT * FROM set_team('ann', 'red')$$, '... and taken afterwards');
SELECT dblink_disconnect('other') AS ok \gset

-- What is kept out.
SELECT test.claim(test.owner(1), 0) AS ok \gset
SELECT (intern_teams('{red}'))[1] AS red, (intern_models('{anthropic}', '{large}'))[1] AS large \gset
CREATE FUNCTION test.shadow(p_seq bigint, p_from bigint, p_to bigint, p_shadows shadow_delta[], p_rules bigint) RETURNS text LANGUAGE sql SET role = tokentally_ingest AS $$
	SELECT tokentally.ingest_commit(test.owner(1), p_seq, 1, '2026-11-01Z',
		ARRAY[ROW('calls', 0, p_from, p_to, p_to - 1, 0, 0, p_to, '2026-11-20 10:30Z', 0, 0, 0, (SELECT sum(calls) FROM unnest(p_shadows)))::tokentally.progress_delta],
		'{}', '{}', '{}', '{}', '{}', '{}', '{}', p_shadows => p_shadows, p_rules_generation => p_rules)
$$;
SELECT format('ARRAY[ROW(''2026-11-20 10:00Z'', %1$s, %2$s, ''codex'', 2, 1, 10, 0, 0, 0, 5, 0, 1500000000, 0, 0, 10)::shadow_delta, '
	'ROW(''2026-11-20 10:00Z'', %1$s, %2$s, ''native'', 3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)::shadow_delta]', :red, :large) AS rows \gset
SELECT is(test.shadow(1, 0, 5, :rows, test.generation()), 'committed', 'kept out of the rollups');
SELECT is(test.shadow(1, 0, 5, :rows, test.generation()), 'already committed', '... once');
SELECT is(test.shadow(2, 5, 10, :rows, test.generation()), 'committed', '... and added to');
SELECT is((SELECT array_agg(r ORDER BY source)::text FROM (SELECT bucket AT TIME ZONE 'UTC', team, provider, model, source, calls, errors, input_tokens, total_tokens, cost_usd FROM usage_shadowed) r (b, t, p, m, source)),
	'{"(\"2026-11-20 10:00:00\",red,anthropic,large,codex,4,2,20,30,3.000000000)","(\"2026-11-20 10:00:00\",red,anthropic,large,native,6,0,2,22,0.000000014)"}', 'usage_shadowed has them');
SELECT is((SELECT format('%s %s %s', accepted, skipped, event_time_max AT TIME ZONE 'UTC') FROM ingest_progress), '0 10 2026-11-20 10:30:00', 'they are progress, as skipped');
SELECT is((SELECT count(*) FROM usage_by_team_hour), 0::bigint, 'and in no other view');
SELECT is(test.value_as('tokentally_reader', 'SELECT string_agg(DISTINCT team, '','') FROM tokentally.usage_shadowed'), '(small teams)', 'readers do not see a small team here either');
SELECT is(test.value_as('tokentally_people', 'SELECT string_agg(DISTINCT team, '','') FROM tokentally.usage_shadowed'), 'red', 'the people role does');
SELECT * FROM finish();
