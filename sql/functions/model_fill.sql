-- SPDX-License-Identifier: Apache-2.0
--
-- Gives a new model what the list says of it.

CREATE OR REPLACE FUNCTION model_fill() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	NEW.open_weights := NEW.open_weights OR model_open_weights(NEW.name);
	RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION model_fill() FROM PUBLIC;
COMMENT ON FUNCTION model_fill() IS 'Trigger of model: open_weights by open_weight_model';

CREATE OR REPLACE TRIGGER model_fill BEFORE INSERT ON model FOR EACH ROW EXECUTE FUNCTION model_fill();
