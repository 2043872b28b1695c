-- SPDX-License-Identifier: Apache-2.0
--
-- Keeps the history of awards a history: a row is revoked once, with a reason, and otherwise stays as it was
-- written. Erasing a person is the one case in which rows go: it says so by the setting tokentally.erase.

CREATE OR REPLACE FUNCTION title_award_guard() RETURNS trigger
LANGUAGE plpgsql
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'UPDATE' THEN
		IF OLD.revoked_at IS NOT NULL THEN
			RAISE EXCEPTION 'title_award is append-only: award % was revoked already', OLD.id;
		END IF;
		IF NEW.revoked_at IS NULL
				OR (to_jsonb(NEW) - '{revoked_at,reason}'::text[]) <> (to_jsonb(OLD) - '{revoked_at,reason}'::text[]) THEN
			RAISE EXCEPTION 'title_award is append-only: of award % only revoked_at and reason can be set', OLD.id;
		END IF;
		RETURN NEW;
	END IF;
	IF TG_OP = 'DELETE' AND current_setting('tokentally.erase', true) = 'on' THEN
		RETURN OLD;
	END IF;
	RAISE EXCEPTION 'title_award is append-only: its rows are not deleted';
END
$$;
COMMENT ON FUNCTION title_award_guard() IS 'Trigger of title_award_row: append only, revoked once';
REVOKE ALL ON FUNCTION title_award_guard() FROM PUBLIC;

CREATE OR REPLACE TRIGGER title_award_guard BEFORE UPDATE OR DELETE ON title_award_row
FOR EACH ROW EXECUTE FUNCTION title_award_guard();
CREATE OR REPLACE TRIGGER title_award_guard_truncate BEFORE TRUNCATE ON title_award_row
FOR EACH STATEMENT EXECUTE FUNCTION title_award_guard();
