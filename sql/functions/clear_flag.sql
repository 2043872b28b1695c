-- SPDX-License-Identifier: Apache-2.0
--
-- An administrator has looked and gives a reason; the next title run counts the person again. The person may be named
-- by key or, as view title_flag does for administrators, by pseudonym.

CREATE OR REPLACE FUNCTION clear_flag(user_key text, rule text, day date, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF COALESCE(trim(clear_flag.reason), '') = '' THEN
		RAISE EXCEPTION 'a flag is cleared with a reason' USING ERRCODE = '22023';
	END IF;
	UPDATE title_flag_row f
	SET cleared_at = now(), cleared_by = session_user, reason = clear_flag.reason
	FROM person p
	WHERE p.id = f.person_id AND (p.user_key = clear_flag.user_key OR p.pseudonym = NULLIF(clear_flag.user_key, ''))
	AND f.rule = clear_flag.rule AND f.day = clear_flag.day AND f.cleared_at IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no open flag "%" of that person and day', clear_flag.rule USING ERRCODE = 'P0002';
	END IF;
	PERFORM audit('clear flag', format('%s of %s: %s', clear_flag.rule, clear_flag.day, clear_flag.reason));
END
$$;
REVOKE ALL ON FUNCTION clear_flag(text, text, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clear_flag(text, text, date, text) TO tokentally_admin;
COMMENT ON FUNCTION clear_flag(text, text, date, text) IS 'Ends a flag of a person, rule and day, with a reason; recorded in audit_log';
