#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A person is erased while two daemons ingest that person's events: found nowhere afterwards, totals as if nothing had
happened, and a replay of the topic from its start does not bring anybody back."""

import json
import os
import sys
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from company import Company
from compare import check_progress, check_views
from oracle import ADDED, DAY, Oracle
from truth import Load
from world import TOPIC, World, now_ms

EVENTS = int(os.environ.get("TOKENTALLY_TEST_EVENTS", 40000))
ROLLUPS = (
    "usage_minute usage_team_hour usage_hour usage_day session_slot latency_minute latency_hour dead_letter_row"
    " dedupe_block kafka_offset app_person"
)


def someone(oracle):
    """Who made many calls, with sessions, and has a name that is not part of another's."""
    calls = Counter()
    for (_, user, *_), row in oracle.hour.items():
        calls[user] += row[0]
    with_sessions = {user for _, user in oracle.session}
    for user, _ in calls.most_common():
        others = sum(user in other for other in calls)
        if user in with_sessions and others == 1 and len(user) > 4 and user.isascii() and user.isprintable():
            return user
    raise AssertionError("nobody to erase")


def without(oracle, user):
    """What the oracle expects: the same rows, of "(erased)", and no sessions."""
    for rows in (oracle.hour, oracle.day):
        for key in [key for key in rows if key[1] == user]:
            row = rows.pop(key)
            sums = rows.setdefault((key[0], "(erased)", *key[2:]), [0] * len(row))
            for index in range(ADDED):
                sums[index] += row[index]
            sums[ADDED] = max(sums[ADDED], row[ADDED])
    for key in [key for key in oracle.session if key[1] == user]:
        del oracle.session[key], oracle.span[key]
    return oracle


def tables_with(database, text):
    """Tables of the schema in which a row holds the text."""
    names = database.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'tokentally'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition"
    )
    return [
        name
        for (name,) in names
        if database.value(f"SELECT EXISTS (SELECT FROM tokentally.{name} t WHERE strpos(t::text, %s) > 0)", [text])
    ]


def erase(checks, world, user):
    pseudonym = world.database.value("SELECT pseudonym FROM tokentally.person WHERE user_key = %s", [user])
    exported = world.tokentally("export", "--user", user)
    found = json.loads(exported.stdout) if exported.returncode == 0 else {}
    checks.ok(found.get("usage_by_hour") and found.get("sessions"), "export has what is kept", exported.stderr)
    done = world.tokentally("erase", "--user", user)
    checks.equal(done.returncode, 0, f"tokentally erase: {done.stdout.splitlines()[:1]} {done.stderr.strip()}")
    return pseudonym


def check_gone(checks, world, user, pseudonym, label):
    checks.equal(tables_with(world.database, user), [], f"{label}: no table holds the key")
    checks.equal(tables_with(world.database, pseudonym), [], f"{label}: no table holds the pseudonym")
    checks.equal(world.tokentally("export", "--user", user).returncode, 1, f"{label}: there is nothing to export")


def main():
    with Checks("erase under load") as checks, World(checks) as world:
        seed = seed_from_environment()
        started_ms = now_ms()
        world.broker.create_topic(TOPIC, 4)
        daemons = [world.daemon(name).start() and world.daemons[name] for name in ("one", "two")]
        company = Company(seed, 300, started_ms * 1000 - 3 * DAY, started_ms * 1000)
        messages = list(Load(company, seed, TOPIC, 4, EVENTS, started_ms).messages())
        writer = world.writer()
        half = len(messages) // 2
        for message in messages[:half]:
            writer.send(*message)
        writer.flush()
        user = someone(Oracle(started_ms * 1000).read(world.truth_path))
        print(f"# erasing {user!r}")
        wait_for(lambda: tables_with(world.database, user), 60, "the person to be counted")
        for message in messages[half : half + half // 2]:
            writer.send(*message)
        pseudonym = erase(checks, world, user)
        for message in messages[half + half // 2 :]:
            writer.send(*message)
        writer.flush()
        world.wait_counted(timeout=180)
        oracle = without(Oracle(started_ms * 1000).read(world.truth_path), user)
        check_gone(checks, world, user, pseudonym, "erased")
        check_views(checks, world.database, oracle, "erased: ")
        check_progress(checks, world.database, world.broker, oracle, [TOPIC], "erased: ")

        for daemon in daemons:
            checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0 on SIGTERM")
        world.database.query("TRUNCATE " + ", ".join(f"tokentally.{name}" for name in ROLLUPS.split()))
        for daemon in daemons:
            daemon.start()
        world.wait_counted(timeout=180)
        check_gone(checks, world, user, pseudonym, "replayed")
        check_views(checks, world.database, oracle, "replayed: ")
        for daemon in daemons:
            checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0 on SIGTERM")


main()
