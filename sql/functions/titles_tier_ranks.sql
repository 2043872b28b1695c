-- SPDX-License-Identifier: Apache-2.0
--
-- Tiers of the rules of kind rank, in title_score. A tier's places are the ranks after the tier above it. If more
-- than twice that many people tie at its last rank, nobody gets the tier (and nobody gets the next one instead:
-- their rank is above it); the text returned says so.

CREATE OR REPLACE FUNCTION titles_tier_ranks() RETURNS text[]
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	notes text[];
BEGIN
	WITH step AS (
		SELECT c.id, c.title, t.place, t.name AS tier, each.value::int AS last_rank,
			lag(each.value::int, 1, 0) OVER (PARTITION BY c.id ORDER BY t.place) AS above
		FROM pg_temp.title_contest c, jsonb_each_text(c.tiers) each JOIN title_tier t ON t.name = each.key
		WHERE c.kind = 'rank'
	), border AS (
		SELECT step.*, last_rank - above AS places, tie.rank, tie.ties,
			COALESCE(tie.ties > 2 * (last_rank - above), false) AS withheld
		FROM step LEFT JOIN LATERAL (
			SELECT s.rank, s.ties FROM pg_temp.title_score s
			WHERE s.contest = step.id AND s.rank > above AND s.rank <= last_rank
			ORDER BY s.rank DESC LIMIT 1) tie ON true
	), given AS (
		UPDATE pg_temp.title_score s SET tier = CASE WHEN NOT b.withheld THEN b.tier END, withheld = b.withheld
		FROM border b
		WHERE s.contest = b.id AND s.rank > b.above AND s.rank <= b.last_rank
	)
	SELECT array_agg(format('%s: %s not given, %s people tie at rank %s and it has %s',
			title, tier, ties, rank, CASE places WHEN 1 THEN '1 place' ELSE places || ' places' END)
		ORDER BY title, place) INTO notes
	FROM border WHERE withheld;
	RETURN COALESCE(notes, '{}');
END
$$;
COMMENT ON FUNCTION titles_tier_ranks() IS 'Part of recompute_titles: tiers by rank, in title_score';
REVOKE ALL ON FUNCTION titles_tier_ranks() FROM PUBLIC;
