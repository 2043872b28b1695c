-- SPDX-License-Identifier: Apache-2.0
--
-- A new person is listed under the own key.

CREATE OR REPLACE FUNCTION person_fill() RETURNS trigger
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	NEW.listed_key := NEW.user_key;
	RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION person_fill() FROM PUBLIC;
COMMENT ON FUNCTION person_fill() IS 'Trigger of person: listed_key';

CREATE OR REPLACE TRIGGER person_fill BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION person_fill();
