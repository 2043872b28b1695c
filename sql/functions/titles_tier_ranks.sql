-- SPDX-License-Identifier: Apache-2.0
--
-- Tiers of the rules of kind rank, in title_score. A tier goes to the ranks up to its limit. The border of a tier is
-- the last rank within its limit: if more people than twice the limit share that rank, nobody gets the tier. Everyone
-- has the best tier that is given and whose limit is not below their rank: three at rank 1 have jade, not emerald.
-- The text returned says which tiers were not given.

CREATE OR REPLACE FUNCTION titles_tier_ranks() RETURNS text[]
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	notes text[];
BEGIN
	WITH step AS (
		SELECT c.id, c.title, t.place, t.name AS tier, each.value::numeric::int AS last_rank
		FROM pg_temp.title_contest c, jsonb_each_text(c.tiers) each JOIN title_tier t ON t.name = each.key
		WHERE c.kind = 'rank'
	), border AS MATERIALIZED (
		SELECT step.*, tie.rank, tie.ties, tie.ties > 2 * last_rank AS overfull
		FROM step CROSS JOIN LATERAL (
			SELECT s.rank, s.ties FROM pg_temp.title_score s
			WHERE s.contest = step.id AND s.rank <= last_rank
			ORDER BY s.rank DESC LIMIT 1) tie
	), span AS (
		SELECT id, tier, last_rank, lag(last_rank, 1, 0) OVER (PARTITION BY id ORDER BY place) AS above
		FROM border WHERE NOT overfull
	), given AS (
		UPDATE pg_temp.title_score s SET tier = span.tier
		FROM span
		WHERE s.contest = span.id AND s.rank > span.above AND s.rank <= span.last_rank
	)
	SELECT array_agg(format('%s: %s not given, %s people tie at rank %s and at most %s may',
			title, tier, ties, rank, 2 * last_rank)
		ORDER BY title, place) INTO notes
	FROM border WHERE overfull;
	RETURN COALESCE(notes, '{}');
END
$$;
COMMENT ON FUNCTION titles_tier_ranks() IS 'Part of recompute_titles: tiers by rank, in title_score';
REVOKE ALL ON FUNCTION titles_tier_ranks() FROM PUBLIC;
