-- SPDX-License-Identifier: Apache-2.0
--
-- What the daemon looks up for each event before it counts it: the team of a person whose events name none, and which
-- source counts where two report the same calls. A change of either makes a new rules_generation, which every commit
-- compares: so a batch is counted by the rules of one moment, whole.

CREATE TABLE person_team_row (
	person_id bigint NOT NULL REFERENCES person,
	valid_from timestamptz NOT NULL CHECK (valid_from >= '0001-01-01Z' AND valid_from < '10000-01-01Z'),
	team text COLLATE "C" NOT NULL CHECK (octet_length(team) <= 256),
	PRIMARY KEY (person_id, valid_from)
);
COMMENT ON TABLE person_team_row IS 'Team moves: from valid_from until the next row a person is in this team; empty: in none';
COMMENT ON COLUMN person_team_row.person_id IS 'Never an alias: set_alias hands rows over';

CREATE TYPE team_change AS (entry int, user_key text, old_team text, new_team text, valid_from timestamptz, change text);
COMMENT ON TYPE team_change IS 'What one entry of import_people does: new, move, leave, correction; erased: nothing; conflict: it cannot be';

CREATE TABLE source_name (
	name text COLLATE "C" PRIMARY KEY CHECK (name <> '')
);
COMMENT ON TABLE source_name IS 'Formats that a source rule may name: those of the program, and mapping files that daemons have read';
INSERT INTO source_name VALUES ('native'), ('litellm'), ('kong'), ('apisix'), ('usage'), ('claude_code'), ('codex'),
	('gemini_cli'), ('otel_genai');
GRANT SELECT ON source_name TO tokentally_admin;

CREATE TABLE source_rule (
	provider text COLLATE "C" NOT NULL DEFAULT '*' CHECK (octet_length(provider) <= 256),
	team text COLLATE "C" NOT NULL DEFAULT '*' CHECK (octet_length(team) <= 256),
	source text COLLATE "C" NOT NULL,
	note text NOT NULL DEFAULT '',
	PRIMARY KEY (provider, team, source)
);
COMMENT ON TABLE source_rule IS 'Whose word counts where two report the same calls: of this provider and team only these sources are counted, the rest is in usage_shadowed';
COMMENT ON COLUMN source_rule.provider IS 'As events name it; *: any; empty: unknown';
COMMENT ON COLUMN source_rule.team IS 'As events or the roster name it; *: any; empty: unknown. Of several rules that fit, those of provider and team hold, else of the team, else of the provider';
COMMENT ON COLUMN source_rule.source IS 'The format that counts: a name of source_name. Several rows: each of them';
GRANT SELECT, INSERT, UPDATE, DELETE ON source_rule TO tokentally_admin;

CREATE TABLE usage_shadow_hour (
	bucket timestamptz NOT NULL,
	team_id int NOT NULL,
	model_id int NOT NULL,
	source text COLLATE "C" NOT NULL,
	calls bigint NOT NULL DEFAULT 0,
	errors bigint NOT NULL DEFAULT 0,
	input_tokens bigint NOT NULL DEFAULT 0,
	cache_read_tokens bigint NOT NULL DEFAULT 0,
	cache_write_tokens bigint NOT NULL DEFAULT 0,
	cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
	output_tokens bigint NOT NULL DEFAULT 0,
	reasoning_tokens bigint NOT NULL DEFAULT 0,
	cost_nano bigint NOT NULL DEFAULT 0,
	unpriced_calls bigint NOT NULL DEFAULT 0,
	zero_output_calls bigint NOT NULL DEFAULT 0,
	cache_known_tokens bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (bucket, team_id, model_id, source)
) PARTITION BY RANGE (bucket);
COMMENT ON TABLE usage_shadow_hour IS 'Calls that a source rule keeps out of the rollups, by hour, team, model and source';
INSERT INTO partition_spec VALUES ('usage_shadow_hour', 'bucket', 'month', 'hour', 70);

CREATE TYPE shadow_delta AS (
	bucket timestamptz, team_id int, model_id int, source text,
	calls bigint, errors bigint,
	input_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint, cache_write_1h_tokens bigint,
	output_tokens bigint, reasoning_tokens bigint,
	cost_nano bigint, unpriced_calls bigint, zero_output_calls bigint, cache_known_tokens bigint
);
COMMENT ON TYPE shadow_delta IS 'What came in for one team and model in one hour by a source that does not count there';

INSERT INTO setting VALUES ('rules_generation', '0');
