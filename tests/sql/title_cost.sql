-- SPDX-License-Identifier: Apache-2.0
-- What a run of all titles touches: twice the people, at most 2.2 times the blocks; and of sessions, few.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SET search_path = tokentally, public;
SET timezone = 'UTC';
SELECT plan(6);
CREATE TABLE usage_hour_any PARTITION OF usage_hour DEFAULT;
CREATE TABLE usage_day_any PARTITION OF usage_day DEFAULT;
CREATE TABLE usage_team_hour_any PARTITION OF usage_team_hour DEFAULT;
CREATE TABLE session_slot_any PARTITION OF session_slot DEFAULT;
INSERT INTO team (name) VALUES ('all');
INSERT INTO app (name) VALUES ('chat');
INSERT INTO model (provider, name) SELECT 'p' || n % 3, 'm' || n FROM generate_series(1, 8) n;

-- So many more people: 30 hours of use each, and 10 sessions of 1 to 12 slots.
CREATE FUNCTION pg_temp.more(p_people int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_first bigint := COALESCE((SELECT max(id) FROM person), 0);
BEGIN
	INSERT INTO person (user_key, pseudonym, shown_key)
	SELECT 'u' || v_first + n, 'P' || v_first + n, 'P' || v_first + n FROM generate_series(1, p_people) n;
	INSERT INTO usage_hour (bucket, person_id, team_id, model_id, price_class, calls, errors, input_tokens, cache_read_tokens,
		output_tokens, cost_nano, cache_known_tokens)
	SELECT '2026-02-13Z'::timestamptz + h % 719 * interval '1 hour', p.id, (SELECT id FROM team), m.id, 0, 4 + h % 90,
		(h % 17 = 0)::int, h % 50000, h % 80000, 500 + h % 3000, 1 + h % 9999999, h % 50000 + h % 80000
	FROM person p, generate_series(1, 30) k, abs(hashint8(p.id * 77 + k)) h, LATERAL (SELECT id FROM model WHERE id % 8 = (p.id + k % 4) % 8) m
	WHERE p.id > v_first ON CONFLICT DO NOTHING;
	DELETE FROM usage_day;
	INSERT INTO usage_day (bucket, person_id, team_id, model_id, price_class, calls, errors, input_tokens, cache_read_tokens,
		output_tokens, cost_nano, cache_known_tokens)
	SELECT date_trunc('day', bucket), person_id, team_id, model_id, price_class, sum(calls), sum(errors), sum(input_tokens),
		sum(cache_read_tokens), sum(output_tokens), sum(cost_nano), sum(cache_known_tokens)
	FROM usage_hour WHERE bucket < '2026-03-14Z' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2;
	UPDATE usage_fold SET folded_until = '2026-03-14Z';
	DELETE FROM usage_team_hour;
	INSERT INTO usage_team_hour (bucket, team_id, model_id, app_id, price_class, calls)
	SELECT bucket, team_id, model_id, (SELECT id FROM app), 0, sum(calls) FROM usage_hour GROUP BY 1, 2, 3;
	INSERT INTO session_slot (slot, person_id, session_id, session_key, shown_key, first_seen, last_seen, calls)
	SELECT slot, p.id, md5(p.id || ' ' || s)::uuid, s, '', slot + interval '2 minutes', slot + interval '28 minutes', 2
	FROM person p, generate_series(1, 10) s, abs(hashint8(p.id * 5001 + s)) h,
		LATERAL (SELECT '2026-02-13Z'::timestamptz + h % 1400 * interval '30 minutes' AS start) begins,
		generate_series(start, start + CASE WHEN h % 16 < 14 THEN 0 ELSE h / 16 % 12 END * interval '30 minutes', '30 minutes') slot
	WHERE p.id > v_first ORDER BY 1, 2;
	ANALYZE usage_hour, usage_day, usage_team_hour, session_slot, person;
END
$$;

-- Blocks touched by a statement, by all that it calls and by its workers.
CREATE FUNCTION pg_temp.blocks(p_sql text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	v_plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ' || p_sql INTO v_plan;
	RETURN (SELECT sum((v_plan -> 0 -> 'Plan' ->> key)::numeric) FROM unnest(ARRAY['Shared Hit Blocks', 'Shared Read Blocks',
		'Local Hit Blocks', 'Local Read Blocks', 'Temp Read Blocks']) key);
END
$$;
CREATE FUNCTION pg_temp.growth(p_now numeric, p_then numeric) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN p_now <= 2.2 * p_then THEN 'at most 2.2' ELSE format('%s, from %s to %s', round(p_now / p_then, 2), p_then, p_now) END
$$;
CREATE TEMP TABLE seen (people int, first numeric, again numeric);
SELECT pg_temp.more(700);
INSERT INTO seen SELECT 700, pg_temp.blocks('SELECT recompute_titles(''2026-03-15 11:00Z'')'), pg_temp.blocks('SELECT recompute_titles(''2026-03-15 11:00Z'')');
SELECT pg_temp.more(700);
INSERT INTO seen SELECT 1400, pg_temp.blocks('SELECT recompute_titles(''2026-03-15 11:00Z'')'), pg_temp.blocks('SELECT recompute_titles(''2026-03-15 11:00Z'')');
SELECT cmp_ok((SELECT count(*) FROM leaderboard_row), '>', 4000::bigint, 'there are boards');
SELECT cmp_ok((SELECT min(again) FROM seen), '>', 1000::numeric, 'a run touches something');
SELECT is(pg_temp.growth(b.first, a.first), 'at most 2.2', 'twice the people, all days new: blocks')
FROM seen a JOIN seen b ON b.people = 2 * a.people;
SELECT is(pg_temp.growth(b.again, a.again), 'at most 2.2', 'twice the people, no day new: blocks')
FROM seen a JOIN seen b ON b.people = 2 * a.people;

-- Chains of at least 12 slots: a sixth of the slots is looked at by their key, as the earlier and as the later of two, so a third of
-- the key is read; and the slots of few sessions.
CREATE FUNCTION pg_temp.slots_read() RETURNS numeric LANGUAGE sql AS $$
	SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE relname LIKE 'session_slot%'
$$;
SET LOCAL enable_seqscan = off; -- which is cheaper for tables as small as these
SELECT pg_temp.slots_read() AS before \gset
SELECT count(*) AS found FROM titles_chains('2026-02-13 11:00Z', '2026-03-15 11:00Z', 12, 50) \gset
SELECT cmp_ok(:found, '>', 50, 'chains are found');
SELECT cmp_ok(pg_temp.slots_read() - :before, '<', (1 / 3.0 + 0.2) * (SELECT count(*) FROM session_slot), 'few slots are read for them');

SELECT * FROM finish();
ROLLBACK;
