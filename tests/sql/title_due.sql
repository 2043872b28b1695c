-- SPDX-License-Identifier: Apache-2.0
-- Which hours are due: by rows, not by a timer; and one run at a time.
BEGIN;
\ir title_fixture.psql
SELECT plan(20);

-- The hours that are due at a time of 2026-03-15, as "10:00 11:00*", the star for partial.
CREATE FUNCTION pg_temp.due(p_now text, p_catch_up int DEFAULT 24, p_max_wait interval DEFAULT '1 hour') RETURNS text LANGUAGE sql AS $$
	SELECT COALESCE(string_agg(to_char(as_of AT TIME ZONE 'UTC', CASE WHEN as_of < '2026-03-15Z' THEN 'MM-DD ' ELSE '' END || 'HH24:MI')
		|| CASE WHEN partial THEN '*' ELSE '' END, ' '), 'nothing')
	FROM titles_due(('2026-03-15 ' || p_now || 'Z')::timestamptz, '2 minutes', p_max_wait, p_catch_up)
$$;
CREATE FUNCTION pg_temp.ran(p_hour text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO title_run_row VALUES (('2026-03-15 ' || p_hour || 'Z')::timestamptz, now(), now(), false, 0, 0)
$$;

SELECT is(pg_temp.due('12:10'), '12:00', 'before the first run only the newest closed hour is due');
SELECT is(pg_temp.due('12:01:59'), '11:00', 'an hour is not due before the delay is over');
SELECT is(pg_temp.due('12:02'), '12:00', 'an hour is due when the delay is over');
SELECT pg_temp.ran('12:00');
SELECT is(pg_temp.due('12:59'), 'nothing', 'an hour that ran is not due');
SELECT is(pg_temp.due('13:01'), 'nothing', 'the next one waits for its delay');
SELECT is(pg_temp.due('13:02'), '13:00', 'the next one is due');
SELECT is(pg_temp.due('16:30'), '13:00 14:00 15:00 16:00', 'missed hours are due, oldest first');
SELECT is(pg_temp.due('16:30', 2), '15:00 16:00', 'of the missed hours only the newest are made up');
SELECT is(pg_temp.due('16:30', 0), '16:00', 'the newest hour is due even if none is to be made up');

-- Partitions that still hold older events.
INSERT INTO kafka_offset (topic, partition, next_offset, log_end_offset, event_time_max) VALUES
	('calls', 0, 100, 100, '2026-03-15 08:00Z'), ('calls', 1, 50, 60, '2026-03-15 13:00Z');
SELECT is(pg_temp.due('13:30'), '13:00', 'who has nothing left, or has come to the hour, holds up nothing');
SELECT is(pg_temp.due('14:30'), '13:00', 'an hour waits while a partition still holds older events');
SELECT is(pg_temp.due('15:00'), '13:00 14:00*', 'it does not wait longer than max_wait, and is partial then');
SELECT is(pg_temp.due('14:10', 24, '5 minutes'), '13:00 14:00*', 'max_wait counts from the full hour');
UPDATE kafka_offset SET event_time_max = NULL;
SELECT is(pg_temp.due('13:30'), 'nothing', 'a partition without any event yet may hold older ones');
UPDATE kafka_offset SET state = 'claiming';
SELECT is(pg_temp.due('13:30'), 'nothing', 'so may one that is being claimed');
UPDATE kafka_offset SET state = 'quarantined';
SELECT is(pg_temp.due('13:30'), '13:00', 'a quarantined partition holds up nothing');
UPDATE kafka_offset SET state = 'ok', log_end_offset = NULL;
SELECT is(pg_temp.due('13:30'), '13:00', 'nor does one whose end is not known');

-- One run at a time. This transaction holds the lock since its own run, so another session finds it taken.
\setenv PGDATABASE :DBNAME
\setenv PGHOST :HOST
\setenv PGPORT :PORT
\setenv PGUSER :USER
SELECT pg_temp.run('2026-03-15 13:00Z');
\set other `psql -XAtqc "SELECT concat_ws(' ', outcome, stored, note) FROM tokentally.recompute_titles('2026-03-15 14:00Z')"`
SELECT is(:'other'::text, 'busy f another run is in progress', 'a second run at the same time does nothing and says so');
SELECT is((SELECT string_agg(as_of::text, ' ') FROM title_run WHERE as_of > '2026-03-15 13:00Z'), NULL, 'and has stored nothing');
SELECT take_lock('titles');
SELECT is((SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), 1::bigint, 'it is the lock called titles');

SELECT * FROM finish();
ROLLBACK;
