-- SPDX-License-Identifier: Apache-2.0
--
-- Four workers commit to the same hot rows while days are folded: no deadlock, nothing lost, nothing twice,
-- and a reader in one snapshot never sees the sums differ.
SELECT plan(7);
SELECT ingest_ensure_partitions('2026-11-19Z', '2026-11-23Z', '2026-11-19Z') > 20 AS made \gset
SELECT test.claim(test.owner(n), n) FROM generate_series(1, 4) n;

-- 40 commits of 300 events; every one touches most keys of a few hours.
CREATE FUNCTION test.batch(p_worker int, p_seq int) RETURNS text LANGUAGE sql AS $$
	SELECT test.commit(test.owner(p_worker), p_seq, p_seq - 1, p_seq, test.events(p_worker * 100 + p_seq,
		300, '2026-11-20 10:00Z', '6 hours'), p_worker)
$$;
CREATE PROCEDURE test.work(p_worker int) LANGUAGE plpgsql AS $$
BEGIN
	FOR seq IN 1..40 LOOP
		PERFORM test.batch(p_worker, seq);
		COMMIT;
	END LOOP;
END $$;
CREATE PROCEDURE test.fold() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..4 LOOP
		PERFORM fold_days('2026-11-22 16:00Z');
		COMMIT;
		PERFORM pg_sleep(0.05);
	END LOOP;
END $$;
SELECT test.open('w' || n) FROM generate_series(1, 5) n;
SELECT dblink_send_query('w' || n, format('CALL test.work(%s)', n)) FROM generate_series(1, 4) n;
SELECT dblink_send_query('w5', 'CALL test.fold()');
-- As long as any of them is busy.
CREATE PROCEDURE test.watch(INOUT p_looks int, INOUT p_differences int) LANGUAGE plpgsql AS $$
DECLARE
	v_sums text;
	v_days bigint;
BEGIN
	LOOP
		EXIT WHEN NOT EXISTS (SELECT FROM generate_series(1, 5) n WHERE dblink_is_busy('w' || n) = 1);
		SELECT test.sums(), test.day_differences() INTO v_sums, v_days;
		p_looks := p_looks + 1;
		p_differences := p_differences + (SELECT count(DISTINCT s) - 1
		FROM regexp_split_to_table(v_sums, ' ') s)::int + v_days::int;
		COMMIT;
	END LOOP;
END $$;
CALL test.watch(0, 0) \gset
SELECT cmp_ok(:p_looks, '>', 0, 'the sums were looked at while they worked');
SELECT is(:p_differences, 0, 'they never differed within one snapshot');
SELECT is((SELECT count(*) FROM generate_series(1, 5) n, dblink_get_result('w' || n) AS t (answer text)),
	5::bigint, 'no worker failed');
SELECT is(test.sums(), '48000 48000 48000 48000 48000', 'every event is in every rollup once');
SELECT is((SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()), 0::bigint, 'no deadlock');
SELECT cmp_ok((SELECT folded_until FROM usage_fold), '=', '2026-11-21Z'::timestamptz,
	'days were folded meanwhile');
SELECT is(test.day_differences(), 0::bigint, 'and are the sums of their hours');
SELECT * FROM finish();
