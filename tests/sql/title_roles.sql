-- SPDX-License-Identifier: Apache-2.0
-- Who sees what of titles, and who may do what.
BEGIN;
\ir title_fixture.psql
SELECT plan(40);

SELECT pg_temp.used('ann', '2026-03-15 09:00Z', 300), pg_temp.used('bob', '2026-03-15 09:00Z', 200);
SELECT set_person('bob', names => 'hidden');
SELECT pg_temp.run('2026-03-15 10:00Z');
UPDATE person SET shown_key = '(hidden)' WHERE user_key = 'bob';

CREATE FUNCTION pg_temp.seen(p_query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_seen text;
BEGIN
	EXECUTE format('SELECT string_agg(name, '' '' ORDER BY name COLLATE "C") FROM (%s) q(name)', p_query) INTO v_seen;
	RETURN v_seen;
END
$$;
CREATE TEMP TABLE place (name text, query text);
INSERT INTO place VALUES ('title_holder', 'SELECT user_key FROM title_holder'), ('title_award', 'SELECT user_key FROM title_award'),
	('title_holder_at', 'SELECT user_key FROM title_holder_at(now())'),
	('leaderboard', 'SELECT display_name FROM leaderboard WHERE window_name = ''30d'''),
	('leaderboard_titles', 'SELECT display_name FROM leaderboard_titles WHERE window_name = ''30d''');
GRANT SELECT ON place TO PUBLIC;

SET LOCAL ROLE tokentally_reader;
SELECT is(pg_temp.seen(query), '(hidden) p-ann', 'a reader sees pseudonyms, and hidden people as such, in ' || name) FROM place;
SELECT is((SELECT string_agg(concat_ws(' ', place, display_name, titles), ', ' ORDER BY place) FROM leaderboard_titles WHERE window_name = '30d'),
	'1 p-ann Token Legend emerald, 2 (hidden)', 'a reader sees everyone''s titles on a board, but of hidden people');
SELECT is((SELECT string_agg(concat_ws(' ', board, window_name, people), ', ' ORDER BY board, hours) FROM leaderboard_list),
	'cache_hit_ratio 24h 0, cache_hit_ratio 7d 0, cache_hit_ratio 30d 0, total_tokens 24h 2, total_tokens 7d 2, total_tokens 30d 2',
	'a reader sees which boards there are, empty ones as well');
SELECT isnt_empty('SELECT * FROM title_run', 'a reader sees the runs');
SELECT lives_ok('SELECT * FROM title_run_note', 'a reader sees their remarks');
SELECT throws_ok('SELECT * FROM ' || t, '42501', NULL, 'a reader cannot read ' || t)
FROM unnest(ARRAY['title_award_row', 'title_standing', 'leaderboard_row', 'title_run_row']) t;
SELECT throws_ok($$SELECT recompute_titles('2026-03-15 11:00Z')$$, '42501', NULL, 'a reader starts no run');
SELECT throws_ok($$SELECT preview_titles('2026-03-15 11:00Z')$$, '42501', NULL, 'a reader starts no preview');
RESET ROLE;
SET LOCAL ROLE tokentally_people;
SELECT is(pg_temp.seen(query), 'ann bob', 'the people role sees names in ' || name) FROM place;
SELECT is((SELECT string_agg(concat_ws(' ', place, display_name, titles), ', ' ORDER BY place) FROM leaderboard_titles WHERE window_name = '30d'),
	'1 ann Token Legend emerald, 2 bob Token Legend jade', 'the people role sees the titles of hidden people too');
RESET ROLE;
SET LOCAL ROLE tokentally_ingest;
SELECT is(pg_temp.seen(query), '(hidden) p-ann', 'the daemon sees no names in ' || name) FROM place WHERE name <> 'title_award';
SELECT lives_ok($$SELECT * FROM titles_due(now(), '2m', '1h', 24)$$, 'the daemon asks what is due');
SELECT is((SELECT outcome FROM recompute_titles('2026-03-15 11:00Z')), 'stored', 'the daemon starts runs');
SELECT throws_ok('SELECT titles_' || f, '42501', NULL, 'the daemon cannot call the part titles_' || f)
FROM unnest(ARRAY['measure(now(), ''{}'')', 'compute(now())', 'award(now())']) f;
SELECT throws_ok('DELETE FROM title_award_row', '42501', NULL, 'the daemon cannot change history');
SELECT throws_ok('UPDATE title_rule SET enabled = true', '42501', NULL, 'the daemon cannot change rules');
RESET ROLE;
SET LOCAL ROLE tokentally_admin;
SELECT is((SELECT outcome FROM recompute_titles('2026-03-15 12:00Z')), 'stored', 'an administrator starts runs');
SELECT lives_ok('SELECT * FROM title_rule', 'an administrator reads rules');
RESET ROLE;

-- Two who are hidden: neither has the other's titles, nor their own.
UPDATE person SET shown_key = '(hidden)';
SET LOCAL ROLE tokentally_reader;
SELECT is((SELECT string_agg(concat_ws(' ', display_name, titles), ', ') FROM leaderboard_titles WHERE window_name = '30d'), '(hidden), (hidden)',
	'no titles are shown where all are hidden');
RESET ROLE;

-- What a run needs where PUBLIC has no right to temporary tables, and what psql would print of one.
SELECT current_database() AS db \gset
REVOKE TEMPORARY ON DATABASE :"db" FROM PUBLIC;
SET LOCAL ROLE tokentally_ingest;
SELECT throws_ok($$SELECT recompute_titles('2026-03-15 13:00Z')$$, '42501', NULL, 'no run without the right to temporary tables');
RESET ROLE;
GRANT TEMPORARY ON DATABASE :"db" TO tokentally_owner;
SET LOCAL ROLE tokentally_ingest;
SELECT is((SELECT outcome FROM recompute_titles('2026-03-15 13:00Z')), 'stored', 'the owner''s right is enough');
RESET ROLE;
SELECT isnt_empty($$SELECT FROM pg_database, aclexplode(datacl) WHERE datname = 'template_tokentally'
	AND grantee = 'tokentally_owner'::regrole AND privilege_type = 'TEMPORARY'$$, 'the migration gives the owner that right');
SELECT ok('client_min_messages=warning' = ANY (proconfig), oid::regproc || ' sends no notices')
FROM pg_proc WHERE pronamespace = 'tokentally'::regnamespace AND proname IN ('recompute_titles', 'preview_titles');

SELECT * FROM finish();
ROLLBACK;
