-- SPDX-License-Identifier: Apache-2.0
--
-- The keys of a rule's tiers or floors, which must be an object of numbers.

CREATE OR REPLACE FUNCTION title_json_keys(p_what text, p_object jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF p_object IS NULL OR jsonb_typeof(p_object) <> 'object'
			OR EXISTS (SELECT FROM jsonb_each(p_object) WHERE jsonb_typeof(value) <> 'number') THEN
		RAISE EXCEPTION '% must be an object of numbers, such as {"calls": 100}', p_what
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN ARRAY(SELECT jsonb_object_keys(p_object));
END
$$;
COMMENT ON FUNCTION title_json_keys(text, jsonb) IS 'Part of title_rule_check';
REVOKE ALL ON FUNCTION title_json_keys(text, jsonb) FROM PUBLIC;
