-- SPDX-License-Identifier: Apache-2.0
--
-- The audit log is only added to, whoever asks.

CREATE OR REPLACE FUNCTION audit_log_guard() RETURNS trigger
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = '55000';
END
$$;
REVOKE ALL ON FUNCTION audit_log_guard() FROM PUBLIC;
COMMENT ON FUNCTION audit_log_guard() IS 'Trigger of audit_log: no row is changed or removed';

CREATE OR REPLACE TRIGGER audit_log_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION audit_log_guard();
