-- SPDX-License-Identifier: Apache-2.0
--
-- A text as senders write it that escape all but ASCII in JSON.

CREATE OR REPLACE FUNCTION json_ascii(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT string_agg(CASE
		WHEN point < 128 THEN substr(to_json(c)::text, 2, length(to_json(c)::text) - 2)
		WHEN point < 65536 THEN '\u' || lpad(to_hex(point), 4, '0')
		ELSE '\u' || to_hex(55296 + (point - 65536) / 1024) || '\u' || to_hex(56320 + (point - 65536) % 1024) END, '' ORDER BY n)
	FROM (SELECT c, n, ascii(c) AS point FROM string_to_table(p_text, NULL) WITH ORDINALITY AS t (c, n)) letters
$$;
REVOKE ALL ON FUNCTION json_ascii(text) FROM PUBLIC;
COMMENT ON FUNCTION json_ascii(text) IS 'Part of erase_dead_letters: a text with the escapes of JSON';
