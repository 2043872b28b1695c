-- SPDX-License-Identifier: Apache-2.0
--
-- How many models and providers each person used in each window, for titles_measure: what does not add up from segments. An
-- element per window, the longest first, as in p_starts; 0 where a window is missing. A model counts from 10 calls and
-- 1 % of the person's calls in the window on, a provider from 10 calls on. Days and hours are those of titles_segment, read a
-- second time: for each person and model apart, but only the calls.
--
-- STABLE, and a made-up cost, for the reasons given in titles_segment.

CREATE OR REPLACE FUNCTION titles_variety(p_as_of timestamptz, p_starts timestamptz[], p_whole_days timestamptz[], p_hours timestamptz[],
	p_left_out bigint[])
RETURNS TABLE (person_id bigint, models bigint[], providers bigint[])
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 200000000 ROWS 100000
SET search_path = tokentally, pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH used AS MATERIALIZED (
		SELECT who.person_id, kind.model, kind.provider, calls_1, calls_2, calls_3, calls_4
		FROM (SELECT person_id, model_id, title_sum(calls) AS calls_1, title_sum(calls) FILTER (WHERE bucket >= p_starts[2]) AS calls_2,
				title_sum(calls) FILTER (WHERE bucket >= p_starts[3]) AS calls_3, title_sum(calls) FILTER (WHERE bucket >= p_starts[4]) AS calls_4
			FROM (SELECT bucket, person_id, model_id, calls FROM usage_day WHERE bucket = ANY (p_whole_days)
				UNION ALL
					SELECT bucket, person_id, model_id, calls FROM usage_hour
					WHERE bucket = ANY (p_hours) AND bucket >= p_starts[1] AND bucket < p_as_of) piece
			WHERE person_id <> ALL (p_left_out)
			GROUP BY person_id, model_id) by_id
		JOIN titles_people(p_as_of) who ON who.identity_id = by_id.person_id
		-- Numbers stand for names: they are quicker to compare.
		JOIN (SELECT id, min(id) OVER (PARTITION BY COALESCE(canonical, name)) AS model,
				CASE WHEN provider <> '' THEN min(id) OVER (PARTITION BY provider) END AS provider
			FROM model) kind ON kind.id = by_id.model_id
	), total AS (
		SELECT person_id, title_sum(calls_1) AS calls_1, title_sum(calls_2) AS calls_2, title_sum(calls_3) AS calls_3,
			title_sum(calls_4) AS calls_4
		FROM used
		GROUP BY 1
	), by_model AS (
		SELECT person_id, title_sum(calls_1) AS calls_1, title_sum(calls_2) AS calls_2, title_sum(calls_3) AS calls_3,
			title_sum(calls_4) AS calls_4
		FROM used
		GROUP BY person_id, model
	), by_provider AS (
		SELECT person_id, title_sum(calls_1) AS calls_1, title_sum(calls_2) AS calls_2, title_sum(calls_3) AS calls_3,
			title_sum(calls_4) AS calls_4
		FROM used WHERE provider IS NOT NULL
		GROUP BY person_id, provider
	), providers AS (
		SELECT person_id, ARRAY[count(*) FILTER (WHERE calls_1 >= 10), count(*) FILTER (WHERE calls_2 >= 10),
			count(*) FILTER (WHERE calls_3 >= 10), count(*) FILTER (WHERE calls_4 >= 10)] AS used
		FROM by_provider
		GROUP BY 1
	), models AS (
		SELECT person_id, ARRAY[count(*) FILTER (WHERE m.calls_1 >= 10 AND m.calls_1 * 100 >= t.calls_1),
			count(*) FILTER (WHERE m.calls_2 >= 10 AND m.calls_2 * 100 >= t.calls_2),
			count(*) FILTER (WHERE m.calls_3 >= 10 AND m.calls_3 * 100 >= t.calls_3),
			count(*) FILTER (WHERE m.calls_4 >= 10 AND m.calls_4 * 100 >= t.calls_4)] AS used
		FROM by_model m JOIN total t USING (person_id)
		GROUP BY 1
	)
	SELECT person_id, models.used, providers.used
	FROM models LEFT JOIN providers USING (person_id);
END
$$;
COMMENT ON FUNCTION titles_variety(timestamptz, timestamptz[], timestamptz[], timestamptz[], bigint[]) IS
	'Part of recompute_titles: models and providers used';
REVOKE ALL ON FUNCTION titles_variety(timestamptz, timestamptz[], timestamptz[], timestamptz[], bigint[]) FROM PUBLIC;
