-- SPDX-License-Identifier: Apache-2.0
-- Titles of kind milestone: entered at a threshold, left at nine tenths of it, held for a day.
BEGIN;
\ir title_fixture.psql
SELECT plan(19);

UPDATE title_rule SET enabled = false;
INSERT INTO title_rule (name, description, metric, window_name, kind, tiers) VALUES
	('Caller', 'Calls in a day', 'calls', '24h', 'milestone', '{"bronze": 5, "silver": 11, "gold": 20}');

-- Sets the calls of one's last 24 hours, and runs the hour; says the tier, rank and value after it.
CREATE FUNCTION pg_temp.calls(p_as_of timestamptz, p_calls int, p_who text DEFAULT 'ann') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM usage_hour USING person WHERE id = person_id AND user_key = p_who;
	PERFORM pg_temp.used(p_who, p_as_of - interval '1 hour', 1, p_calls) WHERE p_calls > 0;
	PERFORM recompute_titles(p_as_of);
	RETURN COALESCE((SELECT concat_ws(' ', tier, rank, value) FROM title_holder WHERE user_key = p_who), 'none');
END
$$;

SELECT is(pg_temp.calls('2026-03-10 00:00Z', 4), 'none', 'below the first threshold is nothing');
SELECT is(pg_temp.calls('2026-03-10 01:00Z', 5), 'bronze 1 5', 'a tier is entered at its threshold');
SELECT is(pg_temp.calls('2026-03-10 02:00Z', 20), 'gold 1 20', 'the best tier counts, and moving up does not wait');
SELECT is(pg_temp.calls('2026-03-11 01:00Z', 1), 'gold 1 1', 'a tier is held for 24 hours');
SELECT is(pg_temp.calls('2026-03-11 01:00Z', 0), 'gold', 'also without any call');
SELECT is(pg_temp.calls('2026-03-11 02:00Z', 18), 'gold 1 18', 'after that it is held at nine tenths');
SELECT is(pg_temp.calls('2026-03-11 03:00Z', 17), 'silver 1 17', 'below nine tenths it is left for the tier that is reached');
SELECT is(pg_temp.calls('2026-03-12 02:00Z', 9), 'silver 1 9', 'the lower tier is held for its 24 hours');
SELECT is(pg_temp.calls('2026-03-12 03:00Z', 10), 'silver 1 10', 'nine tenths of 11 are rounded up to 10: kept at 10');
SELECT is(pg_temp.calls('2026-03-12 04:00Z', 9), 'bronze 1 9', 'and left at 9');
SELECT is(pg_temp.calls('2026-03-14 00:00Z', 10), 'bronze 1 10', 'nine tenths do not let anyone in again');
SELECT is(pg_temp.calls('2026-03-14 01:00Z', 0), 'none', 'without any call it ends');
SELECT is(pg_temp.history('ann', 'Caller'), 'bronze 03-10 01:00 to 03-10 02:00 moved up, gold 03-10 02:00 to 03-11 03:00 moved down, '
	'silver 03-11 03:00 to 03-12 04:00 moved down, bronze 03-12 04:00 to 03-14 01:00 no longer ranked', 'the history of it');

-- A fall by several tiers ends where one would still hold on.
SELECT pg_temp.calls('2026-03-15 00:00Z', 20);
SELECT is(pg_temp.calls('2026-03-16 00:00Z', 10), 'silver 1 10', 'from gold one falls to what a holder of silver would keep');

-- All who reach it have it, ties and numbers don't matter.
SELECT pg_temp.used(format('n%s', n), '2026-03-16 00:00Z', 1, 7) FROM generate_series(1, 600) n;
SELECT pg_temp.run('2026-03-16 01:00Z');
SELECT is((SELECT count(*) FROM title_holder WHERE tier = 'bronze' AND rank = 2), 600::bigint, 'everyone who reaches a milestone has it');

-- What does not wait for 24 hours.
UPDATE person SET titles = false WHERE user_key = 'n1';
SELECT pg_temp.run('2026-03-16 02:00Z');
SELECT is(pg_temp.history('n1', 'Caller'), 'bronze 03-16 01:00 to 03-16 02:00 not eligible', 'whoever stops taking part loses it at once');
UPDATE title_rule SET tiers = '{"bronze": 8, "silver": 9}' WHERE name = 'Caller';
SELECT is(pg_temp.run('2026-03-16 03:00Z'), 'stored 1 599', 'a new rule counts at once');
SELECT is((SELECT string_agg(DISTINCT reason, ', ') FROM title_award WHERE revoked_at = '2026-03-16 03:00Z'), 'rule changed',
	'a new rule is the reason');

-- The same hour again.
CREATE TEMP TABLE seen AS SELECT pg_temp.everything() AS text;
SELECT pg_temp.run('2026-03-16 03:00Z');
SELECT is(pg_temp.everything(), (SELECT text FROM seen), 'the same hour again changes nothing');

SELECT * FROM finish();
ROLLBACK;
