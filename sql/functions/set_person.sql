-- SPDX-License-Identifier: Apache-2.0
--
-- What a person chose, or an operator for them. A null argument leaves things as they are. Someone not seen
-- yet is made, so that a choice can come before the first call.

CREATE OR REPLACE FUNCTION set_person(user_key text, kind text DEFAULT NULL, titles boolean DEFAULT NULL,
	names text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF set_person.user_key IS NULL OR octet_length(set_person.user_key) NOT BETWEEN 1 AND 256 THEN
		RAISE EXCEPTION 'user_key needs 1 to 256 bytes' USING ERRCODE = '22023';
	ELSIF set_person.kind NOT IN ('person', 'service') THEN
		RAISE EXCEPTION 'kind cannot be "%": person or service', set_person.kind USING ERRCODE = '22023';
	ELSIF set_person.names NOT IN ('named', 'pseudonym', 'hidden') THEN
		RAISE EXCEPTION 'names cannot be "%": named, pseudonym or hidden', set_person.names
			USING ERRCODE = '22023';
	END IF;
	PERFORM take_lock('names');
	IF is_erased(set_person.user_key) THEN
		RAISE EXCEPTION 'that person was erased' USING ERRCODE = '55000';
	END IF;
	INSERT INTO person (user_key, pseudonym, shown_key)
	SELECT set_person.user_key, '', '(hidden)'
	WHERE NOT EXISTS (SELECT FROM person p WHERE p.user_key = set_person.user_key)
	ON CONFLICT DO NOTHING;
	UPDATE person p
	SET kind = coalesce(set_person.kind, p.kind),
		titles = coalesce(set_person.titles, p.titles),
		names = coalesce(set_person.names, p.names)
	WHERE p.user_key = set_person.user_key;
	PERFORM show_people(ARRAY(SELECT p.id FROM person p WHERE p.user_key = set_person.user_key));
	IF num_nonnulls(set_person.kind, set_person.titles, set_person.names) > 0 THEN
		PERFORM audit('set person', format('person %s:%s', (SELECT p.id FROM person p WHERE p.user_key = set_person.user_key),
			concat(' kind ' || set_person.kind, ' titles ' || set_person.titles, ' names ' || set_person.names)));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION set_person FROM PUBLIC;
GRANT EXECUTE ON FUNCTION set_person TO tokentally_admin;
COMMENT ON FUNCTION set_person IS
	'Sets kind (person, service), titles (true, false), names (named, pseudonym, hidden) of a person; null leaves it';
