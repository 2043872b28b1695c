-- SPDX-License-Identifier: Apache-2.0
--
-- People beyond their names: several identities of one person. Rollups keep the identity that an event named;
-- views and titles show the person it belongs to, so joining and parting identities rewrites no history.

ALTER TABLE person ADD COLUMN main_id bigint REFERENCES person;
ALTER TABLE person ADD COLUMN listed_id bigint GENERATED ALWAYS AS (COALESCE(main_id, id)) STORED;
CREATE INDEX person_listed_id ON person (listed_id);
CREATE INDEX person_main ON person (main_id) WHERE main_id IS NOT NULL;
COMMENT ON COLUMN person.main_id IS 'The person that this identity is an alias of; null: nobody else''s';
COMMENT ON COLUMN person.listed_id IS 'The person it belongs to, whose user_key is what the people role sees: found by an index that is unique, so without statistics of names';
