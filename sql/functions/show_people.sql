-- SPDX-License-Identifier: Apache-2.0
--
-- Brings shown_key of these people, and of their aliases, to what user_key, pseudonym, names, main_id and privacy.names
-- say; null: of everybody. Who changes one of those calls it, under lock names.

CREATE OR REPLACE FUNCTION show_people(p_ids bigint[])
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_default text := (SELECT value FROM setting WHERE key = 'privacy_names');
BEGIN
	UPDATE person i
	SET shown_key = shown_key(p.user_key, p.pseudonym, p.names, v_default)
	FROM person p
	WHERE p.id = i.listed_id AND (p_ids IS NULL OR i.id = ANY (p_ids) OR i.main_id = ANY (p_ids))
	AND i.shown_key <> shown_key(p.user_key, p.pseudonym, p.names, v_default);
END
$$;
REVOKE ALL ON FUNCTION show_people FROM PUBLIC;
COMMENT ON FUNCTION show_people IS
	'Keeps up what the views show of people';
