-- SPDX-License-Identifier: Apache-2.0
--
-- The longest run of working days; null without any. Bit n of the two masks of 60 bits, p_near first, is set when there
-- was a call n working days before the last one. Each turn takes the end off every run: as many turns as the longest has.

CREATE OR REPLACE FUNCTION title_streak(p_near bigint, p_far bigint) RETURNS int
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_days int := 0;
BEGIN
	IF p_far = 0 THEN
		WHILE p_near <> 0 LOOP
			p_near := p_near & (p_near >> 1);
			v_days := v_days + 1;
		END LOOP;
	ELSE
		WHILE p_near <> 0 OR p_far <> 0 LOOP
			p_near := p_near & ((p_near >> 1) | ((p_far & 1) << 59)); -- these operators all bind alike
			p_far := p_far & (p_far >> 1);
			v_days := v_days + 1;
		END LOOP;
	END IF;
	RETURN NULLIF(v_days, 0);
END
$$;
COMMENT ON FUNCTION title_streak(bigint, bigint) IS 'Part of recompute_titles: streak_days of two masks of 60 working days each';
REVOKE ALL ON FUNCTION title_streak(bigint, bigint) FROM PUBLIC;
