-- SPDX-License-Identifier: Apache-2.0
--
-- The next better tier and what it needs: of a milestone its threshold, of a rank the value of the last who is within
-- its limit now.

CREATE OR REPLACE FUNCTION explain_next(p_rule record, p_tier text, OUT tier text, OUT value numeric)
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_level numeric;
BEGIN
	SELECT t.name, each.value::numeric INTO tier, v_level
	FROM jsonb_each_text(p_rule.tiers) each JOIN title_tier t ON t.name = each.key
	WHERE p_tier IS NULL OR t.place < (SELECT own.place FROM title_tier own WHERE own.name = p_tier)
	ORDER BY t.place DESC LIMIT 1;
	value := v_level;
	IF p_rule.kind = 'rank' THEN
		SELECT s.value INTO value FROM pg_temp.title_score s WHERE s.contest = p_rule.contest AND s.rank <= v_level
		ORDER BY s.rank DESC LIMIT 1;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION explain_next(record, text) FROM PUBLIC;
COMMENT ON FUNCTION explain_next(record, text) IS 'Part of explain_titles: the next tier';
