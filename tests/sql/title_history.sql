-- SPDX-License-Identifier: Apache-2.0
-- Runs one after another: history, late data, and the same hour again.
BEGIN;
\ir title_fixture.psql
SELECT plan(39);

SELECT pg_temp.used('ann', '2026-03-15 09:00Z', 300), pg_temp.used('bob', '2026-03-15 09:00Z', 200),
	pg_temp.used('cat', '2026-03-15 09:00Z', 100), pg_temp.used('dan', '2026-02-13 10:00Z', 50);
SELECT is(pg_temp.run('2026-03-15 10:00Z'), 'stored 4 4', 'a first run awards');
SELECT is(pg_temp.holders('Token Legend'), 'ann emerald 1, bob jade 2, cat jade 3, dan gold 4', 'the first holders');

-- The same hour, the same data.
CREATE TEMP TABLE seen AS SELECT pg_temp.everything() AS text;
SELECT is(pg_temp.run('2026-03-15 10:00Z'), 'stored 4 4', 'the same hour again is stored again');
SELECT is(pg_temp.everything(), (SELECT text FROM seen), 'the same hour again on the same data changes nothing');
SELECT is(pg_temp.run('2026-03-15 10:00Z', true), 'stored 4 4', 'a run may be partial');
SELECT is((SELECT partial FROM title_run), true, 'the run says that it was partial');
SELECT pg_temp.run('2026-03-15 10:00Z');
SELECT is(pg_temp.everything(), (SELECT text FROM seen), 'and no longer, when it was computed again');

-- Later hours.
SELECT pg_temp.used('bob', '2026-03-15 10:00Z', 50);
SELECT is(pg_temp.run('2026-03-15 11:00Z'), 'stored 3 1', 'an hour later one has left the window');
SELECT is(pg_temp.history('dan', 'Token Legend'), 'gold 03-15 10:00 to 03-15 11:00 no longer ranked', 'who is no longer ranked loses the tier');
SELECT is(pg_temp.history('bob', 'Token Legend'), 'jade 03-15 10:00', 'another value in the same tier makes no new award');
SELECT is((SELECT value || ' ' || held_since FROM title_holder WHERE user_key = 'bob'), '250 2026-03-15 07:30:00-02:30',
	'a holder has the value of the newest run and the time of the award');
SELECT pg_temp.used('cat', '2026-03-15 11:00Z', 150);
SELECT pg_temp.used('eve', '2026-03-15 11:00Z', 260);
-- What is left of a run, for everyone but the historian.
CREATE FUNCTION pg_temp.result() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(E'\n',
		(SELECT string_agg(h::text, ' ' ORDER BY h::text) FROM title_holder h),
		(SELECT string_agg(h::text, ' ' ORDER BY h::text) FROM title_holder_at('2026-03-15 12:00Z') h),
		(SELECT string_agg(s::text, ' ' ORDER BY s::text) FROM title_standing s),
		(SELECT string_agg(b::text, ' ' ORDER BY b::text) FROM leaderboard_row b),
		(SELECT string_agg(concat_ws(' ', as_of, partial, holders, changes, notes), ' ' ORDER BY as_of) FROM title_run_row))
$$;
SAVEPOINT before_noon;
SELECT is(pg_temp.run('2026-03-15 12:00Z'), 'stored 4 1', 'a later hour awards who is new');
SELECT is(pg_temp.holders('Token Legend'), 'ann emerald 1, eve jade 2, bob jade 3, cat jade 3', 'and everyone has a new rank');

-- Late data for the newest hour, three times.
SELECT pg_temp.used('cat', '2026-03-15 08:00Z', 51);
SELECT is(pg_temp.run('2026-03-15 12:00Z'), 'stored 4 4', 'late data: the newest hour is computed again');
SELECT is(pg_temp.holders('Token Legend'), 'cat emerald 1, ann jade 2, eve jade 3, bob gold 4', 'late data: the holders are those of all data');
SELECT is(pg_temp.history('eve', 'Token Legend'), 'jade 03-15 12:00 to 03-15 12:00 late data, jade 03-15 12:00',
	'late data: an award that was wrong was held at no time');
SELECT is(pg_temp.history('bob', 'Token Legend'), 'jade 03-15 10:00 to 03-15 12:00 moved down, gold 03-15 12:00',
	'late data: who falls behind moves down');
SELECT pg_temp.used('bob', '2026-03-15 08:00Z', 10);
SELECT is(pg_temp.run('2026-03-15 12:00Z'), 'stored 4 3', 'a revocation proves wrong: one change fewer');
SELECT is((SELECT tier || ' ' || to_char(held_since AT TIME ZONE 'UTC', 'HH24:MI') FROM title_holder WHERE user_key = 'bob'),
	'jade 10:00', 'a revocation proves wrong: the tier is held since it was first awarded');
