-- SPDX-License-Identifier: Apache-2.0
--
-- Two groups on one database would count every message twice: the first claim decides which one it is.

CREATE OR REPLACE FUNCTION claim_group(p_group text)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_group text;
BEGIN
	INSERT INTO setting (key, value)
	SELECT 'group_id', p_group
	WHERE NOT EXISTS (SELECT FROM setting WHERE key = 'group_id')
	ON CONFLICT DO NOTHING;
	SELECT value INTO v_group FROM setting WHERE key = 'group_id';
	IF v_group <> p_group THEN
		RAISE EXCEPTION 'this database belongs to the Kafka group "%", not "%"', v_group, p_group
			USING ERRCODE = 'TT003', HINT = 'Set kafka.group.id back, or use another database.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION claim_group FROM PUBLIC;
COMMENT ON FUNCTION claim_group IS
	'Records the Kafka group at the first claim, refuses another (TT003)';
