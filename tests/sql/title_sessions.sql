-- SPDX-License-Identifier: Apache-2.0
--
-- The longest sessions, found by looking at few slots, are those that all slots give: sessions of 1 to 40 slots, with gaps, calls
-- at any minute, shared by identities of one person, cut by the windows' edges.
BEGIN;
SET client_min_messages = warning;
SET search_path = tokentally, public;
SET timezone = 'UTC';
SELECT plan(14);
CREATE TABLE session_slot_any PARTITION OF session_slot DEFAULT;
INSERT INTO person (user_key, pseudonym, shown_key) SELECT 'u' || n, 'P' || n, 'P' || n FROM generate_series(1, 300) n;
-- The last hundred are other names of the first fifty, two each.
WITH numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM person)
UPDATE person p SET main_id = m.id FROM numbered a JOIN numbered m ON m.n = (a.n - 201) / 2 + 1 WHERE a.id = p.id AND a.n > 200;
INSERT INTO session_slot (slot, person_id, session_id, session_key, shown_key, first_seen, last_seen, calls)
SELECT slot, p.id, md5(key)::uuid, key, '', slot + h2 % 900 * interval '1 second', slot + (900 + h2 / 900 % 899) * interval '1 second', 2
FROM person p, generate_series(1, 6) s, abs(hashint8(p.id * 101 + s)) h,
	LATERAL (SELECT '2026-03-01Z'::timestamptz + h % 650 * interval '30 minutes' AS start,
		-- The third session of an alias is one that the person has under the other name as well.
		COALESCE(CASE WHEN s = 3 THEN p.main_id END, p.id) || ' ' || s AS key) begins,
	generate_series(start, start + CASE WHEN h % 5 < 3 THEN h / 7 % 3 ELSE h / 7 % 40 END * interval '30 minutes', '30 minutes') slot,
	abs(hashint8(extract(epoch FROM slot)::bigint + p.id * 7)) h2
WHERE h2 % 29 > 0 ON CONFLICT DO NOTHING; -- a slot in 29 is empty: a gap
ANALYZE person, session_slot;

-- Of the first p_wanted in a window, with all who tie with the last, what the two ways differ in.
CREATE FUNCTION pg_temp.differing(p_from timestamptz, p_to timestamptz, p_wanted int) RETURNS SETOF text LANGUAGE sql AS $$
	WITH all_slots AS (SELECT person_id, longest_us, rank() OVER (ORDER BY longest_us DESC) AS rank FROM titles_chains(p_from, p_to, 1, 1)),
		few_slots AS (SELECT person_id, longest_us, rank() OVER (ORDER BY longest_us DESC) AS rank
			FROM titles_sessions(p_to, ARRAY[p_from], ARRAY[p_wanted], ARRAY[false]))
	SELECT concat_ws(' ', a.person_id, a.longest_us, a.rank, f.person_id, f.longest_us, f.rank)
	FROM (SELECT * FROM all_slots WHERE rank <= p_wanted) a FULL JOIN (SELECT * FROM few_slots WHERE rank <= p_wanted) f USING (person_id)
	WHERE (a.longest_us, a.rank) IS DISTINCT FROM (f.longest_us, f.rank)
$$;
SELECT cmp_ok((SELECT count(*) FROM titles_chains('2026-03-01Z', '2026-03-15Z', 1, 1) WHERE longest_us > 36000000000), '>', 20::bigint, 'there are long sessions');
SELECT is_empty(format('SELECT pg_temp.differing(%L, %L, %s)', p_from, p_to, wanted), format('the longest %s from %s to %s', wanted, p_from, p_to))
FROM (VALUES ('2026-03-01Z', '2026-03-15Z'), ('2026-03-07 13:00Z', '2026-03-14 13:00Z'), ('2026-03-09 01:00Z', '2026-03-10 01:00Z')) w (p_from, p_to),
	unnest(ARRAY[1, 10, 50, 150]) wanted;

-- What a search from p_slots slots on promises: everyone with a chain of that many, whatever their number.
SELECT is_empty($$SELECT p_slots, a.person_id FROM generate_series(1, 45) p_slots
	CROSS JOIN LATERAL (SELECT * FROM titles_chains('2026-03-01Z', '2026-03-15Z', 1, 1) WHERE longest_us >= (p_slots - 1) * 1800000000::bigint) a
	LEFT JOIN LATERAL titles_chains('2026-03-01Z', '2026-03-15Z', p_slots, 1) f ON f.person_id = a.person_id
	WHERE f.longest_us IS DISTINCT FROM a.longest_us$$, 'whatever the number of slots looked for, no chain as long is missed');
SELECT * FROM finish();
ROLLBACK;
