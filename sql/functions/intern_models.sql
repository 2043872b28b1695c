-- SPDX-License-Identifier: Apache-2.0
--
-- Ids of models, made for those not seen yet; see intern_people.

CREATE OR REPLACE FUNCTION intern_models(p_providers text[], p_names text[])
RETURNS int[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO model (provider, name)
	SELECT DISTINCT w.provider COLLATE "C", w.name COLLATE "C"
	FROM unnest(p_providers, p_names) AS w (provider, name)
	WHERE NOT EXISTS (SELECT FROM model m WHERE m.provider = w.provider AND m.name = w.name)
	ORDER BY 1, 2
	ON CONFLICT DO NOTHING;
	RETURN complete_ids((
		SELECT array_agg(m.id::bigint ORDER BY w.n)
		FROM unnest(p_providers, p_names) WITH ORDINALITY AS w (provider, name, n)
		JOIN model m ON m.provider = w.provider AND m.name = w.name
	), cardinality(p_names))::int[];
END
$$;
REVOKE ALL ON FUNCTION intern_models FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intern_models TO tokentally_ingest;
COMMENT ON FUNCTION intern_models IS
	'Ids of these models in the same order; new ones are made';
