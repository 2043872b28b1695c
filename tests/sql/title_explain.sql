-- SPDX-License-Identifier: Apache-2.0
-- What titles explain says.
BEGIN;
\ir title_fixture.psql
SELECT no_plan();
CREATE FUNCTION pg_temp.explain(p_who text, p_title text DEFAULT 'Token Legend') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' | ', tier, rank, value, next_tier, next_value, moved, kept_out), E'\n') FROM explain_titles(p_who, p_title)
$$;
SELECT pg_temp.used(format('p%s', lpad(n::text, 3, '0')), '2026-03-15 09:00Z', 1000 - n) FROM generate_series(1, 300) n;
SELECT pg_temp.run('2026-03-15 10:00Z');
SELECT is(pg_temp.explain('p001'), 'emerald | 1 | 999', 'the first has nothing to reach');
SELECT is(pg_temp.explain('p002'), 'jade | 2 | 998 | emerald | 999', 'the second is told what the first has');
SELECT is(pg_temp.explain('p051'), 'bronze | 51 | 949 | silver | 950', 'bronze is told what silver needs');
SELECT is(pg_temp.explain('p280'), '280 | 720 | bronze | 750', 'who is beyond the places has a rank too');
SELECT is(pg_temp.explain('p280', 'Cache Wizard'), '0 | bronze | cache_known_tokens is 720 and must be at least 1000000; calls is 1 and must be at least 100',
	'floors are named with what one has');
SELECT pg_temp.used('p005', '2026-03-15 10:00Z', 500);
SELECT pg_temp.run('2026-03-15 11:00Z');
SELECT is(pg_temp.explain('p005'), 'emerald | 1 | 1495 | from rank 5 to 1: own change', 'a rank moved by oneself');
SELECT is(pg_temp.explain('p001'), 'jade | 2 | 999 | emerald | 1495 | from rank 1 to 2: others changed', '... or by others');
SELECT pg_temp.used('p004', '2026-03-15 08:00Z', 400);
SELECT pg_temp.run('2026-03-15 11:00Z');
SELECT is(pg_temp.explain('p004'), 'jade | 2 | 1396 | emerald | 1495 | from rank 4 to 2: late data', '... or by late data');
UPDATE title_rule SET floors = '{"total_tokens": 800}' WHERE name = 'Token Legend';
SELECT pg_temp.used('p009', '2026-03-15 11:00Z', 2000);
SELECT pg_temp.run('2026-03-15 12:00Z');
SELECT is(pg_temp.explain('p009'), 'emerald | 1 | 2991 | from rank 9 to 1: new version of the rule', '... or by a new rule');
INSERT INTO title_flag_row (person_id, rule, day, evidence, opened_at) SELECT id, 'always active', '2026-03-15', '22 active hours', now() FROM person WHERE user_key = 'p009';
SELECT pg_temp.run('2026-03-15 13:00Z');
SELECT is(pg_temp.explain('p009'), 'bronze | 800 | from rank 1 to none: flag | flag "always active" of 2026-03-15: 22 active hours', 'a flag keeps out, with its evidence');
SELECT set_person('p010', titles => false), set_person('p011', kind => 'service');
SELECT is((SELECT kept_out FROM explain_titles('p010', 'Cache Wizard')), 'does not take part in titles', 'so does a choice');
SELECT is((SELECT kept_out FROM explain_titles('p011', 'Cache Wizard')), 'a service account', '... or being a service');
INSERT INTO title_rule (name, description, metric, kind, tiers) VALUES ('Caller', '-', 'calls', 'milestone', '{"bronze": 1, "silver": 3}');
SELECT is(pg_temp.explain('p100', 'Caller'), 'bronze | 3 | 1 | silver | 3', 'of a milestone one is told the threshold');
SELECT throws_ok($$SELECT explain_titles('nobody')$$, 'P0002', NULL, 'nobody is explained');
SELECT throws_ok($$SELECT explain_titles('p001', 'Best')$$, '22023', 'unknown title "Best"; known: Cache Wizard, Caller, Token Legend', 'an unknown title is refused with the list');
SELECT is((SELECT count(*) FROM explain_titles('p001')), 3::bigint, 'without a title, all');
SELECT throws_ok(format('SET LOCAL ROLE %I; SELECT * FROM tokentally.explain_titles(''p001'')', r), '42501', NULL, r || ' is not told about others')
FROM unnest('{tokentally_reader,tokentally_ingest}'::text[]) r;
SELECT * FROM finish();
ROLLBACK;
