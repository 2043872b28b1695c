-- SPDX-License-Identifier: Apache-2.0
--
-- ingest.start holds for a topic without any row only: a partition added later starts at its first message.

CREATE OR REPLACE FUNCTION ingest_starts(p_topics text[])
RETURNS TABLE (topic text, known boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
	SELECT t.name, EXISTS (SELECT FROM kafka_offset k WHERE k.topic = t.name)
	FROM unnest(p_topics) WITH ORDINALITY AS t (name, n)
	ORDER BY t.n
$$;
REVOKE ALL ON FUNCTION ingest_starts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_starts TO tokentally_ingest;
COMMENT ON FUNCTION ingest_starts IS
	'Which of these topics have a position already';
