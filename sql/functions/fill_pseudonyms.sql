-- SPDX-License-Identifier: Apache-2.0
--
-- A person made by set_person, or while there was no privacy key, gets the pseudonym when the daemon brings
-- it.

CREATE OR REPLACE FUNCTION fill_pseudonyms(p_keys text[], p_pseudonyms text[])
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	WITH missing AS (
		SELECT p.id, w.pseudonym
		FROM unnest(p_keys, p_pseudonyms) AS w (key, pseudonym)
		JOIN person p ON p.user_key = w.key
		WHERE p.pseudonym = '' AND w.pseudonym <> ''
		ORDER BY p.user_key
		FOR UPDATE OF p
	)
	UPDATE person p
	SET pseudonym = m.pseudonym
	FROM missing m
	WHERE p.id = m.id;
	IF FOUND THEN
		PERFORM show_people(ARRAY(SELECT p.id FROM person p WHERE p.user_key = ANY (p_keys)));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION fill_pseudonyms FROM PUBLIC;
COMMENT ON FUNCTION fill_pseudonyms IS
	'Fills pseudonyms that are still empty';
