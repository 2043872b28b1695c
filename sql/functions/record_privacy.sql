-- SPDX-License-Identifier: Apache-2.0
--
-- Writes only what changed: every daemon calls this at every connection. People who made no choice of their
-- own follow the new privacy.names at once.

CREATE OR REPLACE FUNCTION record_privacy(p_privacy_names text, p_min_group int)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF p_privacy_names IS NULL THEN
		RETURN; -- a worker's connection: only the upkeep thread knows what a reload changed
	END IF;
	IF p_privacy_names NOT IN ('named', 'pseudonym', 'hidden') THEN
		RAISE EXCEPTION 'privacy.names cannot be "%"', p_privacy_names USING ERRCODE = '22023';
	END IF;
	INSERT INTO setting AS s (key, value)
	SELECT 'min_group', p_min_group::text WHERE p_min_group IS NOT NULL
	ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value WHERE s.value <> EXCLUDED.value;
	IF FOUND THEN
		DELETE FROM setting WHERE key = 'small_groups_next'; -- count again at once
		PERFORM audit('privacy', format('privacy.min_group is %s', p_min_group));
	END IF;
	IF coalesce(p_privacy_names = (SELECT value FROM setting WHERE key = 'privacy_names'), true) THEN
		RETURN; -- the same, or none given
	END IF;
	PERFORM take_lock('names');
	UPDATE setting SET value = p_privacy_names WHERE key = 'privacy_names' AND value <> p_privacy_names;
	IF NOT FOUND THEN
		RETURN; -- another daemon did it while this one waited
	END IF;
	PERFORM audit('privacy', format('privacy.names is %s', p_privacy_names));
	PERFORM show_people(NULL);
END
$$;
REVOKE ALL ON FUNCTION record_privacy FROM PUBLIC;
COMMENT ON FUNCTION record_privacy IS
	'Takes over privacy.names and privacy.min_group of the configuration';
