-- SPDX-License-Identifier: Apache-2.0
--
-- Teams of people, for those whose events name none: from valid_from on each is in that team, until the next one that is
-- known of; an empty team is none. Someone not seen yet is made. Who was erased stays so. Nothing that was counted is
-- rewritten: events that come from now on are looked up, by their own time.

CREATE OR REPLACE FUNCTION import_people(user_keys text[], teams text[], valid_from timestamptz[], dry_run boolean DEFAULT false)
RETURNS SETOF team_change
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET enable_nestloop = on
AS $$
#variable_conflict use_column
DECLARE
	v_changes team_change[];
	v_bad record;
BEGIN
	PERFORM require_read_committed();
	SELECT w.n, w.key, w.team, w.at INTO v_bad
	FROM unnest(import_people.user_keys, import_people.teams, import_people.valid_from) WITH ORDINALITY AS w (key, team, at, n)
	WHERE (octet_length(w.key) BETWEEN 1 AND 256 AND octet_length(w.team) <= 256
		AND w.at >= '0001-01-01Z' AND w.at < '10000-01-01Z') IS NOT TRUE
	ORDER BY w.n LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'entry %: a user key has 1 to 256 bytes, a team up to 256, and valid_from is a time', v_bad.n USING ERRCODE = '22023';
	END IF;
	IF NOT import_people.dry_run THEN
		PERFORM take_lock('names'); -- nobody is erased meanwhile, and two imports come one after the other
	END IF;
	-- The planner takes an array for ten rows. The setting ends with this function.
	PERFORM set_config('enable_nestloop', (cardinality(import_people.user_keys) < 1000)::text, true);
	v_changes := ARRAY(SELECT p FROM plan_people(import_people.user_keys, import_people.teams, import_people.valid_from) p);
	IF import_people.dry_run THEN
		RETURN QUERY SELECT c.* FROM unnest(v_changes) c;
		RETURN;
	END IF;
	SELECT c.entry, c.user_key INTO v_bad FROM unnest(v_changes) c WHERE c.change = 'conflict' LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'entry %: "%" has two teams from the same time', v_bad.entry, v_bad.user_key USING ERRCODE = '22023';
	END IF;
	INSERT INTO person (user_key, pseudonym, shown_key)
	SELECT k.key, '', shown_key(k.key, '', NULL, (SELECT value FROM setting WHERE key = 'privacy_names'))
	FROM (SELECT DISTINCT c.user_key AS key FROM unnest(v_changes) c WHERE c.change <> 'erased') k
	WHERE NOT EXISTS (SELECT FROM person p WHERE p.user_key = k.key)
	ORDER BY random(); -- the order of ids says nothing about the order of names
	INSERT INTO person_team_row AS t (person_id, valid_from, team)
	SELECT DISTINCT COALESCE(p.main_id, p.id), c.valid_from, c.new_team
	FROM unnest(v_changes) c JOIN person p ON p.user_key = c.user_key
	WHERE c.change <> 'erased'
	ON CONFLICT (person_id, valid_from) DO UPDATE SET team = EXCLUDED.team;
	IF FOUND THEN
		PERFORM new_rules_generation();
	END IF;
	PERFORM audit('import people', format('%s entries: %s', cardinality(import_people.user_keys), COALESCE(
		(SELECT string_agg(format('%s %s', count, change), ', ' ORDER BY change)
		FROM (SELECT change, count(*) FROM unnest(v_changes) GROUP BY change) c), 'all as before')));
	RETURN QUERY SELECT c.* FROM unnest(v_changes) c;
END
$$;
REVOKE ALL ON FUNCTION import_people FROM PUBLIC;
GRANT EXECUTE ON FUNCTION import_people TO tokentally_admin;
COMMENT ON FUNCTION import_people IS
	'Teams of people by time, for events that name none; answers what changes, and with dry_run changes nothing';
