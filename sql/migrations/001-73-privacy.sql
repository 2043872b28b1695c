-- SPDX-License-Identifier: Apache-2.0
--
-- What is too small to be shown to readers: teams and apps with fewer than privacy.min_group people in 30 days.

CREATE TABLE app_person (
	app_id int NOT NULL,
	person_id bigint NOT NULL,
	day date NOT NULL,
	PRIMARY KEY (app_id, person_id)
);
CREATE INDEX app_person_day ON app_person (day);
COMMENT ON TABLE app_person IS 'Who used an app, and the last day; only to count people: rollups by app know no person';

ALTER TABLE team ADD COLUMN shown_name text COLLATE "C" NOT NULL DEFAULT '(small teams)';
ALTER TABLE app ADD COLUMN shown_name text COLLATE "C" NOT NULL DEFAULT '(other)';
COMMENT ON COLUMN team.shown_name IS 'What readers see; kept up by refresh_small_groups. A new team is small';
COMMENT ON COLUMN app.shown_name IS 'What readers see; kept up by refresh_small_groups. A new app is small';
