-- SPDX-License-Identifier: Apache-2.0
--
-- One row a bad record; a flood comes folded, with a count.

CREATE OR REPLACE FUNCTION commit_dead_letters(p_dead dead_letter_delta[])
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO dead_letter_row AS t
	SELECT d.* FROM unnest(p_dead) d
	ON CONFLICT (received_at, topic, partition, "offset", record) DO UPDATE SET
		count = t.count + EXCLUDED.count;
END
$$;
REVOKE ALL ON FUNCTION commit_dead_letters FROM PUBLIC;
COMMENT ON FUNCTION commit_dead_letters IS
	'Adds the dead letters of a batch';
