-- SPDX-License-Identifier: Apache-2.0
--
-- What looks like a machine, and the record of what administrators did.

CREATE TABLE title_flag_row (
	person_id bigint NOT NULL REFERENCES person,
	rule text NOT NULL CHECK (rule IN ('always active', 'many sessions', 'sudden day', 'no output')),
	day date NOT NULL,
	evidence text NOT NULL,
	opened_at timestamptz NOT NULL,
	cleared_at timestamptz,
	cleared_by text,
	reason text,
	PRIMARY KEY (person_id, rule, day),
	CHECK ((cleared_at IS NULL) = (reason IS NULL) AND (cleared_at IS NULL) = (cleared_by IS NULL))
);
CREATE INDEX title_flag_open ON title_flag_row (day) WHERE cleared_at IS NULL;
COMMENT ON TABLE title_flag_row IS 'Reasons not to take part in titles: open until cleared, or until the day has left the 30 days';
COMMENT ON COLUMN title_flag_row.opened_at IS 'as_of of the run that opened it';

CREATE TABLE title_flag_check (
	day timestamptz PRIMARY KEY,
	calls bigint NOT NULL
);
COMMENT ON TABLE title_flag_check IS 'How many calls each day had when its flags were looked for: only other days are looked at again';

CREATE TABLE audit_log (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	by_login text NOT NULL DEFAULT session_user,
	action text NOT NULL,
	detail text NOT NULL
);
COMMENT ON TABLE audit_log IS 'Erasures and exports, cleared flags, changes of rules, of the privacy key, of who is shown how, and of people. It names nobody';
GRANT SELECT ON audit_log TO tokentally_admin;
