-- SPDX-License-Identifier: Apache-2.0
--
-- What bounds the event ids by number: what a claim reads of them, and what is trimmed.
SELECT plan(16);

-- Blocks of three partitions, written in another order than that of their messages' times. The ids of a block are
-- its name, so that they can be told apart.
INSERT INTO dedupe_block (topic, partition, from_offset, to_offset, base_ms, t_min_ms, t_max_ms, id_count, ids)
SELECT 'calls', partition, 0, 1, 0, newest - 10, newest, n, convert_to(name, 'UTF8')
FROM (VALUES ('a', 0, 500, 10), ('b', 0, 100, 10), ('c', 0, 300, 10), ('d', 1, 400, 10), ('e', 1, 200, 10),
	('f', 7, 900, 1000)) AS b (name, partition, newest, n);
-- The blocks that a claim of partitions 0 and 1 gets, in the order in which they were written.
CREATE FUNCTION test.blocks(p_ids_max bigint, p_partitions int[] DEFAULT '{0,1}') RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(convert_from(ids, 'UTF8'), '' ORDER BY n), 'none') FROM
		ingest_dedupe_blocks(array_fill('calls'::text, ARRAY[cardinality(p_partitions)]), p_partitions, p_ids_max)
		WITH ORDINALITY AS b (topic, partition, base_ms, ids, n)
$$;
-- All that is kept.
CREATE FUNCTION test.kept() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(convert_from(ids, 'UTF8'), '' ORDER BY seq), 'none') FROM dedupe_block
$$;
CREATE FUNCTION test.trim(p_ids_max bigint) RETURNS text LANGUAGE sql AS $$
	SELECT test.value_as('tokentally_ingest', format('SELECT tokentally.ingest_trim_dedupe(%s)', p_ids_max))
$$;

SELECT is(test.blocks(1000), 'abcde', 'a claim gets the blocks of its partitions');
SELECT is(test.blocks(50), 'abcde', '... as many ids as there may be');
SELECT is(test.blocks(40), 'acde', '... not more: the block with the oldest messages stays away');
SELECT is(test.blocks(30), 'acd', '... the newest over all its partitions, not of each');
SELECT is(test.blocks(21), 'acd', 'a block that crosses the bound still comes');
SELECT is(test.blocks(20), 'ad', '... but none after it');
SELECT is(test.blocks(1), 'a', '... the newest alone, if it is larger than the bound');
SELECT is(test.blocks(0), 'none', 'no ids when none may be held');
SELECT is(test.blocks(10, '{7}'), 'f', 'one block may hold more than the bound');
SELECT is(test.blocks(1000, '{9}'), 'none', 'a partition without blocks has none');

SELECT is(test.trim(1050), '0', 'nothing is trimmed below the bound');
SELECT is(test.kept(), 'abcdef', '... all blocks are kept');
SELECT is(test.trim(1021), '20', 'the oldest by message time go, in whole blocks, and it says how many ids');
SELECT is(test.kept(), 'acdf', '... of all partitions, and the block that crosses the bound stays');
SELECT is(test.trim(1021), '0', 'a second time finds nothing');
SELECT is(test.trim(0) || ' ' || test.kept(), '1030 none', 'with a bound of 0 all of them go');
SELECT * FROM finish();
