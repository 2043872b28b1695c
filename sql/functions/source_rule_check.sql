-- SPDX-License-Identifier: Apache-2.0
--
-- Refuses a rule whose source nothing can be of: all calls of its provider and team would be in the shadow.

CREATE OR REPLACE FUNCTION source_rule_check() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF NEW.source IN ('auto', 'otlp_json', 'otlp_proto') THEN
		RAISE EXCEPTION '"%" is how messages are packed, not who reports: name the format of their records', NEW.source
			USING ERRCODE = '22023', HINT = 'Known: ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM source_name);
	END IF;
	PERFORM title_word_check('source', ARRAY[NEW.source], (SELECT array_agg(name ORDER BY name) FROM source_name));
	IF NEW.provider NOT IN ('*', '') AND NOT EXISTS (SELECT FROM model WHERE provider = NEW.provider) THEN
		RAISE WARNING 'no call of provider "%" was counted yet', NEW.provider;
	END IF;
	IF NEW.team NOT IN ('*', '') AND NOT EXISTS (SELECT FROM team WHERE name = NEW.team) THEN
		RAISE WARNING 'no call of team "%" was counted yet', NEW.team;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION source_rule_check() IS 'Trigger of source_rule: refuses an unknown source';
REVOKE ALL ON FUNCTION source_rule_check() FROM PUBLIC;

CREATE OR REPLACE TRIGGER source_rule_check BEFORE INSERT OR UPDATE ON source_rule
FOR EACH ROW EXECUTE FUNCTION source_rule_check();
