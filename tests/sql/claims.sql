-- SPDX-License-Identifier: Apache-2.0
--
-- Who owns a partition: claims, other groups, waiting owners, quarantine and its end.
SELECT plan(29);
SELECT is((SELECT string_agg(topic || known, ' ') FROM ingest_starts('{calls,other}')), 'callsfalse otherfalse',
	'topics without a row are unknown');

-- A claim as the daemon does it.
CREATE FUNCTION test.claimed(p_owner int, p_partitions int[], p_starts bigint[],
	p_group text DEFAULT 'g') RETURNS SETOF text LANGUAGE sql AS $$
	SELECT test.query_as('tokentally_ingest', format(
		'SELECT topic, partition, next_offset, incarnation, owner_epoch, last_offset, state, accepted
		FROM ingest_claim(%L, %L, 77, ''2026-11-20 10:00Z'', %L, %L, %L)', p_group, test.owner(p_owner),
		array_fill('calls'::text, ARRAY[cardinality(p_partitions)]), p_partitions, p_starts))
$$;
SELECT results_eq($$SELECT test.claimed(1, '{1,0}', '{100,5}')$$, $$VALUES ('(calls,0,5,1,1,,ok,0)'),
	('(calls,1,100,1,1,,ok,0)')$$,
	'new partitions begin at their start');
SELECT results_eq($$SELECT test.claimed(2, '{0,1}', '{0,0}')$$, $$VALUES ('(calls,0,5,1,2,,ok,0)'),
	('(calls,1,100,1,2,,ok,0)')$$,
	'a new claim raises the epoch and keeps the position');
SELECT results_eq($$SELECT test.claimed(2, '{0,7}', '{NULL,NULL}')$$, $$VALUES ('(calls,0,5,1,3,,ok,0)')$$,
	'a partition without row and without start is left out');
SELECT is((SELECT string_agg(topic || known, ' ') FROM ingest_starts('{other,calls}')), 'otherfalse callstrue',
	'a topic with a row is known');
SELECT throws_ok($$SELECT test.claimed(3, '{0}', '{0}', 'another')$$, 'TT003', NULL,
	'another Kafka group is refused');
SELECT is((SELECT owner_id FROM kafka_offset WHERE partition = 0), test.owner(2), '... and changes nothing');
SELECT results_eq($$SELECT test.query_as('tokentally_ingest',
	'SELECT * FROM ingest_owners(''{calls,calls,calls}'', ''{0,1,9}'')')$$,
	$$SELECT ROW(77, '2026-11-20 10:00Z'::timestamptz)::text$$, 'owners are known by pid and start');

-- A commit in flight of the old owner: the claim waits for it, and then sees what it did.
SELECT ingest_ensure_partitions('2026-11-20Z', '2026-11-21Z', '2026-11-20Z') > 0 AS made \gset
SELECT test.open('old'), test.open('new');
SELECT pid AS pid FROM dblink('new', 'SELECT pg_backend_pid()') AS t (pid int) \gset
SELECT dblink_exec('old', 'BEGIN');
SELECT is((SELECT answer FROM dblink('old', $$SELECT test.commit(test.owner(2), 1, 5, 9, test.events(1, 50,
	'2026-11-20Z', '1 hour'))$$)
	AS t (answer text)), 'committed', 'the old owner is about to commit');
SELECT dblink_send_query('new', $$SELECT test.claimed(4, '{0,1}', '{0,0}')$$);
SELECT ok(test.waits(:pid), 'the new owner waits for it');
SELECT is((SELECT count(*) FROM ingest_owners('{calls}', '{0}')), 1::bigint,
	'... while the owner can be read without waiting');
SELECT dblink_exec('old', 'COMMIT');
SELECT results_eq($$SELECT * FROM dblink_get_result('new') AS t (row text)$$,
	$$VALUES ('(calls,0,9,1,4,8,ok,50)'), ('(calls,1,100,1,3,,ok,0)')$$,
	'... and goes on where it ended');
SELECT * FROM dblink_get_result('new') AS t (row text);
SELECT is((SELECT sum(calls) FROM usage_by_hour), 50::numeric, 'the batch is counted');
SELECT throws_ok($$SELECT test.commit(test.owner(2), 2, 9, 19, test.events(2, 50, '2026-11-20Z', '1 hour'))$$,
	'TT001', NULL,
	'the next one of the old owner is refused');

