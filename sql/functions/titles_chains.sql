-- SPDX-License-Identifier: Apache-2.0
--
-- The longest chain, in microseconds, of everyone who has one of at least p_slots slots in the window; the arithmetic is
-- explained in titles_sessions. Nothing when fewer than p_wanted people can have one: the caller would not use it. Who
-- never made two calls in a row has none.
-- With p_person (and p_slots 1), of that person only.

CREATE OR REPLACE FUNCTION titles_chains(p_from timestamptz, p_to timestamptz, p_slots int, p_wanted int,
	p_person bigint DEFAULT NULL)
RETURNS TABLE (person_id bigint, longest_us bigint)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_step interval := GREATEST(p_slots / 2, 1) * interval '30 minutes';
	v_grid timestamptz[] := ARRAY(SELECT generate_series(date_bin(v_step, p_from, '2000-01-01Z'), p_to, v_step));
	v_people bigint[];
	v_sessions uuid[];
BEGIN
	IF p_slots > 1 THEN
		WITH seed AS MATERIALIZED (
			SELECT who.person_id, s.session_id, s.slot
			FROM session_slot s JOIN titles_people(p_to) who ON who.identity_id = s.person_id
			WHERE s.slot = ANY (v_grid) AND s.slot >= p_from AND s.slot < p_to
		)
		SELECT array_agg(found.person_id), array_agg(found.session_id) INTO v_people, v_sessions
		FROM (SELECT DISTINCT a.person_id, a.session_id
			FROM seed a JOIN seed b ON b.person_id = a.person_id AND b.session_id = a.session_id AND b.slot = a.slot + v_step) found;
		IF (SELECT count(DISTINCT who) FROM unnest(v_people) who) < p_wanted THEN
			RETURN;
		END IF;
	END IF;
	RETURN QUERY
	WITH candidate AS MATERIALIZED (
		SELECT DISTINCT who.identity_id, who.person_id, c.session_id
		FROM unnest(v_people, v_sessions) c (person_id, session_id) JOIN titles_people(p_to) who ON who.person_id = c.person_id
	), call AS (
		SELECT c.person_id, s.session_id, s.first_seen, s.last_seen
		FROM candidate c JOIN session_slot s ON s.person_id = c.identity_id AND s.session_id = c.session_id
		WHERE p_slots > 1 AND s.slot >= p_from AND s.slot < p_to
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
