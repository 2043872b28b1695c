-- SPDX-License-Identifier: Apache-2.0
--
-- The person that erased ones become, made at the first erasure.

CREATE OR REPLACE FUNCTION erase_make_person() RETURNS void
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF erased_person() IS NULL THEN
		INSERT INTO person (user_key, pseudonym, shown_key, kind, titles, names)
		VALUES ('(erased)', '(erased)', '(erased)', 'service', false, 'named')
		ON CONFLICT (user_key) DO UPDATE SET kind = 'service', titles = false, names = 'named', shown_key = '(erased)';
		INSERT INTO setting SELECT 'erased_person', id::text FROM person WHERE user_key = '(erased)';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION erase_make_person() FROM PUBLIC;
COMMENT ON FUNCTION erase_make_person() IS 'Part of erase_user: makes "(erased)"';
