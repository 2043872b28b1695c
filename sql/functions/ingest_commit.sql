-- SPDX-License-Identifier: Apache-2.0
--
-- The commit: positions and all that came of the messages up to them, or nothing. The order of the steps is
-- the lock order: own rows first, rows hardly shared next, rows that all workers share last and shortest.
-- The arrays are sorted by key, so that two commits can wait for each other in one direction only.

CREATE OR REPLACE FUNCTION ingest_commit(
	p_owner uuid, p_flush_seq bigint, p_names_generation bigint, p_minute_from timestamptz,
	p_progress progress_delta[], p_dead dead_letter_delta[], p_sessions session_delta[], p_hours hour_delta[],
	p_minutes minute_delta[], p_latencies latency_delta[], p_dedupe dedupe_delta[], p_dedupe_before_ms bigint[],
	p_seen_seq bigint DEFAULT 9223372036854775807, p_dedupe_window_ms bigint DEFAULT 0,
	p_shadows shadow_delta[] DEFAULT '{}', p_rules_generation bigint DEFAULT NULL
)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET work_mem = '64MB'
SET jit = off
AS $$
BEGIN
	PERFORM require_read_committed();
	PERFORM take_lock('rollups', p_shared => true);
	PERFORM check_names_generation(p_names_generation);
	PERFORM lock_progress(p_progress);
	IF is_committed(p_owner, p_flush_seq, p_progress) THEN
		RETURN 'already committed';
	END IF;
	PERFORM check_fence(p_owner, p_progress);
	PERFORM check_rules_generation(p_rules_generation);
	PERFORM commit_progress(p_flush_seq, p_progress);
	IF cardinality(p_dead) > 0 THEN
		PERFORM commit_dead_letters(p_dead);
	END IF;
	IF cardinality(p_sessions) > 0 THEN
		PERFORM commit_sessions(p_sessions);
	END IF;
	IF cardinality(p_hours) > 0 THEN
		PERFORM commit_hours(p_hours);
	END IF;
	IF cardinality(p_shadows) > 0 THEN
		PERFORM commit_shadows(p_shadows);
	END IF;
	IF cardinality(p_minutes) > 0 THEN
		PERFORM commit_minutes(p_minutes, p_minute_from);
	END IF;
	IF cardinality(p_latencies) > 0 THEN
		PERFORM commit_latencies(p_latencies, p_minute_from);
	END IF;
	PERFORM commit_dedupe(p_owner, p_dedupe, p_progress, p_dedupe_before_ms, p_seen_seq, p_dedupe_window_ms);
	RETURN 'committed';
END
$$;
REVOKE ALL ON FUNCTION ingest_commit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_commit TO tokentally_ingest;
COMMENT ON FUNCTION ingest_commit IS
	'Counts a batch exactly once: "committed", or "already committed" for the last one again; TT001 fenced, TT002 names, TT004 counted elsewhere, TT005 rules';