-- The other way round: the claim first, the commit waits for it and is refused.
SELECT pid AS pid FROM dblink('old', 'SELECT pg_backend_pid()') AS t (pid int) \gset
SELECT dblink_exec('new', 'BEGIN');
SELECT * FROM dblink('new', $$SELECT test.claimed(5, '{0}', '{0}')$$) AS t (row text);
SELECT dblink_send_query('old', $$SELECT test.commit(test.owner(4), 1, 9, 19, test.events(2, 50, '2026-11-20Z',
	'1 hour'))$$);
SELECT ok(test.waits(:pid), 'a commit waits for a claim');
SELECT dblink_exec('new', 'COMMIT');
SELECT throws_ok($$SELECT * FROM dblink_get_result('old') AS t (answer text)$$, 'TT001', NULL,
	'... and is refused then');
SELECT is((SELECT sum(calls) FROM usage_by_hour), 50::numeric, '... without a trace');

-- Dedupe blocks.
SELECT lives_ok($$SELECT test.value_as('tokentally_ingest',
	format('SELECT ingest_commit(%L, 2, 1, now(), %L, ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', %L, ''{50}'')',
	test.owner(5), ARRAY[ROW('calls', 0, 9, 20, 19, 5000, 1, 25, NULL, 0, 0, 3, 0)::progress_delta],
	ARRAY[ROW('calls', 0, 9, 15, 0, 10, 40, 2, '\x0102')::dedupe_delta, ROW('calls', 0, 15, 20, 0, 45, 60,
	1, '\x03')::dedupe_delta]))$$,
	'ids of a batch are stored');
SELECT results_eq('SELECT topic, partition, ids FROM dedupe_block', $$VALUES ('calls'::text COLLATE "C", 0, '\x03'::bytea)$$,
	'blocks before the window are forgotten, the others are kept');
SELECT is((SELECT format('%s %s %s', last_offset, last_time_ms, last_crc) FROM kafka_offset
	WHERE partition = 0), '19 5000 1', 'the last message is remembered');

-- Quarantine.
SELECT throws_ok(format('SELECT test.value_as(%L, %L)', 'tokentally_ingest',
	format('SELECT ingest_quarantine(%L, ''calls'', 0, ''gone'')', test.owner(4))), 'TT001', NULL,
	'only the owner can quarantine');
SELECT lives_ok(format('SELECT test.value_as(%L, %L)', 'tokentally_ingest',
	format('SELECT ingest_quarantine(%L, ''calls'', 0, ''offset 20 is beyond the end, 7'')',
	test.owner(5))), 'the owner quarantines');
SELECT is((SELECT state FROM ingest_progress WHERE partition = 0), 'quarantined', 'progress shows it');
SELECT results_eq($$SELECT test.claimed(6, '{0,1}', '{0,0}')$$, $$VALUES ('(calls,0,20,1,6,19,quarantined,50)'),
	('(calls,1,100,1,4,,ok,0)')$$,
	'a claim does not end it');
SELECT throws_ok($$SELECT accept_reset('calls', 9, 0, 'no such')$$, 'P0002', NULL,
	'a partition never claimed cannot be reset');
SELECT throws_ok($$SELECT accept_reset('calls', 1, 0, 'by mistake')$$, '55000', NULL,
	'nor one that is not in quarantine');
SELECT lives_ok($$SELECT test.value_as('tokentally_admin',
	'SELECT accept_reset(''calls'', 0, 3, ''topic was made anew'')')$$, 'admin accepts the reset');
SELECT results_eq($$SELECT old_offset || '>' || new_offset || ' ' || old_incarnation || '>' || new_incarnation || ' ' || reason FROM offset_change ORDER BY id$$,
	$$VALUES ('20>20 1>1 quarantined: offset 20 is beyond the end, 7'), ('20>3 1>2 topic was made anew')$$,
	'both are recorded');
SELECT throws_ok($$SELECT test.commit(test.owner(6), 1, 3, 4, test.events(2, 1, '2026-11-20Z', '1 hour'))$$,
	'TT001', NULL,
	'the owner of before has to claim again');
SELECT * FROM finish();
