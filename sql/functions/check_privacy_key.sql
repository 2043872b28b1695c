-- SPDX-License-Identifier: Apache-2.0
--
-- The check value is made from privacy.key by the daemon; the key itself is never here. Without a key
-- (privacy.names = named) there is nothing to compare.

CREATE OR REPLACE FUNCTION check_privacy_key(p_key_check text)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF coalesce(p_key_check, '') = '' THEN
		RETURN;
	END IF;
	INSERT INTO setting (key, value)
	SELECT 'privacy_key_check', p_key_check
	WHERE NOT EXISTS (SELECT FROM setting WHERE key = 'privacy_key_check')
	ON CONFLICT DO NOTHING;
	IF FOUND THEN
		PERFORM audit('first key', 'the first privacy key of this database');
	END IF;
	IF p_key_check <> (SELECT value FROM setting WHERE key = 'privacy_key_check') THEN
		RAISE EXCEPTION 'privacy.key is not the one this database was made with'
			USING ERRCODE = 'TT011', HINT = 'Put the old key back, or change all pseudonyms to another: tokentally rekey.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION check_privacy_key FROM PUBLIC;
COMMENT ON FUNCTION check_privacy_key IS
	'Remembers the check value of the first privacy key, refuses another (TT011)';
