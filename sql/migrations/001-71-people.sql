-- SPDX-License-Identifier: Apache-2.0
--
-- People beyond their names: several identities of one person. Rollups keep the identity that an event named;
-- views and titles show the person it belongs to, so joining and parting identities rewrites no history.

ALTER TABLE person ADD COLUMN main_id bigint REFERENCES person;
ALTER TABLE person ADD COLUMN listed_key text COLLATE "C";
UPDATE person SET listed_key = user_key;
ALTER TABLE person ALTER COLUMN listed_key SET NOT NULL;
CREATE INDEX person_listed_key ON person (listed_key);
CREATE INDEX person_main ON person (main_id) WHERE main_id IS NOT NULL;
COMMENT ON COLUMN person.main_id IS 'The person that this identity is an alias of; null: nobody else''s';
COMMENT ON COLUMN person.listed_key IS 'What the people role sees: the user_key of the person it belongs to';
