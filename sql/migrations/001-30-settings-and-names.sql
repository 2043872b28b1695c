-- SPDX-License-Identifier: Apache-2.0
--
-- What the database remembers about itself, and the names behind the ids of the rollups. Names compare as
-- bytes (COLLATE "C"): two names that differ at all are two names, and the daemon can sort as we do.

CREATE TABLE setting (
	key text COLLATE "C" PRIMARY KEY,
	value text NOT NULL
);
COMMENT ON TABLE setting IS 'What holds for the whole database: group_id, privacy_key_check, privacy_names, min_group, names_generation, rules_generation';
INSERT INTO setting VALUES ('privacy_names', 'pseudonym'), ('names_generation', '1');

CREATE TABLE schema_migration (
	version int NOT NULL,
	name text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now(),
	applied_by text NOT NULL DEFAULT session_user,
	PRIMARY KEY (version, name)
);
COMMENT ON TABLE schema_migration IS 'Migrations that were applied; the highest version is the schema''s';

CREATE TABLE person (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_key text COLLATE "C" NOT NULL UNIQUE,
	pseudonym text COLLATE "C" NOT NULL,
	shown_key text COLLATE "C" NOT NULL,
	kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service')),
	titles boolean NOT NULL DEFAULT true,
	names text CHECK (names IN ('named', 'pseudonym', 'hidden')),
	first_seen timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX person_shown_key ON person (shown_key);
COMMENT ON TABLE person IS 'Who or what makes calls';
COMMENT ON COLUMN person.pseudonym IS 'Made by the daemon with privacy.key; empty while the daemon has not met this person';
COMMENT ON COLUMN person.shown_key IS 'What readers see: shown_key(user_key, pseudonym, names), kept up by every writer of those three';
COMMENT ON COLUMN person.names IS 'The person''s own choice; null follows privacy.names';

CREATE TABLE team (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text COLLATE "C" NOT NULL UNIQUE
);
COMMENT ON TABLE team IS 'Teams as events name them; the empty name is "unknown"';

CREATE TABLE app (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text COLLATE "C" NOT NULL UNIQUE
);
COMMENT ON TABLE app IS 'Applications as events name them; the empty name is "unknown"';

CREATE TABLE model (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	provider text COLLATE "C" NOT NULL,
	name text COLLATE "C" NOT NULL,
	open_weights boolean NOT NULL DEFAULT false,
	UNIQUE (provider, name)
);
COMMENT ON TABLE model IS 'Models as events name them, by provider';

CREATE TABLE price_class (
	id smallint PRIMARY KEY,
	computed boolean NOT NULL,
	prompt_size text NOT NULL CHECK (prompt_size IN ('128k', '200k', '272k', 'more')),
	service_tier text NOT NULL CHECK (service_tier IN ('standard', 'batch', 'flex', 'priority')),
	UNIQUE (computed, prompt_size, service_tier)
);
COMMENT ON TABLE price_class IS 'What a price list may tell apart: id = computed * 16 + prompt size * 4 + service tier';
INSERT INTO price_class
SELECT computed * 16 + size * 4 + tier, computed = 1,
	(ARRAY['128k', '200k', '272k', 'more'])[size + 1],
	(ARRAY['standard', 'batch', 'flex', 'priority'])[tier + 1]
FROM generate_series(0, 1) computed, generate_series(0, 3) size, generate_series(0, 3) tier;
