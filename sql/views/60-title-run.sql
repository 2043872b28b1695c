-- SPDX-License-Identifier: Apache-2.0
--
-- The runs of recompute_titles, and what they had to say.

CREATE OR REPLACE VIEW title_run AS
SELECT as_of, started_at, finished_at, partial, holders, changes FROM title_run_row;
COMMENT ON VIEW title_run IS 'The hours whose titles were computed; as_of is the end of the hour';
COMMENT ON COLUMN title_run.partial IS 'Some partition still held events from before as_of';
COMMENT ON COLUMN title_run.changes IS 'Tiers gained, changed or lost by someone at as_of';
GRANT SELECT ON title_run TO tokentally_reader, tokentally_people, tokentally_ingest, tokentally_admin;
