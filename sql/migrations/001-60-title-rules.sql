-- SPDX-License-Identifier: Apache-2.0
--
-- What titles there are. A title is a row of title_rule; the words a rule may use are rows as well, so that
-- title_rule_check can say which ones are known. A metric is a column of the statement in titles_measure
-- and a row here: a new title needs an INSERT, a new metric a column and a row.

CREATE TABLE title_metric (
	name text PRIMARY KEY,
	description text NOT NULL,
	direction text NOT NULL DEFAULT 'descending' CHECK (direction IN ('descending', 'ascending')),
	whole boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE title_metric IS 'Columns of titles_measure that a rule may rank by or have a floor on';
COMMENT ON COLUMN title_metric.direction IS 'The order of its boards: descending where more is better';
COMMENT ON COLUMN title_metric.whole IS 'Always a whole number: the level at which a milestone is left is rounded up';
INSERT INTO title_metric (name, description, whole) VALUES
	('calls', 'calls made', true),
	('total_tokens', 'input, cache read, cache write and output tokens', true),
	('output_tokens', 'output tokens, reasoning included', true),
	('cache_known_tokens', 'input-side tokens of calls whose sender reports cache use', true),
	('cache_hit_ratio', 'cache read tokens / cache_known_tokens', false);

CREATE TABLE title_window (
	name text PRIMARY KEY,
	hours int NOT NULL UNIQUE CHECK (hours > 0),
	board boolean NOT NULL
);
COMMENT ON TABLE title_window IS 'Spans a title may look back over; they end at the closed hour';
COMMENT ON COLUMN title_window.board IS 'Has leaderboards';
INSERT INTO title_window VALUES ('24h', 24, true), ('7d', 168, true), ('30d', 720, true), ('120d', 2880, false);

CREATE TABLE title_tier (
	name text PRIMARY KEY,
	place int NOT NULL UNIQUE CHECK (place > 0),
	rank_limit int NOT NULL CHECK (rank_limit > 0)
);
COMMENT ON TABLE title_tier IS 'Tiers, the best at place 1';
COMMENT ON COLUMN title_tier.rank_limit IS 'The last rank that gets it in a rule of kind rank that names no tiers';
INSERT INTO title_tier VALUES ('emerald', 1, 1), ('jade', 2, 3), ('gold', 3, 10), ('silver', 4, 50), ('bronze', 5, 250);

CREATE TABLE title_rule (
	name text PRIMARY KEY CHECK (name <> ''),
	description text NOT NULL,
	metric text NOT NULL,
	window_name text NOT NULL DEFAULT '30d',
	kind text NOT NULL DEFAULT 'rank',
	direction text NOT NULL DEFAULT 'descending',
	tiers jsonb NOT NULL,
	floors jsonb NOT NULL DEFAULT '{}',
	enabled boolean NOT NULL DEFAULT true,
	rule_version int NOT NULL DEFAULT 1
);
COMMENT ON TABLE title_rule IS 'The titles: who has the best value of a metric (rank) or has reached one (milestone)';
COMMENT ON COLUMN title_rule.tiers IS 'By tier, the last rank that gets it (rank) or the value that is needed (milestone)';
COMMENT ON COLUMN title_rule.floors IS 'By metric, the least value in the same window that makes one eligible';
COMMENT ON COLUMN title_rule.rule_version IS 'Raised by title_rule_check whenever the meaning changes';
GRANT SELECT, INSERT, UPDATE, DELETE ON title_rule TO tokentally_admin;
GRANT SELECT ON title_metric, title_window, title_tier TO tokentally_admin;

INSERT INTO title_rule (name, description, metric, tiers, floors) VALUES
	('Token Legend', 'Most tokens in 30 days', 'total_tokens',
		'{"emerald": 1, "jade": 3, "gold": 10, "silver": 50, "bronze": 250}', '{"total_tokens": 1}'),
	('Cache Wizard', 'Largest share of input read from the prompt cache in 30 days', 'cache_hit_ratio',
		'{"emerald": 1, "jade": 3, "gold": 10, "silver": 50, "bronze": 250}',
		'{"cache_known_tokens": 1000000, "calls": 100}');
