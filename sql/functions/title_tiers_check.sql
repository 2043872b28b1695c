-- SPDX-License-Identifier: Apache-2.0
--
-- Tiers must get easier from the best to the last: a greater rank, or a smaller value to reach.

CREATE OR REPLACE FUNCTION title_tiers_check(p_kind text, p_direction text, p_tiers jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	in_order boolean;
	sound boolean;
BEGIN
	SELECT bool_and(CASE p_kind WHEN 'rank' THEN level > better ELSE level < better END),
		bool_and(level > 0 AND (p_kind = 'milestone' OR level = trunc(level) AND level <= 100000))
	INTO in_order, sound
	FROM (SELECT each.value::numeric AS level, lag(each.value::numeric) OVER (ORDER BY place) AS better
		FROM jsonb_each_text(p_tiers) each JOIN title_tier ON title_tier.name = each.key) steps;

	IF NOT COALESCE(in_order, true) OR NOT COALESCE(sound, false) THEN
		RAISE EXCEPTION 'tiers must hold % that % from emerald to bronze, such as %',
			CASE p_kind WHEN 'rank' THEN 'ranks from 1 to 100000' ELSE 'values above 0' END,
			CASE p_kind WHEN 'rank' THEN 'rise' ELSE 'fall' END,
			CASE p_kind WHEN 'rank' THEN '{"emerald": 1, "jade": 3}' ELSE '{"emerald": 20, "jade": 12}' END
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF p_kind = 'milestone' AND p_direction <> 'descending' THEN
		RAISE EXCEPTION 'a milestone counts upwards: its direction must be descending'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;
COMMENT ON FUNCTION title_tiers_check(text, text, jsonb) IS 'Part of title_rule_check';
REVOKE ALL ON FUNCTION title_tiers_check(text, text, jsonb) FROM PUBLIC;
