-- SPDX-License-Identifier: Apache-2.0
--
-- sum() of bigint answers numeric and keeps 64 bytes a group for it. A run of titles adds eight sums for a million groups:
-- this one stays a bigint, needs half the time, and fails above 64 bits, as the rollups do.

CREATE OR REPLACE AGGREGATE title_sum(bigint) (
	SFUNC = int8pl,
	STYPE = bigint,
	INITCOND = '0',
	COMBINEFUNC = int8pl,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE title_sum(bigint) IS 'Part of recompute_titles: a sum of bigints that is a bigint; 0 of nothing';
REVOKE ALL ON FUNCTION title_sum(bigint) FROM PUBLIC;
