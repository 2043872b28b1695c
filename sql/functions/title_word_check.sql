-- SPDX-License-Identifier: Apache-2.0
--
-- The error of a word that is not known: it names the ones that are.

CREATE OR REPLACE FUNCTION title_word_check(p_what text, p_words text[], p_known text[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	word text;
BEGIN
	FOREACH word IN ARRAY p_words LOOP
		IF word IS NULL OR word <> ALL (p_known) THEN
			RAISE EXCEPTION 'unknown % "%"; known: %', p_what, COALESCE(word, ''), array_to_string(p_known, ', ')
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION title_word_check(text, text[], text[]) IS 'Part of title_rule_check';
REVOKE ALL ON FUNCTION title_word_check(text, text[], text[]) FROM PUBLIC;
