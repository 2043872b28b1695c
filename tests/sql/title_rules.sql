-- SPDX-License-Identifier: Apache-2.0
-- Rules of titles are rows, and a row that no run could follow is refused with what would be right.
BEGIN;
\ir title_fixture.psql
SELECT plan(23);

CREATE FUNCTION pg_temp.rule(p_column text, p_value text) RETURNS text LANGUAGE sql AS $$
	SELECT format('INSERT INTO title_rule (name, description, metric%s) VALUES (''New'', ''-'', ''calls'', %L)',
		', ' || p_column, p_value)
$$;

SELECT throws_ok($$INSERT INTO title_rule (name, description, metric) VALUES ('New', '-', 'lines_of_code')$$, '22023',
	'unknown metric "lines_of_code"; known: cache_hit_ratio, cache_known_tokens, calls, cost_per_1k_output, cost_usd, error_bound, longest_session_hours, models_used, open_weight_share, output_tokens, providers_used, streak_days, total_tokens',
	'an unknown metric is refused with the list of known ones');
SELECT throws_ok(pg_temp.rule('window_name', '31d'), '22023',
	'unknown window "31d"; known: 24h, 7d, 30d, 120d', 'an unknown window is refused with the list');
SELECT throws_ok(pg_temp.rule('kind', 'lottery'), '22023',
	'unknown kind "lottery"; known: rank, milestone', 'an unknown kind is refused with the list');
SELECT throws_ok(pg_temp.rule('direction', 'sideways'), '22023',
	'unknown direction "sideways"; known: descending, ascending', 'an unknown direction is refused with the list');
SELECT throws_ok(pg_temp.rule('tiers', '{"emerald": 1, "platinum": 2}'), '22023',
	'unknown tier "platinum"; known: emerald, jade, gold, silver, bronze', 'an unknown tier is refused with the list');
SELECT throws_ok(pg_temp.rule('floors', '{"hours": 2}'), '22023',
	'unknown floor "hours"; known: cache_hit_ratio, cache_known_tokens, calls, cost_per_1k_output, cost_usd, error_bound, longest_session_hours, models_used, open_weight_share, output_tokens, providers_used, streak_days, total_tokens',
	'a floor on an unknown metric is refused with the list');
SELECT throws_ok(pg_temp.rule('floors', '{"calls": "many"}'), '22023',
	'floors must be an object of numbers, such as {"calls": 100}', 'a floor that is not a number is refused');
SELECT throws_ok(pg_temp.rule('tiers', '{"emerald": 3, "jade": 3}'), '22023',
	'tiers must hold ranks from 1 to 100000 that rise from emerald to bronze, such as {"emerald": 1, "jade": 3}',
	'tiers by rank must rise');
SELECT throws_ok(pg_temp.rule('tiers', '{}'), '22023', NULL, 'a rule without tiers is refused');
SELECT throws_ok($$INSERT INTO title_rule (name, description, metric, kind, tiers)
	VALUES ('New', '-', 'calls', 'milestone', '{"emerald": 2, "bronze": 3}')$$, '22023',
	'tiers must hold values above 0 that fall from emerald to bronze, such as {"emerald": 20, "jade": 12}',
	'thresholds of a milestone must fall');
SELECT throws_ok($$UPDATE title_rule SET metric = 'lines_of_code' WHERE name = 'Token Legend'$$, '22023', NULL,
	'an unknown metric is refused in an update too');

SELECT lives_ok('UPDATE title_rule SET name = name', 'the rules that come with the program pass the check');
INSERT INTO title_rule (name, description, metric, rule_version) VALUES ('Busy Bee', 'Most calls', 'calls', 7);
SELECT is((SELECT tiers::text || rule_version FROM title_rule WHERE name = 'Busy Bee'),
	'{"gold": 10, "jade": 3, "bronze": 250, "silver": 50, "emerald": 1}1', 'a new rule of kind rank has the usual tiers and version 1');
UPDATE title_rule SET description = 'Most calls of all', enabled = false WHERE name = 'Busy Bee';
SELECT is((SELECT rule_version FROM title_rule WHERE name = 'Busy Bee'), 1, 'words and the switch leave the version of a rule');
UPDATE title_rule SET floors = '{"calls": 10}' WHERE name = 'Busy Bee';
SELECT is((SELECT rule_version FROM title_rule WHERE name = 'Busy Bee'), 2, 'another meaning raises the version of a rule');

SET LOCAL ROLE tokentally_admin;
SELECT lives_ok($$UPDATE title_rule SET enabled = true WHERE name = 'Busy Bee'$$, 'an administrator edits rules');
SELECT throws_ok(pg_temp.rule('kind', 'lottery'), '22023', NULL, 'an administrator''s rules are checked as well');
RESET ROLE;

SELECT is((SELECT string_agg(COALESCE(title_streak(near, far), 0)::text, ' ') FROM (VALUES (7::bigint, 0::bigint), (0, 0), (5, 0),
	(1::bigint << 59, 1), (5, 1023), ((1::bigint << 60) - 1, (1::bigint << 27) - 1), (1, 1), (7::bigint << 57, 6)) m (near, far)),
	'3 0 1 2 10 87 1 3', 'a streak goes on over the border of the two masks');

SELECT recompute_titles('2026-03-15 12:00Z');
SELECT is_empty($$SELECT name FROM title_metric EXCEPT
	SELECT attname FROM pg_attribute WHERE attrelid = 'pg_temp.title_work'::regclass$$, 'every known metric is a column of the work table');

-- What was awarded stays explained.
SELECT pg_temp.used('holder', '2026-03-15 11:00Z', 20000000, 2000);
SELECT recompute_titles('2026-03-15 12:00Z');
SET LOCAL ROLE tokentally_admin;
SELECT throws_ok($$DELETE FROM title_rule WHERE name = 'Busy Bee'$$, '23503', 'title "Busy Bee" was awarded and cannot be removed or renamed',
	'a rule that has given awards is not removed');
SELECT throws_ok($$UPDATE title_rule SET name = 'Bee' WHERE name = 'Busy Bee'$$, '23503', NULL, '... nor renamed');
SELECT lives_ok($$UPDATE title_rule SET enabled = false WHERE name = 'Busy Bee'$$, '... but disabled');
INSERT INTO title_rule (name, description, metric) VALUES ('Never', 'Given to nobody yet', 'calls');
SELECT lives_ok($$DELETE FROM title_rule WHERE name = 'Never'$$, 'one that gave none is removed');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
