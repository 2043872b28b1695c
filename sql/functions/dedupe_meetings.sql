-- SPDX-License-Identifier: Apache-2.0
--
-- How many event ids of a batch were counted by other owners since block p_seen_seq, within the dedupe window. The
-- 8 bytes of a fingerprint are compared as they stand; times only where two meet. `ids || ''` takes a block out of its
-- storage once, not once an id; MATERIALIZED keeps the join from sorting rows that each carry a whole block.

CREATE OR REPLACE FUNCTION dedupe_meetings(p_owner uuid, p_dedupe dedupe_delta[], p_seen_seq bigint, p_window_ms bigint)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	WITH others AS MATERIALIZED (
		SELECT b.base_ms, b.id_count, b.ids || ''::bytea AS ids
		FROM dedupe_block b
		WHERE b.seq > p_seen_seq AND NOT EXISTS (SELECT FROM kafka_offset k
			WHERE k.topic = b.topic AND k.partition = b.partition AND k.owner_id = p_owner)
	), theirs AS MATERIALIZED (
		SELECT o.base_ms, substring(o.ids FROM 12 * i + 1 FOR 8) AS print, substring(o.ids FROM 12 * i + 9 FOR 4) AS after
		FROM others o, generate_series(0, o.id_count - 1) i
	), ours AS MATERIALIZED (
		SELECT d.base_ms, substring(d.ids FROM 12 * i + 1 FOR 8) AS print, substring(d.ids FROM 12 * i + 9 FOR 4) AS after
		FROM unnest(p_dedupe) d, generate_series(0, d.id_count - 1) i
		WHERE EXISTS (SELECT FROM others)
	)
	SELECT count(*) FROM ours JOIN theirs USING (print)
	WHERE abs(dedupe_time(ours.base_ms, ours.after) - dedupe_time(theirs.base_ms, theirs.after)) <= p_window_ms
$$;
REVOKE ALL ON FUNCTION dedupe_meetings FROM PUBLIC;
COMMENT ON FUNCTION dedupe_meetings IS
	'Event ids of a batch that others have counted meanwhile';
