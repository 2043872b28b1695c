-- SPDX-License-Identifier: Apache-2.0
--
-- A next version's migration, for tests/faults/test_70_upgrade.py only: what sql/README.md allows while daemons of the
-- version before go on: columns with a default, a table, a function. All locks first, in the order of a commit.
SET LOCAL ROLE tokentally_owner;
SET LOCAL search_path = tokentally, pg_catalog, pg_temp;

LOCK TABLE kafka_offset, session_slot, usage_hour, usage_minute IN ACCESS EXCLUSIVE MODE;
ALTER TABLE kafka_offset ADD COLUMN next_note text;
ALTER TABLE usage_hour ADD COLUMN next_counter bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_minute ADD COLUMN next_counter bigint NOT NULL DEFAULT 0;

CREATE TABLE next_table (
	id bigint PRIMARY KEY
);
COMMENT ON TABLE next_table IS 'Of the next version';
