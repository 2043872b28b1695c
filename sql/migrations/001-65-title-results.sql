-- SPDX-License-Identifier: Apache-2.0
--
-- What the runs of recompute_titles found. title_award_row is history and only grows; the other tables hold
-- the newest run (title_standing the one before it as well) and are written again by each.

CREATE TABLE title_run_row (
	as_of timestamptz PRIMARY KEY,
	started_at timestamptz NOT NULL,
	finished_at timestamptz NOT NULL,
	partial boolean NOT NULL,
	holders int NOT NULL,
	changes int NOT NULL,
	notes text[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE title_run_row IS 'The hours whose titles were computed; as_of is the end of the hour';
COMMENT ON COLUMN title_run_row.partial IS 'Some partition still held events from before as_of';
COMMENT ON COLUMN title_run_row.changes IS 'Tiers gained, changed or lost by someone at as_of';
COMMENT ON COLUMN title_run_row.notes IS 'What a reader of the result should know, such as a tier that was not given';

-- title, tier and person_id without foreign keys: their checks took five times as long as the rows, and lock (so rewrite) the
-- person's row for each. Rules with awards are kept by title_rule_guard, tiers by their rules; erase_titles removes a person's.
CREATE TABLE title_award_row (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	title text NOT NULL,
	tier text NOT NULL,
	person_id bigint NOT NULL,
	rank int NOT NULL,
	value numeric NOT NULL,
	rule_version int NOT NULL,
	awarded_at timestamptz NOT NULL,
	held_since timestamptz NOT NULL CHECK (held_since <= awarded_at),
	revoked_at timestamptz CHECK (revoked_at >= awarded_at),
	window_start timestamptz NOT NULL,
	window_end timestamptz NOT NULL,
	reason text,
	CHECK ((revoked_at IS NULL) = (reason IS NULL))
);
CREATE UNIQUE INDEX title_award_open ON title_award_row (title, person_id) WHERE revoked_at IS NULL;
CREATE INDEX title_award_revoked ON title_award_row (revoked_at);
CREATE INDEX title_award_person ON title_award_row (person_id);
COMMENT ON TABLE title_award_row IS 'Every tier that was ever held: from awarded_at up to, not including, revoked_at';
COMMENT ON COLUMN title_award_row.held_since IS 'Earlier than awarded_at in a row that goes on with an award whose revocation late data undid';
COMMENT ON COLUMN title_award_row.reason IS 'Why it was revoked';

-- person_id without a foreign key, as above.
CREATE TABLE title_standing (
	as_of timestamptz NOT NULL,
	title text NOT NULL,
	person_id bigint NOT NULL,
	rank int,
	tiebreak int,
	value numeric,
	tier text,
	rule_version int NOT NULL,
	PRIMARY KEY (as_of, title, person_id)
);
COMMENT ON TABLE title_standing IS 'Rank and value of the first 250 and of all holders, in the newest run and the one before';
COMMENT ON COLUMN title_standing.rank IS 'Null, like the value, where a milestone is held for its first day only';
COMMENT ON COLUMN title_standing.tiebreak IS 'The place in the whole order: value, earlier newest active hour, older person';

CREATE TABLE leaderboard_row (
	board text NOT NULL,
	window_name text NOT NULL,
	tiebreak int NOT NULL,
	rank int NOT NULL,
	person_id bigint NOT NULL,
	value numeric NOT NULL,
	as_of timestamptz NOT NULL,
	PRIMARY KEY (board, window_name, tiebreak)
);
COMMENT ON TABLE leaderboard_row IS 'The first 250 of each metric and window in the newest run';

CREATE TYPE title_result AS (
	as_of timestamptz,
	outcome text,
	stored boolean,
	partial boolean,
	holders int,
	changes int,
	note text
);
COMMENT ON TYPE title_result IS 'What recompute_titles answers; note is empty or says what a reader should know';
