-- SPDX-License-Identifier: Apache-2.0
--
-- Remembers who used which app, so that apps of few people can be told. A pair and day that is known is not written
-- again, so a batch may be reported any number of times. Called before the commit, like the interning of names.

CREATE OR REPLACE FUNCTION ingest_app_people(p_apps int[], p_people bigint[], p_days int[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
SET work_mem = '64MB'
AS $$
BEGIN
	INSERT INTO app_person AS t (app_id, person_id, day)
	SELECT w.app, w.person, '1970-01-01'::date + max(w.day)
	FROM unnest(p_apps, p_people, p_days) AS w (app, person, day) JOIN person p ON p.id = w.person
	WHERE NOT EXISTS (SELECT FROM app_person known
		WHERE known.app_id = w.app AND known.person_id = w.person AND known.day >= '1970-01-01'::date + w.day)
	GROUP BY 1, 2
	ORDER BY 1, 2
	ON CONFLICT (app_id, person_id) DO UPDATE SET day = EXCLUDED.day WHERE t.day < EXCLUDED.day;
END
$$;
REVOKE ALL ON FUNCTION ingest_app_people FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_app_people TO tokentally_ingest;
COMMENT ON FUNCTION ingest_app_people IS
	'Notes that these people used these apps on these days, counted from 1970-01-01';
