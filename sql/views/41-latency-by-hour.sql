-- SPDX-License-Identifier: Apache-2.0
--
-- Class c holds values up to 1.05 ^ c ms and above that of c - 1; the last class has no bound.

CREATE OR REPLACE VIEW latency_by_hour AS
SELECT l.bucket, m.provider, m.name AS model,
	CASE l.kind WHEN 0 THEN 'duration' ELSE 'ttft' END AS kind,
	CASE l.class WHEN 311 THEN 'Infinity'::double precision
		ELSE power(1.05::double precision, l.class) END AS le_ms,
	l.calls
FROM latency_hour l
JOIN model m ON m.id = l.model_id;
COMMENT ON VIEW latency_by_hour IS 'Calls by hour, model and latency class; percentile_ms reads it';
DO $$ BEGIN PERFORM comment_columns('latency_by_hour'); END $$;
GRANT SELECT ON latency_by_hour TO tokentally_reader;