SELECT is((SELECT string_agg(tier || ' ' || value, ', ') FROM title_holder_at('2026-03-15 12:30Z') WHERE user_key = 'bob'),
	'jade 200', 'a revocation proves wrong: the history goes on as awarded');
SELECT pg_temp.used('eve', '2026-03-15 08:00Z', 5);
SELECT is(pg_temp.run('2026-03-15 12:00Z'), 'stored 4 4', 'a revocation proves right in the end');
SELECT is(pg_temp.history('bob', 'Token Legend'), 'jade 03-15 10:00 to 03-15 12:00 moved down, '
	'gold 03-15 12:00 to 03-15 12:00 late data, jade 03-15 12:00 to 03-15 12:00 late data, gold 03-15 12:00',
	'all of it is in the history');
SELECT is((SELECT string_agg(concat_ws(' ', user_key, tier), ', ' ORDER BY user_key) FROM title_holder_at('2026-03-15 11:59Z')),
	'ann emerald, bob jade, cat jade', 'the hour before is as it was');

-- The same, had all data been there in time.
SELECT pg_temp.result() AS corrected \gset
ROLLBACK TO before_noon;
SELECT pg_temp.used('cat', '2026-03-15 08:00Z', 51), pg_temp.used('bob', '2026-03-15 08:00Z', 10),
	pg_temp.used('eve', '2026-03-15 08:00Z', 5);
SELECT is(pg_temp.run('2026-03-15 12:00Z'), 'stored 4 4', 'all data in time');
SELECT is(pg_temp.result(), :'corrected', 'late data leads to what a run with all data in time leads to');

-- An older hour is printed, not stored.
UPDATE seen SET text = pg_temp.everything();
SELECT is((SELECT concat_ws(' ', outcome, stored, holders, note) FROM recompute_titles('2026-03-15 10:30Z')),
	'older f 5 older than the newest run, of 2026-03-15 12:00:00+00: not stored', 'an older hour is computed and said not to be stored');
SELECT is(pg_temp.everything(), (SELECT text FROM seen), 'an older hour leaves everything as it was');
SELECT is((SELECT string_agg(concat_ws(' ', user_key, tier, rank, value), ', ') FROM preview_titles('2026-03-15 10:30Z')),
	'ann emerald 1 300, bob jade 2 210, cat jade 3 151, dan gold 4 50, eve gold 5 5', 'an older hour can be looked at');
SELECT is((SELECT outcome FROM recompute_titles(date_trunc('hour', now(), 'UTC') + interval '1 hour')), 'open',
	'an hour that has not ended is not stored');
SELECT throws_ok('SELECT recompute_titles(NULL)', '22023', 'titles need a time, not null', 'a run needs a time');
SELECT throws_ok($$SELECT recompute_titles('-infinity')$$, '22023', NULL, 'a run needs a finite time');

-- Rules.
UPDATE title_rule SET tiers = '{"gold": 2}' WHERE name = 'Token Legend';
SELECT pg_temp.run('2026-03-15 13:00Z');
SELECT is((SELECT string_agg(DISTINCT to_char(as_of AT TIME ZONE 'UTC', 'HH24:MI'), ' ') FROM title_standing), '12:00 13:00',
	'standing is kept of the newest run and the one before it');
SELECT is((SELECT string_agg(DISTINCT reason, ', ') FROM title_award WHERE revoked_at = '2026-03-15 13:00Z'), 'rule changed',
	'a new version of a rule is the reason of what it changes');
UPDATE title_rule SET enabled = false WHERE name = 'Token Legend';
SELECT is(pg_temp.run('2026-03-15 14:00Z'), 'stored 0 2', 'a rule switched off has no holders');
SELECT is((SELECT string_agg(DISTINCT reason, ', ') FROM title_award WHERE revoked_at = '2026-03-15 14:00Z'), 'rule disabled',
	'a rule switched off is the reason');

-- Append only.
SELECT throws_like('UPDATE title_award_row SET rank = rank + 1', '%append-only%', 'an award cannot be changed');
SELECT throws_like('UPDATE title_award_row SET revoked_at = now(), reason = ''again''', '%was revoked already%', 'an award is revoked once');
SELECT throws_like('DELETE FROM title_award_row', '%append-only%', 'an award cannot be deleted');
SELECT throws_like('TRUNCATE title_award_row', '%append-only%', 'history cannot be emptied');

SELECT * FROM finish();
ROLLBACK;
