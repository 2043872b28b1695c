-- SPDX-License-Identifier: Apache-2.0
--
-- Decides which teams and apps readers see by name: those with at least privacy.min_group people in the 30 days up to
-- p_now. Services are no people, and several identities of one person are one. Counting reads 30 days, so it is done
-- again when it is worth it: a hundred times as long after it as it took, a minute at least. Answers whether it was done.

CREATE OR REPLACE FUNCTION refresh_small_groups(p_now timestamptz DEFAULT now(), p_at_once boolean DEFAULT false)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
SET work_mem = '64MB'
SET jit = off
SET client_min_messages = warning
AS $$
DECLARE
	v_started timestamptz := clock_timestamp();
	v_min int := coalesce((SELECT value::int FROM setting WHERE key = 'min_group'), 5);
BEGIN
	IF NOT p_at_once AND v_started < (SELECT value::timestamptz FROM setting WHERE key = 'small_groups_next')
	OR NOT pg_try_advisory_xact_lock(29803, 8) THEN
		RETURN false;
	END IF;
	DROP TABLE IF EXISTS pg_temp.team_person;
	CREATE TEMPORARY TABLE team_person ON COMMIT DROP AS
	SELECT DISTINCT u.team_id, COALESCE(p.main_id, p.id) AS person_id
	FROM (SELECT team_id, person_id FROM usage_day WHERE bucket >= p_now - interval '30 days'
		UNION ALL
		SELECT team_id, person_id FROM usage_hour
		WHERE bucket >= (SELECT folded_until FROM usage_fold) AND bucket >= p_now - interval '30 days') u
	JOIN person i ON i.id = u.person_id
	JOIN person p ON p.id = COALESCE(i.main_id, i.id) AND p.kind = 'person';

	UPDATE team t SET shown_name = s.shown
	FROM (SELECT id, CASE WHEN id = ANY (small) THEN '(small teams)' ELSE name END AS shown
		FROM team, small_teams(v_min) small) s
	WHERE s.id = t.id AND t.shown_name <> s.shown;

	UPDATE app a SET shown_name = s.shown
	FROM (SELECT app.id, CASE WHEN count(DISTINCT COALESCE(p.main_id, p.id)) < v_min THEN '(other)' ELSE app.name END AS shown
		FROM app LEFT JOIN app_person ap ON ap.app_id = app.id AND ap.day >= (p_now - interval '30 days')::date
		LEFT JOIN person i ON i.id = ap.person_id
		LEFT JOIN person p ON p.id = COALESCE(i.main_id, i.id) AND p.kind = 'person'
		GROUP BY app.id) s
	WHERE s.id = a.id AND a.shown_name <> s.shown;

	DELETE FROM app_person WHERE day < (p_now - interval '60 days')::date;
	INSERT INTO setting VALUES ('small_groups_next',
		(clock_timestamp() + greatest(interval '1 minute', 100 * (clock_timestamp() - v_started)))::text)
	ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value;
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION refresh_small_groups FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refresh_small_groups TO tokentally_ingest, tokentally_admin;
COMMENT ON FUNCTION refresh_small_groups IS
	'Counts people by team and app, and hides the names of small ones from readers';
