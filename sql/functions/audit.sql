-- SPDX-License-Identifier: Apache-2.0
--
-- Writes the audit log. Who it was is the login, whatever role it has taken on.

CREATE OR REPLACE FUNCTION audit(p_action text, p_detail text) RETURNS void
LANGUAGE sql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	INSERT INTO audit_log (action, detail) VALUES (p_action, p_detail)
$$;
COMMENT ON FUNCTION audit(text, text) IS 'Writes one row of audit_log';
REVOKE ALL ON FUNCTION audit(text, text) FROM PUBLIC;
