-- SPDX-License-Identifier: Apache-2.0
-- Who gets which tier: ranks, ties, floors, eligibility, order.
BEGIN;
\ir title_fixture.psql
SELECT plan(28);

-- Token Legend: 1, 2, 2, 4, ...: person pN has 1000 - N tokens, but p3 as many as p2.
SELECT pg_temp.used(format('p%s', lpad(n::text, 2, '0')), '2026-03-15 09:00Z', 1000 - CASE n WHEN 3 THEN 2 ELSE n END)
FROM generate_series(1, 60) n;
SELECT is(pg_temp.run('2026-03-15 12:47Z'), 'stored 60 60', 'a run stores the holders of the hour that ended');
SELECT is((SELECT string_agg(concat_ws(' ', user_key, tier, rank), ', ' ORDER BY rank, user_key) FROM title_holder WHERE rank <= 4),
	'p01 emerald 1, p02 jade 2, p03 jade 2, p04 gold 4', 'ties share a rank and the next rank is left out');
SELECT is((SELECT string_agg(concat_ws(' ', tier, n, least, most), ', ' ORDER BY least) FROM
	(SELECT tier, count(*) AS n, min(rank) AS least, max(rank) AS most FROM title_holder GROUP BY tier) t),
	'emerald 1 1 1, jade 2 2 2, gold 7 4 10, silver 40 11 50, bronze 10 51 60', 'tiers go to ranks 1, 3, 10, 50 and 250');
SELECT is((SELECT DISTINCT as_of || ' ' || held_since FROM title_holder), '2026-03-15 09:30:00-02:30 2026-03-15 09:30:00-02:30',
	'as_of is the full hour');

-- Three at rank 1: more than twice the limit of emerald, not of jade.
SELECT pg_temp.used('p02', '2026-03-15 12:00Z', 1), pg_temp.used('p03', '2026-03-15 12:00Z', 1);
SELECT is((SELECT note FROM recompute_titles('2026-03-15 13:00Z')),
	'Token Legend: emerald not given, 3 people tie at rank 1 and at most 2 may', 'a run says which tier overflowed by a tie');
SELECT is((SELECT note FROM title_run_note WHERE as_of = '2026-03-15 13:00Z'),
	'Token Legend: emerald not given, 3 people tie at rank 1 and at most 2 may', 'the remark is kept with the run');
SELECT is((SELECT string_agg(concat_ws(' ', user_key, tier, rank), ', ' ORDER BY rank, user_key) FROM title_holder WHERE rank <= 4),
	'p01 jade 1, p02 jade 1, p03 jade 1, p04 gold 4', 'who ties beyond twice the limit has the next tier, and nobody else moves');
SELECT is(pg_temp.history('p01', 'Token Legend'), 'emerald 03-15 12:00 to 03-15 13:00 tier not given, jade 03-15 13:00',
	'the award is revoked with that reason');
SELECT is(pg_temp.history('p02', 'Token Legend'), 'jade 03-15 12:00', 'who had the next tier anyway keeps the award');

-- Two at rank 1: not more than twice.
SELECT pg_temp.used('p03', '2026-03-15 13:00Z', 1);
SELECT pg_temp.used('p02', '2026-03-15 13:00Z', 1);
SELECT pg_temp.run('2026-03-15 14:00Z');
SELECT is((SELECT string_agg(concat_ws(' ', user_key, tier, rank), ', ' ORDER BY rank, user_key) FROM title_holder WHERE rank <= 4),
	'p02 emerald 1, p03 emerald 1, p01 jade 3, p04 gold 4', 'twice as many as the limit are all awarded');
SELECT is((SELECT string_agg(DISTINCT reason, ', ') FROM title_award WHERE revoked_at = '2026-03-15 14:00Z'), 'moved up',
	'who moves up to a tier that is given again has that reason');


-- The border of gold is rank 4: the tie begins within the limit of 10, and goes beyond it.
SELECT pg_temp.used(format('g%s', n), '2026-03-15 13:00Z', 996) FROM generate_series(1, 19) n;
SELECT pg_temp.run('2026-03-15 14:00Z');
SELECT is((SELECT count(*) FROM title_holder WHERE tier = 'gold' AND rank = 4), 20::bigint, 'a tie at the border of gold may be of 20');
SELECT pg_temp.used('g20', '2026-03-15 13:00Z', 996);
SELECT is((SELECT note FROM recompute_titles('2026-03-15 14:00Z')),
	'Token Legend: gold not given, 21 people tie at rank 4 and at most 20 may', 'with one more gold is not given');
SELECT is((SELECT string_agg(concat_ws(' ', tier, n, least, most), ', ' ORDER BY least) FROM
	(SELECT tier, count(*) AS n, min(rank) AS least, max(rank) AS most FROM title_holder WHERE title = 'Token Legend' GROUP BY tier) t),
	'emerald 2 1 1, jade 1 3 3, silver 47 4 50, bronze 30 51 80', 'they have silver then, whose own border is elsewhere');

