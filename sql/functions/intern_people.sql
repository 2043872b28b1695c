-- SPDX-License-Identifier: Apache-2.0
--
-- Ids of people, made for those not seen yet. Known keys touch no sequence and write nothing. Sorted, so
-- that two workers with the same new names wait for each other in one direction only; by pseudonym, so that the order of
-- ids says nothing about the order of names. Erased keys all have the id of "(erased)". The generation (null: not looked
-- at) keeps out a daemon whose pseudonyms are of a key that the database had before.

CREATE OR REPLACE FUNCTION intern_people(p_keys text[], p_pseudonyms text[], p_names_generation bigint DEFAULT NULL)
RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_default text;
	v_ids bigint[];
BEGIN
	PERFORM take_lock('names', p_shared => true);
	IF p_names_generation IS NOT NULL THEN
		PERFORM check_names_generation(p_names_generation);
	END IF;
	SELECT value INTO v_default FROM setting WHERE key = 'privacy_names';
	INSERT INTO person (user_key, pseudonym, shown_key)
	SELECT DISTINCT ON (w.pseudonym COLLATE "C", w.key COLLATE "C") w.key, w.pseudonym,
		shown_key(w.key, w.pseudonym, NULL, v_default)
	FROM unnest(p_keys, p_pseudonyms) AS w (key, pseudonym)
	WHERE NOT EXISTS (SELECT FROM person p WHERE p.user_key = w.key) AND NOT is_erased(w.key)
	ORDER BY w.pseudonym COLLATE "C", w.key COLLATE "C"
	ON CONFLICT DO NOTHING;
	PERFORM fill_pseudonyms(p_keys, p_pseudonyms);
	SELECT array_agg(COALESCE(p.id, erased_person()) ORDER BY w.n) INTO v_ids
	FROM unnest(p_keys) WITH ORDINALITY AS w (key, n) LEFT JOIN person p ON p.user_key = w.key
	WHERE p.id IS NOT NULL OR is_erased(w.key);
	RETURN complete_ids(v_ids::bigint[], cardinality(p_keys));
END
$$;
REVOKE ALL ON FUNCTION intern_people FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intern_people TO tokentally_ingest;
COMMENT ON FUNCTION intern_people IS
	'Ids of these people in the same order; new ones are made';
