#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The main job: 120,000 events of 2,000 people over 3 days, 6 partitions, two processes; every row of every view."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from company import Company
from compare import check_progress, check_titles, check_views
from oracle import DAY, HOUR, Oracle
from truth import Load
from world import GROUP, TOPIC, World, now_ms

EVENTS = int(os.environ.get("TOKENTALLY_TEST_EVENTS", 120000))


def send_load(world, seed, started_ms):
    company = Company(seed, 2000, started_ms * 1000 - 3 * DAY, started_ms * 1000)
    load = Load(company, seed, TOPIC, 6, EVENTS, started_ms)
    writer = world.writer()
    for message in load.messages():
        writer.send(*message)
    writer.flush()
    print(f"# {writer.sent} messages sent")


def check_all(checks, world, started_ms):
    oracle = Oracle(started_ms * 1000).read(world.truth_path)
    print(f"# oracle: {oracle.totals()}")
    checks.ok(
        oracle.events > EVENTS * 0.9 and min(oracle.totals().values()) > 0,
        "the load has events, duplicates and dead letters",
    )
    check_views(checks, world.database, oracle)
    check_progress(checks, world.database, world.broker, oracle, [TOPIC])
    as_of = started_ms * 1000 // HOUR * HOUR
    hour = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(as_of // 10**6))
    for run in ("first", "second"):
        done = world.tokentally("titles", "--as-of", hour)
        checks.equal(done.returncode, 0, f"tokentally titles --as-of {hour} ({run} time)")
        check_titles(checks, world.database, oracle, as_of, f"{run} run: ")
    done = world.tokentally("top", "--json")
    checks.ok(done.returncode == 0 and done.stdout.strip(), "tokentally top --json prints the board", done.stderr)


def main():
    with Checks("end to end") as checks, World(checks) as world:
        seed = seed_from_environment()
        started_ms = now_ms()
        world.broker.create_topic(TOPIC, 6)
        world.daemon("one", **{"ingest.workers": 2}).start()
        world.daemon("two").start()
        members = wait_for(
            lambda: len(world.broker.group_members(GROUP)) == 3 and world.broker.group_members(GROUP),
            60,
            "three workers of two processes in the group",
        )
        send_load(world, seed, started_ms)
        world.wait_counted(timeout=180)
        checks.equal(world.broker.group_members(GROUP), members, "the group did not change under the load")
        check_all(checks, world, started_ms)
        for daemon in world.daemons.values():
            checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0 on SIGTERM")


main()
