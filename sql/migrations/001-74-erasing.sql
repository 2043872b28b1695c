-- SPDX-License-Identifier: Apache-2.0
--
-- Who was erased, without saying who; and which login is which person.

CREATE TABLE erased_key (
	hash bytea PRIMARY KEY,
	erased_at date NOT NULL DEFAULT current_date
);
COMMENT ON TABLE erased_key IS 'Keyed hashes of erased user keys (tombstone_of): their events count for "(erased)", replayed ones too';
INSERT INTO setting VALUES ('tombstone_key', gen_random_uuid()::text || gen_random_uuid()::text);

CREATE TABLE person_login (
	login name PRIMARY KEY,
	person_id bigint NOT NULL REFERENCES person
);
COMMENT ON TABLE person_login IS 'Login roles of people, for my_usage and my_choice';

CREATE TYPE erase_result AS (identities int, hours bigint, days bigint, sessions bigint, awards bigint, dead_letters bigint);
COMMENT ON TYPE erase_result IS 'What erase_user moved to "(erased)" (hours, days) and removed';
