#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A person is erased while two daemons ingest that person's events: found nowhere afterwards, totals as if nothing had
happened, and a replay of the topic from its start does not bring anybody back."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from company import Company
from compare import check_progress, check_views
from erasing import check_gone, erase, someone, tables_with, without
from oracle import DAY, Oracle
from replay import replay
from truth import Load
from world import TOPIC, World, now_ms

EVENTS = int(os.environ.get("TOKENTALLY_TEST_EVENTS", 40000))


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

        replay(checks, world, daemons)
        check_gone(checks, world, user, pseudonym, "replayed")
        check_views(checks, world.database, oracle, "replayed: ")
        for daemon in daemons:
            checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0 on SIGTERM")


main()