-- Cache Wizard: 1,000,000 known tokens and 100 calls, in the window.
SELECT pg_temp.used('floor', '2026-03-15 10:00Z', 1000000, 100, 900000);
SELECT pg_temp.used('few-tokens', '2026-03-15 10:00Z', 999999, 100, 950000);
SELECT pg_temp.used('few-calls', '2026-03-15 10:00Z', 1000000, 99, 950000);
SELECT pg_temp.used('old-calls', '2026-03-15 10:00Z', 1000000, 99, 950000);
SELECT pg_temp.used('old-calls', '2026-02-13 15:00Z', 1000000, 99, 950000);
SELECT pg_temp.run('2026-03-15 16:00Z');
SELECT is(pg_temp.holders('Cache Wizard'), 'floor emerald 1', 'floors are met at the number itself, not below, and within the window');
SELECT is(pg_temp.board('cache_hit_ratio', '24h'), 'floor 1 0.9', 'who is below the floors is on no board');

-- 1/3 and its neighbour differ in the 30th place.
SELECT pg_temp.used('third', '2026-03-15 15:00Z', 3000000000000000, 100, 1000000000000000);
SELECT pg_temp.used('nearly', '2026-03-15 15:00Z', 2999999999999999, 100, 1000000000000000);
SELECT pg_temp.used('same', '2026-03-15 15:00Z', 3000000, 100, 1000000);
SELECT pg_temp.run('2026-03-15 16:00Z');
SELECT is(pg_temp.holders('Cache Wizard'), 'floor emerald 1, nearly jade 2, same jade 3, third jade 3', 'ratios are compared exactly');

-- A tie is ordered by the earlier newest active hour, then the older person.
SELECT is(pg_temp.board('cache_hit_ratio', '24h'),
	'floor 1 0.9, nearly 2 0.33333333333333344444, third 3 0.33333333333333333333, same 3 0.33333333333333333333',
	'with the same newest hour the older person comes first');
SELECT pg_temp.used('third', '2026-03-15 16:00Z', 0, 1, 0);
SELECT pg_temp.run('2026-03-15 17:00Z');
SELECT is(pg_temp.board('cache_hit_ratio', '24h'),
	'floor 1 0.9, nearly 2 0.33333333333333344444, same 3 0.33333333333333333333, third 3 0.33333333333333333333',
	'who was active last comes last in a tie');

-- Service accounts and opt-outs.
UPDATE person SET kind = 'service' WHERE user_key = 'floor';
UPDATE person SET titles = false WHERE user_key = 'nearly';
SELECT pg_temp.run('2026-03-15 18:00Z');
SELECT is(pg_temp.holders('Cache Wizard'), 'same emerald 1, third emerald 1', 'service accounts and opt-outs are left out, the next move up');
SELECT is(pg_temp.board('cache_hit_ratio', '30d'), 'same 1 0.33333333333333333333, third 1 0.33333333333333333333',
	'service accounts and opt-outs are on no board');
SELECT is(pg_temp.history('nearly', 'Cache Wizard'), 'jade 03-15 16:00 to 03-15 18:00 not eligible',
	'whoever stops taking part loses the award with that reason');

-- Nobody with nothing.
SELECT pg_temp.used('idle', '2026-03-15 17:00Z', 0);
SELECT pg_temp.run('2026-03-15 18:00Z');
SELECT is_empty($$SELECT FROM title_standing JOIN person ON id = person_id WHERE user_key = 'idle'$$, 'who used no token is not ranked');

-- One tie may overfill several tiers, and all of a rule's: 7 at rank 1.
UPDATE title_rule SET enabled = false;
INSERT INTO title_rule (name, description, metric, tiers, floors) VALUES
	('Seven', '-', 'output_tokens', '{"emerald": 1, "jade": 3, "gold": 10}', '{"output_tokens": 1}'),
	('Few', '-', 'output_tokens', '{"gold": 1, "silver": 4.0}', '{"output_tokens": 1}');
SELECT pg_temp.used('s' || n, '2026-03-15 19:00Z', 1) FROM generate_series(1, 8) n;
UPDATE usage_hour SET output_tokens = 8 - (user_key = 's8')::int FROM person WHERE id = person_id AND user_key ~ '^s[1-8]$';
SELECT is((SELECT note FROM recompute_titles('2026-03-15 20:00Z')),
	'Few: gold not given, 7 people tie at rank 1 and at most 2 may; '
	'Seven: emerald not given, 7 people tie at rank 1 and at most 2 may; Seven: jade not given, 7 people tie at rank 1 and at most 6 may',
	'several tiers may be overfull, and each is named');
SELECT is(pg_temp.holders('Seven'), 's1 gold 1, s2 gold 1, s3 gold 1, s4 gold 1, s5 gold 1, s6 gold 1, s7 gold 1, s8 gold 8',
	'one takes the best that is given');
SELECT is((SELECT string_agg(DISTINCT tier || rank, ' ') FROM title_holder WHERE title = 'Few'), 'silver1', 'who is beyond every limit has none');
SELECT pg_temp.used('t' || n, '2026-03-15 19:00Z', 1) FROM generate_series(1, 2) n;
UPDATE usage_hour SET output_tokens = 8 FROM person WHERE id = person_id AND user_key ~ '^t[12]$';
SELECT pg_temp.run('2026-03-15 21:00Z');
SELECT is(pg_temp.holders('Few'), 'nobody', 'where every tier is overfull nobody has one');
SELECT is((SELECT string_agg(DISTINCT reason, ', ') FROM title_award WHERE title = 'Few'), 'tier not given', '... and the reason says so');

SELECT * FROM finish();
ROLLBACK;
