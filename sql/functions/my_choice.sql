-- SPDX-License-Identifier: Apache-2.0
--
-- One's own choices, for a login that set_login has mapped: what readers see of one, and whether one takes part in titles.
-- Null leaves a choice; "default" goes back to privacy.names. Answers what holds then.

CREATE OR REPLACE FUNCTION my_choice(INOUT names text DEFAULT NULL, INOUT titles boolean DEFAULT NULL, OUT shown_as text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_me bigint := my_person();
BEGIN
	IF my_choice.names NOT IN ('named', 'pseudonym', 'hidden', 'default') THEN
		RAISE EXCEPTION 'names cannot be "%": named, pseudonym, hidden or default', my_choice.names USING ERRCODE = '22023';
	END IF;
	PERFORM take_lock('names');
	UPDATE person p SET titles = coalesce(my_choice.titles, p.titles),
		names = CASE my_choice.names WHEN 'default' THEN NULL ELSE coalesce(my_choice.names, p.names) END
	WHERE p.id = v_me;
	PERFORM show_people(ARRAY[v_me]);
	SELECT coalesce(p.names, 'default'), p.titles, p.shown_key INTO my_choice.names, my_choice.titles, shown_as
	FROM person p WHERE p.id = v_me;
END
$$;
REVOKE ALL ON FUNCTION my_choice FROM PUBLIC;
GRANT EXECUTE ON FUNCTION my_choice TO tokentally_reader;
COMMENT ON FUNCTION my_choice IS
	'Own choice of names (named, pseudonym, hidden, default) and titles, for the person whose login this is';
