-- SPDX-License-Identifier: Apache-2.0
--
-- What keeps a person out of a title, in words; null: nothing does.

CREATE OR REPLACE FUNCTION explain_kept_out(p_person bigint, p_rule record, p_value numeric, p_as_of timestamptz)
RETURNS text
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
	v_all text[];
	v_floor record;
	v_has numeric;
BEGIN
	SELECT array_remove(ARRAY[
		CASE WHEN NOT p_rule.enabled THEN 'the rule is disabled' END,
		CASE WHEN p.kind <> 'person' THEN 'a service account' END,
		CASE WHEN NOT p.titles THEN 'does not take part in titles' END], NULL)
	INTO v_all FROM person p WHERE p.id = p_person;
	v_all := v_all || ARRAY(SELECT format('flag "%s" of %s: %s', f.rule, f.day, f.evidence)
		FROM title_flag_row f JOIN person i ON i.id = f.person_id
		WHERE COALESCE(i.main_id, i.id) = p_person AND f.cleared_at IS NULL
		AND (f.day::timestamp AT TIME ZONE 'UTC') < p_as_of
		AND ((f.day + 1)::timestamp AT TIME ZONE 'UTC') > p_as_of - interval '720 hours' ORDER BY f.day, f.rule);
	IF v_all <> '{}' THEN
		RETURN array_to_string(v_all, '; ');
	END IF;
	FOR v_floor IN SELECT key, each.value::numeric AS least FROM jsonb_each_text(p_rule.floors) each ORDER BY key LOOP
		v_has := explain_value(p_person, v_floor.key, p_rule.window_name, p_rule.starts, p_as_of);
		IF v_has >= v_floor.least IS NOT TRUE THEN
			v_all := v_all || format('%s is %s and must be at least %s', v_floor.key, COALESCE(title_value(v_has)::text, 'none'), v_floor.least);
		END IF;
	END LOOP;
	IF v_all = '{}' AND p_value IS NULL THEN
		v_all := v_all || format('no value of %s in this window', p_rule.metric);
	END IF;
	RETURN NULLIF(array_to_string(v_all, '; '), '');
END
$$;
REVOKE ALL ON FUNCTION explain_kept_out(bigint, record, numeric, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION explain_kept_out(bigint, record, numeric, timestamptz) IS 'Part of explain_titles: floors, flags, choices';
