-- SPDX-License-Identifier: Apache-2.0
--
-- Records what changes in the source rules, and has the daemons read them again.

CREATE OR REPLACE FUNCTION source_rule_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		PERFORM audit('delete source rule', to_jsonb(OLD)::text), new_rules_generation();
	ELSIF TG_OP = 'INSERT' OR NEW IS DISTINCT FROM OLD THEN
		PERFORM audit(lower(TG_OP) || ' source rule', to_jsonb(NEW)::text), new_rules_generation();
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION source_rule_audit() FROM PUBLIC;
COMMENT ON FUNCTION source_rule_audit() IS 'Trigger of source_rule: audit_log and a new generation';

CREATE OR REPLACE TRIGGER source_rule_audit AFTER INSERT OR UPDATE OR DELETE ON source_rule
FOR EACH ROW EXECUTE FUNCTION source_rule_audit();
