-- SPDX-License-Identifier: Apache-2.0
--
-- The five group roles and the schema. Roles belong to the whole cluster, so they may be there already,
-- or another database's migration may make them at this moment. None of them can log in: logins are
-- granted one of them. From the last statement on, all is made by and belongs to tokentally_owner.

DO $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['tokentally_owner', 'tokentally_ingest', 'tokentally_reader',
			'tokentally_people', 'tokentally_admin'] LOOP
		IF to_regrole(wanted) IS NULL THEN
			BEGIN
				EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
			EXCEPTION WHEN duplicate_object OR unique_violation THEN
				NULL; -- made by someone else in between
			END;
		END IF;
	END LOOP;
	IF NOT pg_has_role('tokentally_people', 'tokentally_reader', 'member') THEN
		GRANT tokentally_reader TO tokentally_people;
	END IF;
	IF NOT pg_has_role('tokentally_admin', 'tokentally_reader', 'member') THEN
		GRANT tokentally_reader TO tokentally_admin;
	END IF;
	-- SET ROLE needs a membership; a superuser has every one. On PostgreSQL 16 whoever made a role is a member without
	-- the right to become it, so grant in any case.
	IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
		EXECUTE format('GRANT tokentally_owner TO %I', current_user);
	END IF;
	-- A title run works in temporary tables, a right that many sites take from PUBLIC.
	IF has_database_privilege(current_database(), 'TEMPORARY WITH GRANT OPTION') THEN
		EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO tokentally_owner', current_database());
	ELSIF NOT has_database_privilege('tokentally_owner', current_database(), 'TEMPORARY') THEN
		RAISE WARNING 'titles need temporary tables: have the owner of the database GRANT TEMPORARY ON DATABASE % TO tokentally_owner',
			quote_ident(current_database());
	END IF;
END
$$;

CREATE SCHEMA IF NOT EXISTS tokentally AUTHORIZATION tokentally_owner;
COMMENT ON SCHEMA tokentally IS 'tokentally: who uses which language model, how much, and what it costs';

SET LOCAL ROLE tokentally_owner;
SET LOCAL search_path = tokentally, pg_catalog, pg_temp;

GRANT USAGE ON SCHEMA tokentally TO tokentally_ingest, tokentally_reader, tokentally_admin;

-- A function that forgets its REVOKE is still not everyone's.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
