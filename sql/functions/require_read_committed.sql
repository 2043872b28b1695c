-- SPDX-License-Identifier: Apache-2.0
--
-- Who waits for a lock and then reads what another did meanwhile needs a new snapshot for each statement.

CREATE OR REPLACE FUNCTION require_read_committed()
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		RAISE EXCEPTION 'this needs isolation level READ COMMITTED, not %', current_setting('transaction_isolation')
			USING ERRCODE = '25001';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION require_read_committed FROM PUBLIC;
COMMENT ON FUNCTION require_read_committed IS
	'Fails in a transaction with one snapshot for all statements';
