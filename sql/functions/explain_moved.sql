-- SPDX-License-Identifier: Apache-2.0
--
-- Why a rank is another one than in the run before, in words; null when it is the same or was not among the first.

CREATE OR REPLACE FUNCTION explain_moved(p_person bigint, p_title text, p_as_of timestamptz)
RETURNS text
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_then title_standing;
	v_now title_standing;
	v_hours int := (SELECT w.hours FROM title_rule r JOIN title_window w ON w.name = r.window_name WHERE r.name = p_title);
BEGIN
	SELECT * INTO v_now FROM title_standing s WHERE s.title = p_title AND s.person_id = p_person AND s.as_of = p_as_of;
	SELECT * INTO v_then FROM title_standing s WHERE s.title = p_title AND s.person_id = p_person AND s.as_of < p_as_of
	ORDER BY s.as_of DESC LIMIT 1;
	IF v_then.rank IS NULL OR v_then.rank IS NOT DISTINCT FROM v_now.rank THEN
		RETURN NULL;
	END IF;
	RETURN format('from rank %s to %s: %s', v_then.rank, COALESCE(v_now.rank::text, 'none'), CASE
		WHEN v_now.rank IS NULL AND p_person IN (SELECT f.person_id FROM titles_flagged(p_as_of) f) THEN 'flag'
		WHEN v_then.rule_version <> COALESCE(v_now.rule_version, v_then.rule_version) THEN 'new version of the rule'
		WHEN v_then.value IS NOT DISTINCT FROM v_now.value THEN 'others changed'
		WHEN EXISTS (SELECT FROM usage_hour u JOIN person i ON i.id = u.person_id
			WHERE COALESCE(i.main_id, i.id) = p_person AND (u.bucket >= v_then.as_of AND u.bucket < p_as_of
				OR u.bucket >= v_then.as_of - make_interval(hours => v_hours) AND u.bucket < p_as_of - make_interval(hours => v_hours)))
			THEN 'own change'
		ELSE 'late data' END);
END
$$;
REVOKE ALL ON FUNCTION explain_moved(bigint, text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION explain_moved(bigint, text, timestamptz) IS 'Part of explain_titles: why a rank moved';
