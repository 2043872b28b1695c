-- SPDX-License-Identifier: Apache-2.0
--
-- Details and payloads may hold personal data: not for readers.

CREATE OR REPLACE VIEW dead_letter AS
SELECT topic, partition, "offset", record, received_at, reason, detail, payload_excerpt, count
FROM dead_letter_row;
COMMENT ON VIEW dead_letter IS 'Records that could not be counted, and why';
DO $$ BEGIN PERFORM comment_columns('dead_letter'); END $$;
GRANT SELECT ON dead_letter TO tokentally_people, tokentally_admin;
