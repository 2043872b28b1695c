-- SPDX-License-Identifier: Apache-2.0
--
-- The one place from which the views take the name of an app: small ones are not named to readers.

CREATE OR REPLACE VIEW shown_app AS
SELECT id, name FROM app
WHERE pg_has_role(current_user, 'tokentally_people', 'usage')
UNION ALL
SELECT id, shown_name FROM app
WHERE NOT pg_has_role(current_user, 'tokentally_people', 'usage');
COMMENT ON VIEW shown_app IS 'Apps by the names that the caller may see';
