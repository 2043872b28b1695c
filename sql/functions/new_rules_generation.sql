-- SPDX-License-Identifier: Apache-2.0
--
-- Says that rosters or source rules are not what they were. The number is drawn, not counted up: after a failover or
-- a restore the same one can't come to mean something else. Whoever has an open transaction with another change holds the
-- row; callers hold locks that ingest needs, so they give up soon (55P03) rather than wait for it.

CREATE OR REPLACE FUNCTION new_rules_generation() RETURNS void
LANGUAGE sql
SET search_path = tokentally, pg_catalog, pg_temp
SET lock_timeout = '3s'
AS $$
	UPDATE setting SET value = (('x' || substr(md5(gen_random_uuid()::text), 1, 15))::bit(60)::bigint)::text
	WHERE key = 'rules_generation'
$$;
REVOKE ALL ON FUNCTION new_rules_generation() FROM PUBLIC;
COMMENT ON FUNCTION new_rules_generation() IS 'Makes daemons read teams of people and source rules again, at a commit';
