-- SPDX-License-Identifier: Apache-2.0
--
-- The longest chain, in microseconds, of everyone who has one of at least p_slots slots in the window; the arithmetic is
-- explained in titles_sessions. Nothing when fewer than p_wanted people can have one: the caller would not use it. Who
-- never made two calls in a row has none. With p_person (and p_slots 1), of that person only.
--
-- A chain of p_slots slots lies within the steps before and after the grid slots it holds: of the sessions that hold two
-- next to each other only those slots are read, one by one by the primary key, in its order. One that holds no third
-- goes on by v_half at least before or behind the two, else it is too short: these slots are looked at first. LIMIT
-- keeps the planner from reading all sessions of the window instead.

CREATE OR REPLACE FUNCTION titles_chains(p_from timestamptz, p_to timestamptz, p_slots int, p_wanted int,
	p_person bigint DEFAULT NULL)
RETURNS TABLE (person_id bigint, longest_us bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_step interval := GREATEST(p_slots / 2, 1) * interval '30 minutes';
	v_half interval := (p_slots - GREATEST(p_slots / 2, 1)) / 2 * interval '30 minutes';
	v_slot interval := '30 minutes';
	v_grid timestamptz[] := ARRAY(SELECT generate_series(date_bin(v_step, p_from, '2000-01-01Z'), p_to, v_step));
BEGIN
	RETURN QUERY
	WITH pair AS MATERIALIZED (
		SELECT seen.person_id, seen.session_id, grid AS slot,
			lag(grid) OVER run IS DISTINCT FROM grid - v_step AS first,
			lead(grid) OVER run IS DISTINCT FROM grid + v_step AS last
		FROM unnest(v_grid) grid
		-- Slot by slot: a hash table of one slot is quicker than one of all. Who takes part is asked of the few pairs; only who is an
		-- alias has to be known here.
		CROSS JOIN LATERAL (
			SELECT COALESCE(alias.main_id, s.person_id) AS person_id, s.session_id
			FROM session_slot s LEFT JOIN person alias ON alias.id = s.person_id AND alias.main_id IS NOT NULL
			WHERE s.slot = grid AND p_slots > 1 AND grid >= p_from
		INTERSECT
			SELECT COALESCE(alias.main_id, s.person_id), s.session_id
			FROM session_slot s LEFT JOIN person alias ON alias.id = s.person_id AND alias.main_id IS NOT NULL
			WHERE s.slot = grid + v_step AND p_slots > 1 AND grid + v_step < p_to) seen
		WINDOW run AS (PARTITION BY seen.person_id, seen.session_id ORDER BY grid)
	), side AS MATERIALIZED (
		SELECT pair.*, who.identity_id
		FROM pair JOIN titles_people(p_to) who USING (person_id)
		ORDER BY pair.slot, who.identity_id
	), long AS MATERIALIZED (
		SELECT side.slot, side.person_id, side.session_id, first, last, array_agg(identity_id) AS identities
		FROM side
		WHERE p_wanted <= (SELECT count(DISTINCT enough.person_id) FROM side enough)
		GROUP BY 1, 2, 3, 4, 5
		HAVING NOT (first AND last)
		OR bool_or((SELECT true FROM session_slot s WHERE s.slot = side.slot - v_half
			AND s.person_id = side.identity_id AND s.session_id = side.session_id LIMIT 1)
			OR (SELECT true FROM session_slot s WHERE s.slot = side.slot + v_step + v_half
			AND s.person_id = side.identity_id AND s.session_id = side.session_id LIMIT 1))
	), near AS MATERIALIZED (
		SELECT long.person_id, identity_id, long.session_id, near AS slot
		FROM long, unnest(identities) identity_id, generate_series(CASE WHEN first THEN long.slot - v_step + v_slot ELSE long.slot END,
			long.slot + v_step - v_slot + CASE WHEN last THEN v_step ELSE '0' END, v_slot) near
		WHERE near >= p_from AND near < p_to
		ORDER BY near, identity_id
	), call AS (
		SELECT near.person_id, near.session_id, s.first_seen, s.last_seen
		FROM near CROSS JOIN LATERAL (SELECT s.first_seen, s.last_seen FROM session_slot s
			WHERE s.slot = near.slot AND s.person_id = near.identity_id AND s.session_id = near.session_id LIMIT 1) s
	UNION ALL
		SELECT who.person_id, s.session_id, s.first_seen, s.last_seen
		FROM session_slot s JOIN titles_people(p_to) who ON who.identity_id = s.person_id
		WHERE p_slots = 1 AND s.slot >= p_from AND s.slot < p_to AND (p_person IS NULL OR who.person_id = p_person)
	), cut AS (
		-- Two identities of one person may share a session: what counts is the latest call before this one.
		SELECT call.*, first_seen < max(last_seen) OVER (PARTITION BY call.person_id, session_id ORDER BY first_seen, last_seen
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + interval '30 minutes' AS goes_on
		FROM call
	), numbered AS (
		SELECT cut.*, count(*) FILTER (WHERE goes_on IS NOT TRUE)
			OVER (PARTITION BY cut.person_id, session_id ORDER BY first_seen, last_seen ROWS UNBOUNDED PRECEDING) AS chain
		FROM cut
	), chains AS (
		SELECT n.person_id, extract(epoch FROM max(last_seen) - min(first_seen)) * 1000000 AS us
		FROM numbered n GROUP BY n.person_id, session_id, chain
	)
	SELECT c.person_id, max(us)::bigint FROM chains c GROUP BY 1 HAVING max(us) > 0;
END
$$;
COMMENT ON FUNCTION titles_chains(timestamptz, timestamptz, int, int, bigint) IS 'Part of recompute_titles: chains of sessions from a length on';
REVOKE ALL ON FUNCTION titles_chains(timestamptz, timestamptz, int, int, bigint) FROM PUBLIC;
