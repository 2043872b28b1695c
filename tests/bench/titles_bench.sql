-- SPDX-License-Identifier: Apache-2.0
--
-- Data of titles_bench.sh. A person's hours are spread over the month by a hash, sessions last 1 to 12
-- slots. Rows lie in order of time, as ingest writes them.
SELECT ingest_ensure_partitions('2026-09-25Z', '2026-11-25Z', '2026-11-25Z') AS partitions;
INSERT INTO team (name) SELECT 'team' || n FROM generate_series(1, 200) n;
INSERT INTO app (name) VALUES ('chat');
INSERT INTO model (provider, name) SELECT 'provider' || n % 6, CASE n % 4 WHEN 0 THEN 'llama-' ELSE 'model-' END || n FROM generate_series(1, 40) n;
INSERT INTO person (user_key, pseudonym, shown_key) SELECT 'user' || n, 'P' || n, 'P' || n FROM generate_series(1, :people) n;
INSERT INTO usage_hour (bucket, person_id, team_id, model_id, price_class, calls, errors, input_tokens, cache_read_tokens, output_tokens,
	cost_nano, cache_known_tokens)
SELECT '2026-10-24Z'::timestamptz + abs(hashint8(p * 1000 + k)) % 720 * interval '1 hour', p, p % 200 + 1, (p + k % 5) % 40 + 1, 0,
	4 + h % 13, (h % 17 = 0)::int, h % 50000, h % 80000, 500 + h % 3000, 1000000 + h % 9999999, h % 50000 + h % 80000
FROM generate_series(1, :people) p, generate_series(1, 64) k, abs(hashint8(p * 77 + k)) h
ORDER BY 1, 2
ON CONFLICT DO NOTHING;
INSERT INTO usage_day
SELECT date_trunc('day', bucket), person_id, team_id, model_id, price_class, sum(calls), sum(errors), sum(input_tokens), sum(cache_read_tokens), 0, 0,
	sum(output_tokens), 0, sum(cost_nano), 0, 0, sum(cache_known_tokens), 0, 0
FROM usage_hour WHERE bucket < '2026-11-22Z' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2;
UPDATE usage_fold SET folded_until = '2026-11-22Z';
INSERT INTO usage_team_hour (bucket, team_id, model_id, app_id, price_class, calls)
SELECT bucket, team_id, model_id, 1, 0, sum(calls) FROM usage_hour GROUP BY 1, 2, 3;
INSERT INTO session_slot (slot, person_id, session_id, session_key, shown_key, first_seen, last_seen, calls)
SELECT start + n * interval '30 minutes', p, md5(p || ' ' || s)::uuid, p || ' ' || s, '', start + n * interval '30 minutes' + h % 4001 * interval '50 ms',
	start + n * interval '30 minutes' + interval '20 minutes' + h % 5003 * interval '60 ms', 3
FROM generate_series(1, :people) p, generate_series(1, 40) s, abs(hashint8(p * 5001 + s)) h,
	LATERAL (SELECT '2026-10-24Z'::timestamptz + h % 1430 * interval '30 minutes' AS start) begin_at,
	generate_series(0, CASE WHEN h % 16 < 10 THEN 0 WHEN h % 16 < 15 THEN 2 ELSE h / 16 % 12 END) n
ORDER BY 1, 2;
CREATE ROLE bench LOGIN IN ROLE tokentally_ingest;
VACUUM ANALYZE;
SELECT (SELECT count(*) FROM usage_hour) AS hours, (SELECT count(*) FROM usage_day) AS days, (SELECT count(*) FROM session_slot) AS slots;
