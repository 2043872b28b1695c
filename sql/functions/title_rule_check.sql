-- SPDX-License-Identifier: Apache-2.0
--
-- Refuses a rule that no run could follow, saying what would be right, and numbers the versions of one whose
-- meaning changes.

CREATE OR REPLACE FUNCTION title_rule_check() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF NEW.kind = 'rank' AND NEW.tiers IS NULL THEN
		SELECT jsonb_object_agg(name, rank_limit) INTO NEW.tiers FROM title_tier;
	END IF;
	PERFORM title_word_check('metric', ARRAY[NEW.metric], (SELECT array_agg(name ORDER BY name) FROM title_metric));
	PERFORM title_word_check('window', ARRAY[NEW.window_name], (SELECT array_agg(name ORDER BY hours) FROM title_window));
	PERFORM title_word_check('kind', ARRAY[NEW.kind], ARRAY['rank', 'milestone']);
	PERFORM title_word_check('direction', ARRAY[NEW.direction], ARRAY['descending', 'ascending']);
	PERFORM title_word_check('tier', title_json_keys('tiers', NEW.tiers),
		(SELECT array_agg(name ORDER BY place) FROM title_tier));
	PERFORM title_word_check('floor', title_json_keys('floors', NEW.floors),
		(SELECT array_agg(name ORDER BY name) FROM title_metric));
	PERFORM title_tiers_check(NEW.kind, NEW.direction, NEW.tiers);

	IF TG_OP = 'INSERT' THEN
		NEW.rule_version := 1;
	ELSE
		NEW.rule_version := OLD.rule_version
			+ ((NEW.metric, NEW.window_name, NEW.kind, NEW.direction, NEW.tiers, NEW.floors)
				IS DISTINCT FROM
			   (OLD.metric, OLD.window_name, OLD.kind, OLD.direction, OLD.tiers, OLD.floors))::int;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION title_rule_check() IS 'Trigger of title_rule: refuses what is unknown, raises rule_version';
REVOKE ALL ON FUNCTION title_rule_check() FROM PUBLIC;

CREATE OR REPLACE TRIGGER title_rule_check BEFORE INSERT OR UPDATE ON title_rule
FOR EACH ROW EXECUTE FUNCTION title_rule_check();
