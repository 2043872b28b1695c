-- SPDX-License-Identifier: Apache-2.0
--
-- The list was edited: all models follow it at once, the next title run counts by it.

CREATE OR REPLACE FUNCTION open_weight_model_edited() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE model SET open_weights = model_open_weights(name) WHERE open_weights <> model_open_weights(name);
	PERFORM audit(lower(TG_OP) || ' open_weight_model', 'which models count as open');
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION open_weight_model_edited() FROM PUBLIC;
COMMENT ON FUNCTION open_weight_model_edited() IS 'Trigger of open_weight_model: open_weights of every model again';

CREATE OR REPLACE TRIGGER open_weight_model_edited AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON open_weight_model
FOR EACH STATEMENT EXECUTE FUNCTION open_weight_model_edited();
