-- SPDX-License-Identifier: Apache-2.0
--
-- The upper bound of the 95 % Wilson interval of a share: one who made few calls cannot be as sure of none failing.

CREATE OR REPLACE FUNCTION title_error_bound(p_errors numeric, p_calls numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT ((p + z2 / (2 * n) + z * sqrt(p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n))::numeric
	FROM (SELECT p_calls::float8 AS n, p_errors::float8 / p_calls::float8 AS p,
		1.959963984540054::float8 AS z, 3.8414588206941236::float8 AS z2) v
$$;
COMMENT ON FUNCTION title_error_bound(numeric, numeric) IS 'Part of recompute_titles: upper 95 % Wilson bound';
REVOKE ALL ON FUNCTION title_error_bound(numeric, numeric) FROM PUBLIC;
