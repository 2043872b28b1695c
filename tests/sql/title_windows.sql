-- SPDX-License-Identifier: Apache-2.0
-- What a window holds: exact to the hour at both ends, and the same whether hours are folded into days or not.
BEGIN;
\ir title_fixture.psql
SELECT plan(17);

SELECT pg_temp.used('edge', '2026-02-13 12:00Z', 1);      -- as of 03-15 12:00 the first hour of 30 days
SELECT pg_temp.used('edge', '2026-02-13 11:00Z', 10);     -- the hour before it
SELECT pg_temp.used('edge', '2026-03-15 11:00Z', 100);    -- the last hour
SELECT pg_temp.used('edge', '2026-03-15 12:00Z', 1000);   -- the open hour
SELECT pg_temp.used('edge', '2026-03-08 12:00Z', 10000);  -- the first of 7 days
SELECT pg_temp.used('edge', '2026-03-08 11:00Z', 100000);
SELECT pg_temp.used('edge', '2026-03-14 12:00Z', 1000000); -- the first of 24 hours
SELECT pg_temp.used('edge', '2026-03-14 11:00Z', 10000000);
SELECT pg_temp.used('edge', '2026-03-01 00:00Z', 100000000), pg_temp.used('edge', '2026-03-01 23:00Z', 1000000000);

CREATE FUNCTION pg_temp.edges(p_as_of timestamptz) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM recompute_titles(p_as_of);
	RETURN (SELECT string_agg(w.window_name || ' ' || total_tokens, ', ' ORDER BY hours)
		FROM pg_temp.title_work w JOIN title_window ON name = window_name);
END
$$;
SELECT is(pg_temp.edges('2026-03-15 12:00Z'), '24h 1000100, 7d 11010100, 30d 1111110101',
	'a window takes the hour at its start, not the one before, and not the open hour');
SELECT is(pg_temp.edges('2026-03-15 11:00Z'), '24h 11000000, 7d 11110000, 30d 1111110011', 'an hour earlier, each edge is an hour earlier');
SELECT is(pg_temp.edges('2026-03-15 13:00Z'), '24h 1100, 7d 11001100, 30d 1111111100', 'an hour later, each edge is an hour later');
SELECT is(pg_temp.edges('2026-03-31 00:00Z'), '30d 1111111100', 'a window from midnight takes the whole first day');

CREATE TEMP TABLE unfolded AS
SELECT as_of, pg_temp.edges(as_of) AS sums FROM unnest(ARRAY['2026-03-14 11:00Z', '2026-03-14 12:00Z', '2026-03-14 23:00Z',
	'2026-03-15 00:00Z', '2026-03-15 01:00Z', '2026-03-15 12:00Z', '2026-03-15 13:00Z']::timestamptz[]) as_of;
CREATE FUNCTION pg_temp.differing() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', as_of, sums, now) FROM (SELECT *, pg_temp.edges(as_of) AS now FROM unfolded) u WHERE sums <> now
$$;
SELECT pg_temp.fold('2026-03-14 00:00Z');
SELECT is_empty('SELECT pg_temp.differing()', 'hours folded up to a midnight change no sum, whatever the hour of the run');
SELECT pg_temp.fold('2026-03-14 12:00Z');
SELECT is_empty('SELECT pg_temp.differing()', 'hours folded up to the middle of a day change no sum');
SELECT pg_temp.fold('2026-03-16 00:00Z');
SELECT is_empty('SELECT pg_temp.differing()', 'hours folded beyond the run change no sum');
SELECT pg_temp.fold('2026-02-01 00:00Z');
SELECT is_empty('SELECT pg_temp.differing()', 'no hour folded yet changes no sum');

-- A day row must be used where it can be: it alone knows this.
SELECT pg_temp.fold('2026-03-15 00:00Z');
UPDATE usage_day SET output_tokens = 5 WHERE bucket = '2026-03-01 00:00Z';
SELECT pg_temp.edges('2026-03-15 12:00Z');
SELECT is((SELECT output_tokens FROM pg_temp.title_work WHERE window_name = '30d'), 5::bigint, 'whole days are read from day rows');

-- The rest is later: runs go forward only. The order within a tie needs the hour of the newest activity, which day rows don't know.
SELECT pg_temp.used('late-riser', '2026-04-01 15:00Z', 7), pg_temp.used('early-bird', '2026-04-01 09:00Z', 7);
SELECT pg_temp.used('early-bird', '2026-04-01 03:00Z', 7), pg_temp.used('late-riser', '2026-03-31 15:00Z', 7);
SELECT pg_temp.fold('2026-02-01 00:00Z');
SELECT pg_temp.run('2026-04-05 12:00Z');
SELECT is(pg_temp.board('total_tokens', '30d'), 'edge 1 11111100, early-bird 2 14, late-riser 2 14', 'ties are ordered by newest hour, unfolded');
SELECT pg_temp.fold('2026-04-03 00:00Z');
SELECT pg_temp.run('2026-04-05 12:00Z');
SELECT is(pg_temp.board('total_tokens', '30d'), 'edge 1 11111100, early-bird 2 14, late-riser 2 14', 'ties are ordered by newest hour, folded');

-- 120 days are only read when a rule asks for them, and have no board.
SELECT is((SELECT count(*) FROM pg_temp.title_work WHERE window_name = '120d'), 0::bigint, 'a window that no rule uses is not read');
SELECT pg_temp.used('edge', '2025-12-06 12:00Z', 1), pg_temp.used('edge', '2025-12-06 11:00Z', 5);
INSERT INTO title_rule (name, description, metric, window_name) VALUES ('Season', '-', 'total_tokens', '120d');
SELECT pg_temp.run('2026-04-05 12:00Z');
SELECT is((SELECT total_tokens FROM pg_temp.title_work JOIN person ON id = person_id
	WHERE window_name = '120d' AND user_key = 'edge'), 1111111112::bigint, 'a longer window that a rule uses is exact as well');

-- Boards.
SELECT pg_temp.used(format('n%s', n), '2026-04-05 10:00Z', 20) FROM generate_series(1, 300) n;
SELECT pg_temp.run('2026-04-05 12:00Z');
SELECT is((SELECT string_agg(window_name || ' ' || n, ', ' ORDER BY window_name) FROM
	(SELECT window_name, count(*) AS n FROM leaderboard WHERE board = 'total_tokens' GROUP BY 1) b), '24h 250, 30d 250, 7d 250',
	'a board has 250 rows, ties or not');
SELECT is((SELECT string_agg(DISTINCT window_name, ' ' ORDER BY window_name) FROM leaderboard), '24h 30d 7d', 'boards are of 24h, 7d and 30d');
SELECT is((SELECT DISTINCT as_of FROM leaderboard), '2026-04-05 12:00Z'::timestamptz, 'boards are of the newest run');
SELECT is((SELECT string_agg(DISTINCT board, ' ' ORDER BY board) FROM leaderboard), 'total_tokens', 'a board without anybody is empty');

SELECT * FROM finish();
ROLLBACK;
