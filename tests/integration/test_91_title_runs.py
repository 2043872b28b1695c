#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two daemons at the full hour, the one at work killed in the middle of its run: exactly one run, and whole. Middle is
where the run waits for a lock that we hold: awards are written then, boards are not. What ends up stored has to be what one
undisturbed run stores in another database.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from daemon import write_config
from world import LOGIN, PASSWORD, World

# Forty people, each with some of the hours of the last 40 days; the open hour has begun.
COMPANY = """
SET search_path = tokentally;
SELECT ingest_ensure_partitions(now() - interval '45 days', now() + interval '1 day', now());
SELECT intern_teams(ARRAY['all']), intern_people(array_agg('user' || n), array_agg('P' || n)) FROM generate_series(1, 40) n;
SELECT intern_models(array_agg('acme'::text), array_agg('m' || n)) FROM generate_series(1, 5) n;
INSERT INTO usage_hour (bucket, person_id, team_id, model_id, price_class, calls, errors, input_tokens, cache_read_tokens,
	output_tokens, cost_nano, cache_known_tokens)
SELECT date_trunc('hour', {at}, 'UTC') - hour * interval '1 hour', p.id, t.id, m.id, 0, 1 + h % 50, h % 2, h % 90000, h % 70000,
	500 + h % 3000, h % 100000000, h % 90000 + h % 70000
FROM generate_series(0, 960) hour, person p, team t, model m, abs(hashint8((hour * 41 + p.id) * 7 + m.id + {seed})) h
WHERE p.user_key LIKE 'user%' AND h % 17 = 0;
"""
STORED = """
SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
	SELECT 'run' || row(as_of, partial, holders, changes, notes) AS line FROM tokentally.title_run_row
	UNION ALL SELECT 'award' || row(title, tier, person_id, rank, value, awarded_at, held_since, revoked_at, reason)
	FROM tokentally.title_award_row
	UNION ALL SELECT 'standing' || s FROM tokentally.title_standing s
	UNION ALL SELECT 'board' || b FROM tokentally.leaderboard_row b
	UNION ALL SELECT 'flag' || f FROM tokentally.title_flag_row f) stored
"""
AT_WORK = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%recompute_titles%' AND state = 'active' AND pid <> pg_backend_pid()"


class Story:
    """A database, two daemons of it, and a lock."""

    def __init__(self, world, name, seed):
        self.world, self.name = world, name
        self.at = world.database.value("SELECT now()").isoformat()
        for database in (name, f"{name}_alone"):
            world.database.query(f"CREATE DATABASE {database}")
            world.migrate(database)
            world.database.query(COMPANY.format(at=f"'{self.at}'::timestamptz", seed=seed), dbname=database)
        settings = {"postgres.conninfo": world.database.login(LOGIN, PASSWORD, name), "titles.enabled": "true"}
        self.one = world.daemon(f"{name}-one", **{**settings, "kafka.group.id": name})
        self.two = world.daemon(f"{name}-two", **{**settings, "kafka.group.id": name})
        self.lock = world.database.connect(name)
        self.lock.autocommit = False
        self.lock.cursor().execute("LOCK TABLE tokentally.leaderboard_row IN SHARE MODE")

    def value(self, sql):
        return self.world.database.value(sql, dbname=self.name)

    def waits(self):
        """The server process of a run that waits for the lock, else none."""
        return self.value(f"{AT_WORK} AND wait_event_type = 'Lock' AND datname = current_database()")

    def runs(self, daemon, result):
        found = re.search(rf'titles_runs_total{{result="{result}"}} (\d+)', daemon.http("/metrics")[1])
        return int(found.group(1)) if found else 0

    def hold_first(self):
        """The first daemon's run waits in its middle, and the second one has asked and was told so."""
        self.one.start()
        pid = wait_for(self.waits, 60, "the run to wait for the lock")
        self.two.start()
        wait_for(lambda: self.runs(self.two, "skipped") > 0, 60, "the other daemon to ask for titles")
        return pid

    def finish(self, checks, label):
        """Lets the run go on and compares all that is stored with one run that nobody disturbed."""
        seen = self.value("SELECT (SELECT count(*) FROM tokentally.title_run_row) + (SELECT count(*) FROM tokentally.title_award_row)")
        checks.equal(seen, 0, f"{label}: in the middle nothing of the run can be seen")
        self.lock.rollback()
        wait_for(lambda: self.value("SELECT count(*) FROM tokentally.title_run_row") > 0, 60, "a run to be stored")
        for daemon in (self.one, self.two):
            if daemon.process:
                checks.equal(daemon.end(), 0, f"{label}: {daemon.name} ends")
        wait_for(lambda: not self.value(f"{AT_WORK} AND datname = current_database()"), 60, "runs to end")
        hours = self.world.database.query("SELECT as_of FROM tokentally.title_run_row ORDER BY 1", dbname=self.name)
        for (hour,) in hours:
            self.world.database.query("SELECT tokentally.recompute_titles(%s)", [hour], dbname=f"{self.name}_alone")
        wanted = self.world.database.value(STORED, dbname=f"{self.name}_alone").splitlines()
        got = self.value(STORED).splitlines()
        wrong = sorted(set(got) ^ set(wanted))
        checks.ok(got == wanted, f"{label}: one run is stored, whole ({len(got)} rows)", [*wrong[:6], f"{len(wrong)} rows differ"])
        awards = sum(line.startswith("award") for line in got)
        checks.ok(awards > 50 and len(hours) <= 2, f"{label}: it is of the full hour, with {awards} awards", [str(hours)])


def process_dies(checks, world, seed):
    """kill -9: the statement is one transaction in the server, which ends it without its client."""
    story = Story(world, "process_dies", seed)
    story.hold_first()
    told = world.tokentally("titles", config=admin_config(world, story.name))
    checks.ok(told.returncode == 0 and "another run is in progress" in told.stdout + told.stderr,
              "by hand meanwhile: told that another run is in progress", [told.stdout, told.stderr])
    story.one.kill()
    story.finish(checks, "its process killed")


def connection_dies(checks, world, seed):
    """The process and its connection: the run is undone, and the other daemon's next look finds the hour due."""
    story = Story(world, "connection_dies", seed)
    first = story.hold_first()
    story.one.kill()
    story.value(f"SELECT pg_terminate_backend({first})")
    wait_for(lambda: story.waits() not in (None, first), 60, "the other daemon to take over")
    story.finish(checks, "its process and connection killed")


def bystander_dies(checks, world, seed):
    """The one that had nothing to do."""
    story = Story(world, "bystander_dies", seed)
    story.hold_first()
    story.two.kill()
    story.finish(checks, "the other process killed")


def admin_config(world, dbname):
    path = f"{world.directory}/admin-{dbname}.conf"
    write_config(path, world.settings(**{"postgres.conninfo": world.database.superuser(dbname)}))
    return path


def main():
    seed = seed_from_environment()
    with Checks("title runs whose process dies") as checks, World(checks) as world:
        for part in (process_dies, connection_dies, bystander_dies):
            part(checks, world, seed)


main()
