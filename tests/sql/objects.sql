-- SPDX-License-Identifier: Apache-2.0
--
-- The schema as such: columns of the contract, comments, types that fit their tables.
SELECT no_plan();
CREATE FUNCTION test.columns(p_relation text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(attname || ' ' || format_type(atttypid, NULL), ', ' ORDER BY attnum) FROM pg_attribute
	WHERE attrelid = ('tokentally.' || p_relation)::regclass AND attnum > 0 AND NOT attisdropped
$$;
CREATE FUNCTION test.expand(p_columns text) RETURNS text LANGUAGE sql AS $$
	SELECT replace(replace(p_columns, 'DUR', 'duration_ms_sum bigint, duration_ms_max bigint'), 'M',
		'calls bigint, errors bigint, input_tokens bigint, '
		'cache_read_tokens bigint, cache_write_tokens bigint, cache_write_1h_tokens bigint, output_tokens bigint, reasoning_tokens bigint, '
		'total_tokens bigint, cost_usd numeric, unpriced_calls bigint, zero_output_calls bigint, cache_known_tokens bigint')
$$;
SELECT is(test.columns(v), replace(test.expand(c), 'TS', 'timestamp with time zone'),
	v || ' has the columns of the contract') FROM (VALUES
	('usage_by_minute', 'bucket TS, team text, provider text, model text, app text, M, DUR'),
	('usage_by_team_hour', 'bucket TS, team text, provider text, model text, app text, M, DUR'),
	('usage_by_hour', 'bucket TS, user_key text, team text, provider text, model text, M, DUR'),
	('usage_by_day', 'bucket TS, user_key text, team text, provider text, model text, M, DUR'),
	('usage_shadowed', 'bucket TS, team text, provider text, model text, source text, M'),
	('person_team', 'user_key text, team text, valid_from TS, valid_to TS'),
	('usage_by_session', 'session_key text, user_key text, first_seen TS, last_seen TS, M'),
	('latency_by_minute', 'bucket TS, provider text, model text, kind text, le_ms double precision, calls bigint'),
	('latency_by_hour', 'bucket TS, provider text, model text, kind text, le_ms double precision, calls bigint'),
	('ingest_progress', 'topic text, partition integer, next_offset bigint, log_end_offset bigint, state text, event_time_max TS, '
		'committed_at TS, accepted bigint, dead bigint, duplicate bigint, skipped bigint'),
	('dead_letter', 'topic text, partition integer, offset bigint, record integer, received_at TS, reason text, detail text, '
		'payload_excerpt bytea, count bigint')) AS t (v, c);
SELECT is(test.columns(y), test.columns(t), y || ' fits ' || t) FROM (VALUES
	('hour_delta', 'usage_hour'), ('hour_delta', 'usage_day'), ('minute_delta', 'usage_minute'),
	('minute_delta', 'usage_team_hour'),
	('session_delta', 'session_slot'), ('latency_delta', 'latency_minute'), ('latency_delta', 'latency_hour'),
	('dead_letter_delta', 'dead_letter_row'), ('shadow_delta', 'usage_shadow_hour')) AS f (y, t);
SELECT is((SELECT string_agg(c.relname, ' ') FROM pg_class c WHERE relnamespace = 'tokentally'::regnamespace
	AND relkind IN ('r', 'p', 'v') AND NOT relispartition AND obj_description(oid, 'pg_class') IS NULL),
	NULL, 'every table and view has a comment');
SELECT is((SELECT string_agg(c.relname || '.' || attname, ' ') FROM pg_class c
	JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0
	WHERE relnamespace = 'tokentally'::regnamespace AND relkind = 'v'
	AND has_table_privilege('tokentally_people', c.oid, 'SELECT') AND c.relname !~ '^(title_|leaderboard)'
	AND col_description(c.oid, attnum) IS NULL), NULL, 'every column of a view that is for people has one');
SELECT is((SELECT string_agg(proname, ' ') FROM pg_proc WHERE pronamespace = 'tokentally'::regnamespace
	AND obj_description(oid, 'pg_proc') IS NULL), NULL, 'every function has one');
SELECT is((SELECT string_agg(t.typname, ' ') FROM pg_type t JOIN pg_class c ON c.oid = typrelid WHERE c.relkind = 'c'
	AND typnamespace = 'tokentally'::regnamespace AND obj_description(t.oid, 'pg_type') IS NULL), NULL,
	'every composite type has one');
SELECT is((SELECT string_agg(format('%s %s %s %s', id, computed, prompt_size, service_tier), ',' ORDER BY id)
	FROM price_class WHERE id IN (0, 5, 22, 31)),
	'0 f 128k standard,5 f 200k batch,22 t 200k flex,31 t more priority',
	'price classes have the daemon''s numbers');
SELECT is((SELECT reloptions FROM pg_class WHERE oid = v::regclass), '{security_barrier=true}'::text[], v || ' is a security barrier')
FROM unnest(ARRAY['usage_by_hour', 'usage_by_day', 'usage_by_session']) v;
SELECT is((SELECT count(*) FROM price_class), 32::bigint, '... all 32');
SELECT is((SELECT count(*) FROM schema_migration WHERE version = 1), (SELECT count(*) FROM schema_migration),
	'migrations are recorded');
SELECT is((SELECT string_agg(relname, ' ') FROM pg_class c WHERE relnamespace = 'tokentally'::regnamespace
	AND relkind = 'p'
	AND NOT EXISTS (SELECT FROM partition_spec s WHERE s.table_name = c.relname)), NULL,
	'every partitioned table is in partition_spec');
SELECT * FROM finish();
