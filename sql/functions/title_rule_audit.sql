-- SPDX-License-Identifier: Apache-2.0
--
-- Records what changes in the rules of titles.

CREATE OR REPLACE FUNCTION title_rule_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		PERFORM audit('delete rule', to_jsonb(OLD)::text);
	ELSIF TG_OP = 'INSERT' OR NEW IS DISTINCT FROM OLD THEN
		PERFORM audit(lower(TG_OP) || ' rule', to_jsonb(NEW)::text);
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION title_rule_audit() FROM PUBLIC;
COMMENT ON FUNCTION title_rule_audit() IS 'Trigger of title_rule: audit_log';

CREATE OR REPLACE TRIGGER title_rule_audit AFTER INSERT OR UPDATE OR DELETE ON title_rule
FOR EACH ROW EXECUTE FUNCTION title_rule_audit();
