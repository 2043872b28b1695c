-- SPDX-License-Identifier: Apache-2.0
--
-- Dead letters may quote a person: as sent, or with the escapes of JSON. What was counted of them stays.

CREATE OR REPLACE FUNCTION erase_dead_letters(p_keys text[]) RETURNS bigint
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_count bigint;
BEGIN
	WITH form AS MATERIALIZED (
		SELECT k AS text FROM unnest(p_keys) k
		UNION SELECT substr(to_json(k)::text, 2, length(to_json(k)::text) - 2) FROM unnest(p_keys) k
		UNION SELECT json_ascii(k) FROM unnest(p_keys) k
	)
	UPDATE dead_letter_row d SET payload_excerpt = NULL,
		detail = CASE WHEN EXISTS (SELECT FROM form WHERE strpos(d.detail, form.text) > 0) THEN '' ELSE d.detail END
	WHERE EXISTS (SELECT FROM form
		WHERE strpos(d.detail, form.text) > 0 OR position(convert_to(form.text, 'UTF8') IN d.payload_excerpt) > 0);
	GET DIAGNOSTICS v_count = ROW_COUNT;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION erase_dead_letters(text[]) FROM PUBLIC;
COMMENT ON FUNCTION erase_dead_letters(text[]) IS 'Part of erase_user: payloads and details that quote the key';
