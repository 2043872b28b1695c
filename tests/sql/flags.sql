-- SPDX-License-Identifier: Apache-2.0
--
-- Flags find what their definitions say, also where several identities make up one person: compared with the definitions,
-- written down plainly, over four days of people who are just below, at and above each limit.
BEGIN;
SET client_min_messages = warning;
SET search_path = tokentally, public;
SET timezone = 'UTC';
SELECT plan(12);
CREATE TABLE usage_hour_any PARTITION OF usage_hour DEFAULT;
CREATE TABLE usage_day_any PARTITION OF usage_day DEFAULT;
CREATE TABLE session_slot_any PARTITION OF session_slot DEFAULT;
INSERT INTO team (name) VALUES ('all');
INSERT INTO model (provider, name) VALUES ('p', 'm1'), ('p', 'm2');
INSERT INTO person (user_key, pseudonym, shown_key) SELECT 'u' || n, 'P' || n, 'P' || n FROM generate_series(1, 60) n;
-- Of 60 identities 20 are other names of the first 10: two each.
CREATE TEMP TABLE who AS SELECT id, row_number() OVER (ORDER BY id) AS n, NULL::bigint AS main FROM person;
UPDATE who SET main = (SELECT id FROM who m WHERE m.n = (who.n - 41) / 2 + 1) WHERE n > 40;
UPDATE person p SET main_id = w.main FROM who w WHERE w.id = p.id;
CREATE FUNCTION pg_temp.main_of(p_id bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT COALESCE(main_id, id) FROM person WHERE id = p_id $$;
CREATE FUNCTION pg_temp.days() RETURNS timestamptz[] LANGUAGE sql AS $$ SELECT ARRAY['2026-03-11Z', '2026-03-12Z', '2026-03-13Z', '2026-03-14Z']::timestamptz[] $$;

-- Many sessions: 44 to 57 of a person in an hour, in either slot or both, by one identity or three; some sessions are shared.
INSERT INTO session_slot (slot, person_id, session_id, session_key, shown_key, first_seen, last_seen, calls)
SELECT slot, id, md5(session)::uuid, session, '', slot, slot + interval '1 minute', 1
FROM (SELECT DISTINCT hour + CASE WHEN h % 3 = 0 THEN s % 2 ELSE h % 2 END * interval '30 minutes' AS slot,
		(SELECT w.id FROM who w WHERE COALESCE(w.main, w.id) = m.id ORDER BY w.n OFFSET s % 3 * (h / 7 % 2) % (SELECT count(*) FROM who w WHERE COALESCE(w.main, w.id) = m.id) LIMIT 1) AS id,
		concat_ws(' ', m.id, hour, s) AS session
	FROM who m, unnest(pg_temp.days()) d, LATERAL (SELECT d + abs(hashint8(m.n * 31 + extract(day FROM d)::int)) % 24 * interval '1 hour' AS hour) at,
		abs(hashint8(m.n * 1009 + extract(day FROM d)::int)) h, generate_series(1, 44 + h % 14) s
	WHERE m.main IS NULL) used;
CREATE TEMP TABLE many AS
SELECT DISTINCT person_id, day FROM (SELECT pg_temp.main_of(person_id) AS person_id, date_trunc('day', slot) AS day, date_trunc('hour', slot) AS hour,
		count(DISTINCT session_id) AS sessions FROM session_slot GROUP BY 1, 2, 3) counted WHERE sessions > 50;
SELECT cmp_ok((SELECT count(*) FROM many), '>', 30::bigint, 'there are people with many sessions');
SELECT cmp_ok((SELECT count(*) FROM many WHERE person_id IN (SELECT main FROM who)), '>', 5::bigint, '... of several identities too');
SELECT set_eq('SELECT person_id, day FROM flags_many_sessions(pg_temp.days(), ''2026-03-15Z'')', 'SELECT * FROM many', 'many sessions: all of them and nobody else');
SELECT set_eq('SELECT person_id, day FROM flags_many_sessions(ARRAY[''2026-03-12Z'']::timestamptz[], ''2026-03-15Z'')',
	'SELECT * FROM many WHERE day = ''2026-03-12Z''', '... of the days asked for');

-- Always active: 19 to 24 hours of a day, by one identity or three.
INSERT INTO usage_hour (bucket, person_id, team_id, model_id, price_class, calls)
SELECT d + k * interval '1 hour', (SELECT w.id FROM who w WHERE COALESCE(w.main, w.id) = m.id ORDER BY w.n OFFSET k % 3 % (SELECT count(*) FROM who w WHERE COALESCE(w.main, w.id) = m.id) LIMIT 1),
	(SELECT id FROM team), (SELECT id FROM model WHERE name = 'm' || k % 2 + 1), 0, 1
FROM who m, unnest(pg_temp.days()) d, abs(hashint8(m.n * 77 + extract(day FROM d)::int)) h, generate_series(0, 18 + h % 6) k
WHERE m.main IS NULL;
CREATE TEMP TABLE active AS
SELECT person_id, day FROM (SELECT pg_temp.main_of(person_id) AS person_id, date_trunc('day', bucket) AS day, count(DISTINCT bucket) AS hours
	FROM usage_hour GROUP BY 1, 2) counted WHERE hours > 20;
SELECT cmp_ok((SELECT count(*) FROM active), '>', 30::bigint, 'there are people active round the clock');
SELECT set_eq('SELECT person_id, day FROM flags_always_active(pg_temp.days(), ''2026-03-15Z'')', 'SELECT * FROM active', 'always active: all of them and nobody else');
SELECT is((SELECT count(*) FROM flags_always_active(ARRAY['2026-03-14Z']::timestamptz[], '2026-03-14 20:00Z')), 0::bigint,
	'... and of a day that is not over, its hours so far');

-- Sudden days: a steady month by one identity, then a day of 80 to 200 times that by all of them; folded up to the last day but one.
DELETE FROM usage_hour;
INSERT INTO usage_hour (bucket, person_id, team_id, model_id, price_class, calls, input_tokens)
SELECT '2026-03-14 12:00Z'::timestamptz - ago * interval '1 day', w.id, (SELECT id FROM team), (SELECT min(id) FROM model), 0, 1,
	CASE WHEN ago IN (0, 1) AND h % 3 > 0 THEN (80 + h % 121) * 12000 / CASE WHEN w.n <= 10 OR w.n > 40 THEN 3 ELSE 1 END ELSE 12000 END
FROM who w, generate_series(0, 29) ago, abs(hashint8(w.n * 131 + ago)) h WHERE (w.main IS NULL OR ago < 2) AND (ago < 2 OR ago % (w.n % 7 + 1) = 0);
INSERT INTO usage_day (bucket, person_id, team_id, model_id, price_class, calls, input_tokens)
SELECT date_trunc('day', bucket), person_id, team_id, model_id, price_class, calls, input_tokens FROM usage_hour WHERE bucket < '2026-03-13Z';
UPDATE usage_fold SET folded_until = '2026-03-13Z';
CREATE TEMP TABLE sudden AS
WITH days AS (SELECT pg_temp.main_of(person_id) AS person_id, date_trunc('day', bucket) AS day, sum(input_tokens) AS tokens FROM usage_hour GROUP BY 1, 2)
SELECT person_id, day FROM days d WHERE tokens > 1000000 AND day >= '2026-03-11Z'
AND (SELECT count(*) >= 5 AND d.tokens > 100 * percentile_cont(0.5) WITHIN GROUP (ORDER BY o.tokens::float8) FROM days o
	WHERE o.person_id = d.person_id AND o.day <= d.day AND o.day > d.day - interval '30 days');
SELECT cmp_ok((SELECT count(*) FROM sudden), '>', 5::bigint, 'there are people with a sudden day');
SELECT cmp_ok((SELECT count(*) FROM sudden WHERE person_id IN (SELECT main FROM who)), '>', 0::bigint, '... of several identities too');
SELECT set_eq('SELECT person_id, day FROM flags_sudden_day(pg_temp.days(), ''2026-03-15Z'')', 'SELECT * FROM sudden', 'sudden days: all of them and nobody else');
SELECT is_empty('SELECT FROM flags_sudden_day(ARRAY[]::timestamptz[], ''2026-03-15Z'')', '... and none when no day changed');
SELECT is_empty('SELECT FROM flags_many_sessions(ARRAY[]::timestamptz[], ''2026-03-15Z'')', 'nor many sessions');
SELECT * FROM finish();
ROLLBACK;
