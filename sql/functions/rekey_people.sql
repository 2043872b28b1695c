-- SPDX-License-Identifier: Apache-2.0
--
-- Everybody who has a pseudonym, page by page: the new ones are made outside, with a key that never comes here. Of the
-- rekey_* functions only tokentally_owner may call any: they tell names.

CREATE OR REPLACE FUNCTION rekey_people(p_after bigint, p_limit int) RETURNS TABLE (id bigint, user_key text)
LANGUAGE sql STABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT p.id, p.user_key FROM person p
	WHERE p.id > p_after AND p.id IS DISTINCT FROM erased_person()
	ORDER BY p.id
	LIMIT p_limit
$$;
REVOKE ALL ON FUNCTION rekey_people(bigint, int) FROM PUBLIC;
COMMENT ON FUNCTION rekey_people(bigint, int) IS 'Part of tokentally rekey: people in the order of their ids';
