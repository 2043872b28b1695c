-- SPDX-License-Identifier: Apache-2.0
--
-- Sums the hours of one UTC day into usage_day, once and whole: folding hour by hour costs as much as writing days in
-- every commit (docs/PERFORMANCE.md). There are no rows of this day yet: commits write days only before the border.

CREATE OR REPLACE FUNCTION fold_day(p_day timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO usage_day
	SELECT p_day, h.person_id, h.team_id, h.model_id, h.price_class,
		sum(h.calls), sum(h.errors), capped(sum(h.input_tokens)), capped(sum(h.cache_read_tokens)), capped(sum(h.cache_write_tokens)),
		capped(sum(h.cache_write_1h_tokens)), capped(sum(h.output_tokens)), capped(sum(h.reasoning_tokens)), capped(sum(h.cost_nano)),
		sum(h.unpriced_calls), sum(h.zero_output_calls), capped(sum(h.cache_known_tokens)), sum(h.duration_ms_sum),
		max(h.duration_ms_max)
	FROM usage_hour h
	WHERE h.bucket >= p_day AND h.bucket < p_day + interval '1 day'
	GROUP BY h.person_id, h.team_id, h.model_id, h.price_class
	ORDER BY h.person_id, h.team_id, h.model_id, h.price_class;
END
$$;
REVOKE ALL ON FUNCTION fold_day FROM PUBLIC;
COMMENT ON FUNCTION fold_day IS
	'Sums one UTC day of usage_hour into usage_day';
