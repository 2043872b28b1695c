-- SPDX-License-Identifier: Apache-2.0
--
-- The one place from which the views take the name of an app: what hides small ones changes here only.

CREATE OR REPLACE VIEW shown_app AS
SELECT id, name FROM app;
COMMENT ON VIEW shown_app IS 'Apps by the names that the caller may see';
