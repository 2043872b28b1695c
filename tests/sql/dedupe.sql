-- SPDX-License-Identifier: Apache-2.0
--
-- What bounds the event ids by number: what a claim reads of them, and what is trimmed; and by age: what a commit forgets.
SELECT plan(25);

-- Blocks of three partitions, written in another order than that of their messages' times. The ids of a block are
-- its name, so that they can be told apart.
INSERT INTO dedupe_block (topic, partition, from_offset, to_offset, base_ms, t_min_ms, t_max_ms, id_count, ids)
SELECT 'calls', partition, 0, 1, 0, newest - 10, newest, n, convert_to(name, 'UTF8')
FROM (VALUES ('a', 0, 500, 10), ('b', 0, 100, 10), ('c', 0, 300, 10), ('d', 1, 400, 10), ('e', 1, 200, 10),
	('f', 7, 900, 1000)) AS b (name, partition, newest, n);
-- The blocks that a claim gets, in the order in which they were written.
CREATE FUNCTION test.blocks(p_ids_max bigint) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(convert_from(ids, 'UTF8'), '' ORDER BY n), 'none')
	FROM ingest_dedupe_blocks(p_ids_max) WITH ORDINALITY AS b (max_seq, base_ms, ids, n)
$$;
-- All that is kept.
CREATE FUNCTION test.kept() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(convert_from(ids, 'UTF8'), '' ORDER BY seq), 'none') FROM dedupe_block
$$;
CREATE FUNCTION test.trim(p_ids_max bigint) RETURNS text LANGUAGE sql AS $$
	SELECT test.value_as('tokentally_ingest', format('SELECT tokentally.ingest_trim_dedupe(%s)', p_ids_max))
$$;

SELECT is(test.blocks(2000), 'abcdef', 'a claim gets the blocks of all partitions');
SELECT is(test.blocks(1050), 'abcdef', '... as many ids as there may be');
SELECT is(test.blocks(1040), 'acdef', '... not more: the block with the oldest messages stays away');
SELECT is(test.blocks(1030), 'acdf', '... the newest over all partitions, not of each');
SELECT is(test.blocks(1021), 'acdf', 'a block that crosses the bound still comes');
SELECT is(test.blocks(1020), 'adf', '... but none after it');
SELECT is(test.blocks(1), 'f', '... the newest alone, if it is larger than the bound');
SELECT is(test.blocks(0), 'none', 'no ids when none may be held');
SELECT is((SELECT max(max_seq) FROM ingest_dedupe_blocks(1)), (SELECT max(seq) FROM dedupe_block),
	'it says which block is the newest');

-- Between owners. An id is 8 bytes of fingerprint and 4 of time from the base, little-endian.
SELECT is(dedupe_time(1000, '\x05000000'), 1005::bigint, 'a time is so many ms after the base');
SELECT is(dedupe_time(1000, '\xfeffffff'), 998::bigint, '... or before it');
CREATE FUNCTION test.met(p_seen_seq bigint, p_base_ms bigint, p_ids bytea) RETURNS bigint LANGUAGE sql AS $$
	SELECT dedupe_meetings(test.owner(1), ARRAY[ROW('calls', 0, 0, 1, p_base_ms, p_base_ms, p_base_ms,
		length(p_ids) / 12, p_ids)::dedupe_delta], p_seen_seq, 3600000)
$$;
SELECT test.claim(test.owner(1), 0), test.claim(test.owner(2), 1);
SELECT max(seq) AS before FROM dedupe_block \gset
INSERT INTO dedupe_block (topic, partition, from_offset, to_offset, base_ms, t_min_ms, t_max_ms, id_count, ids) VALUES
	('calls', 1, 5, 6, 10000, 10000, 10007, 2, '\x111111111111111100000000222222222222222207000000'),
	('calls', 0, 5, 6, 10000, 10000, 10000, 1, '\x333333333333333300000000');
SELECT is(test.met(:before, 3610007, '\x222222222222222200000000'), 1::bigint, 'an id that another owner has counted is met');
SELECT is(test.met(:before, 3610008, '\x222222222222222200000000'), 0::bigint, '... but not beyond the window');
SELECT is(test.met(:before + 1, 10000, '\x222222222222222200000000'), 0::bigint, '... nor when the worker knows that block');
SELECT is(test.met(:before, 10000, '\x333333333333333300000000'), 0::bigint, 'own blocks are not met: the set has them');
SELECT is((SELECT count(*) FROM ingest_dedupe_since(test.owner(1), :before)), 1::bigint,
	'a worker reads the blocks of others since the one it knows');
DELETE FROM dedupe_block WHERE seq > :before;

-- By age, of partition 0, up to time 400; partition 1 is another worker's. Margin: ten minutes, with a window of 0.
CREATE FUNCTION test.kept_beside(p_next bigint, p_end bigint, p_last_time_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_kept text;
BEGIN
	UPDATE kafka_offset SET next_offset = p_next, log_end_offset = p_end, last_time_ms = p_last_time_ms WHERE partition = 1;
	PERFORM commit_dedupe(test.owner(1), '{}', ARRAY[ROW('calls', 0, 0, 1, 0, 0, 0, 1, NULL, 0, 0, 0, 0)::progress_delta],
		ARRAY[400], 0, 0);
	v_kept := test.kept();
	RAISE EXCEPTION USING ERRCODE = 'TT999', MESSAGE = v_kept; -- undone
EXCEPTION WHEN SQLSTATE 'TT999' THEN
	RETURN v_kept;
END
$$;
SELECT is(test.kept_beside(10, 10, 600250), 'adef', 'ids older than what a worker still reads are forgotten with its commit');
SELECT is(test.kept_beside(9, 10, 600250), 'acdef', '... but not what another one''s partition, further behind, may meet');
SELECT is(test.kept_beside(0, 10, NULL), 'abcdef', '... nor anything while that one has counted nothing yet');

SELECT is(test.trim(1050), '0', 'nothing is trimmed below the bound');
SELECT is(test.kept(), 'abcdef', '... all blocks are kept');
SELECT is(test.trim(1021), '20', 'the oldest by message time go, in whole blocks, and it says how many ids');
SELECT is(test.kept(), 'acdf', '... of all partitions, and the block that crosses the bound stays');
SELECT is(test.trim(1021), '0', 'a second time finds nothing');
SELECT is(test.trim(0) || ' ' || test.kept(), '1030 none', 'with a bound of 0 all of them go');
SELECT * FROM finish();
