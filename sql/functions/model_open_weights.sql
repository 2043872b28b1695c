-- SPDX-License-Identifier: Apache-2.0
--
-- Whether a model has open weights by the list: its name, or what follows the last slash of it, is like a pattern.

CREATE OR REPLACE FUNCTION model_open_weights(p_name text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT EXISTS (SELECT FROM open_weight_model o
		WHERE lower(p_name) LIKE o.pattern OR regexp_replace(lower(p_name), '^.*/', '') LIKE o.pattern)
$$;
REVOKE ALL ON FUNCTION model_open_weights(text) FROM PUBLIC;
COMMENT ON FUNCTION model_open_weights(text) IS 'Whether open_weight_model lists this model';
