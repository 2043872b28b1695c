-- SPDX-License-Identifier: Apache-2.0
--
-- Where a change of the privacy key stands, and what it would have to do. Nameless: someone was counted before there was
-- a key, or made by set_person, and has no pseudonym yet.

CREATE OR REPLACE FUNCTION rekey_state(OUT key_check text, OUT sessions_pending boolean, OUT nameless boolean, OUT people bigint)
LANGUAGE sql STABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT coalesce((SELECT value FROM setting WHERE key = 'privacy_key_check'), ''),
		EXISTS (SELECT FROM setting WHERE key = 'sessions_rekeyed_from'),
		EXISTS (SELECT FROM person WHERE pseudonym = ''),
		(SELECT count(*) FROM person WHERE id IS DISTINCT FROM erased_person())
$$;
REVOKE ALL ON FUNCTION rekey_state() FROM PUBLIC;
COMMENT ON FUNCTION rekey_state() IS 'Part of tokentally rekey: which key the database has, whether sessions are left, how many people';
