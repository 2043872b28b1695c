-- SPDX-License-Identifier: Apache-2.0
--
-- A rule that has given awards is part of history: it is disabled, not removed or renamed. The lock keeps a run from giving one
-- meanwhile.

CREATE OR REPLACE FUNCTION title_rule_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND NEW.name = OLD.name THEN
		RETURN NEW;
	END IF;
	PERFORM take_lock('titles');
	IF EXISTS (SELECT FROM title_award_row WHERE title = OLD.name) THEN
		RAISE EXCEPTION 'title "%" was awarded and cannot be removed or renamed', OLD.name USING ERRCODE = '23503',
			HINT = format('UPDATE title_rule SET enabled = false WHERE name = %L ends it.', OLD.name);
	END IF;
	RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION title_rule_guard() IS 'Trigger of title_rule: keeps rules that have awards';
REVOKE ALL ON FUNCTION title_rule_guard() FROM PUBLIC;

CREATE OR REPLACE TRIGGER title_rule_guard BEFORE UPDATE OF name OR DELETE ON title_rule
FOR EACH ROW EXECUTE FUNCTION title_rule_guard();
