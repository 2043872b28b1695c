-- SPDX-License-Identifier: Apache-2.0
--
-- Events of absurd size, each valid, whose sum no bigint holds: they stop neither titles nor folding nor anybody's query.
BEGIN;
\ir title_fixture.psql
SELECT plan(14);
CREATE TABLE usage_team_hour_any PARTITION OF usage_team_hour DEFAULT;
SELECT pg_temp.used('ann', '2026-03-15 10:00Z', 30000000, 2000);
SELECT pg_temp.used('bob', '2026-03-15 10:00Z', 20000000, 2000);
SELECT recompute_titles('2026-03-15 11:00Z');
SELECT is(pg_temp.holders('Token Legend'), 'ann emerald 1, bob jade 2', 'two people hold a title');

-- Half of a bigint a row: mallory by two models and hours, and once more under another name.
SELECT pg_temp.used('mallory', '2026-03-14 09:00Z', 4611686018427387904, 2000);
SELECT pg_temp.used('mallory', '2026-03-14 11:00Z', 4611686018427387904, 2000);
SELECT pg_temp.used('mallory', '2026-03-15 09:00Z', 4611686018427387904, 2000, 4611686018427387904);
SELECT pg_temp.used('mallory too', '2026-03-15 09:00Z', 4611686018427387904, 2000, 0, 'm2');
UPDATE person SET main_id = (SELECT id FROM person WHERE user_key = 'mallory') WHERE user_key = 'mallory too';
UPDATE usage_hour SET output_tokens = 9223372036854775807, cost_nano = 9223372036854775807 WHERE bucket = '2026-03-14 11:00Z';
INSERT INTO usage_hour SELECT bucket, person_id, team_id, model_id, 1, calls, errors, input_tokens, cache_read_tokens, cache_write_tokens,
	cache_write_1h_tokens, output_tokens, reasoning_tokens, cost_nano, unpriced_calls, zero_output_calls, cache_known_tokens, duration_ms_sum, duration_ms_max
	FROM usage_hour WHERE bucket = '2026-03-15 09:00Z' AND input_tokens > 0;
INSERT INTO title_rule (name, description, metric, window_name) SELECT 'Spender ' || m, '-', m, '7d' FROM unnest(ARRAY['cost_usd', 'output_tokens']) m;

SELECT is((SELECT outcome || ': ' || note FROM recompute_titles('2026-03-15 12:00Z')),
	'stored: 1 people left out: their sums are beyond 64 bits; the largest totals of usage_by_day tell who', 'a run leaves out who is beyond 64 bits, and says so');
SELECT is(pg_temp.holders('Token Legend'), 'ann emerald 1, bob jade 2', '... and all others hold what they held');
SELECT is((SELECT count(*) FROM title_holder WHERE user_key LIKE 'mallory%'), 0::bigint, '... who was left out holds nothing');
SELECT is((SELECT note FROM recompute_titles('2026-03-15 12:00Z')), (SELECT string_agg(note, '; ') FROM title_run_note WHERE as_of = '2026-03-15 12:00Z'), '... a second time too');

DELETE FROM usage_day;
SELECT lives_ok($$SELECT fold_day('2026-03-14Z')$$, 'the day is folded');
SELECT is((SELECT input_tokens::text || ' ' || calls FROM usage_day JOIN person p ON p.id = person_id WHERE user_key = 'mallory'),
	'9223372036854775807 4000', '... with the largest number there is');
UPDATE usage_fold SET folded_until = '2026-03-15Z';
SELECT is((SELECT outcome FROM recompute_titles('2026-03-15 13:00Z')), 'stored', 'a run over folded days goes on');
SELECT is(pg_temp.holders('Token Legend'), 'ann emerald 1, bob jade 2', '... with the same holders');

SELECT is((SELECT max(total_tokens) FROM usage_by_hour), 9223372036854775807, 'usage_by_hour shows the largest number');
SELECT is((SELECT max(total_tokens) FROM usage_by_day), 9223372036854775807, 'usage_by_day too');
SELECT is((SELECT sum(total_tokens) FROM usage_by_hour WHERE user_key IN ('ann', 'bob')), 50000000::numeric, '... and everybody else''s as they are');
INSERT INTO app (name) VALUES ('chat');
INSERT INTO usage_team_hour (bucket, team_id, model_id, app_id, price_class, calls, input_tokens, output_tokens)
SELECT '2026-03-15 09:00Z', (SELECT id FROM team), m.id, (SELECT id FROM app), 0, 1, 9223372036854775807, 9223372036854775807 FROM model m WHERE name = 'm1';
SELECT is((SELECT max(total_tokens) FROM usage_by_team_hour), 9223372036854775807, 'usage_by_team_hour too');
SELECT is((SELECT max(total_tokens) FROM usage_by_day_in('Europe/Berlin', '2026-03-14Z', '2026-03-17Z')), 9223372036854775807, 'usage_by_day_in too');
SELECT * FROM finish();
ROLLBACK;
