-- SPDX-License-Identifier: Apache-2.0
--
-- What the runs of recompute_titles had to say, such as a tier that was not given.

CREATE OR REPLACE VIEW title_run_note AS
SELECT as_of, note FROM title_run_row, unnest(notes) note;
COMMENT ON VIEW title_run_note IS 'Remarks of the title runs; they name titles and numbers, nobody';
GRANT SELECT ON title_run_note TO tokentally_reader, tokentally_people, tokentally_ingest, tokentally_admin;
