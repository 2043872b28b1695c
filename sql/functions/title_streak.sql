-- SPDX-License-Identifier: Apache-2.0
--
-- The longest run of working days. Bit n is set when there was a call n working days before the last one.

CREATE OR REPLACE FUNCTION title_streak(p_near bigint, p_far bigint) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT max(length(run)) FROM string_to_table(
		ltrim(CASE p_far WHEN 0 THEN '' ELSE p_far::bit(60)::text END || p_near::bit(60)::text, '0'), '0') run
$$;
COMMENT ON FUNCTION title_streak(bigint, bigint) IS 'Part of recompute_titles: streak_days of two masks of 60 working days each';
REVOKE ALL ON FUNCTION title_streak(bigint, bigint) FROM PUBLIC;
