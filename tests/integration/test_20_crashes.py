#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of either process at random, 15 times, under load; then PostgreSQL restarted `-m immediate` five times.

All the while a reader in REPEATABLE READ samples the sums of the contract's section 4, which may never differ.
"""

import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from company import Company
from compare import check_progress, check_views
from oracle import DAY, Oracle
from snapshot import Reader
from truth import Load
from world import GROUP, TOPIC, World, now_ms

EVENTS = int(os.environ.get("TOKENTALLY_TEST_EVENTS", 120000))
KILLS = int(os.environ.get("TOKENTALLY_TEST_KILLS", 15))
RESTARTS = 5


class Sender(threading.Thread):
    """Sends the load in equal parts, each when it is asked for, at a steady pace."""

    def __init__(self, world, seed, started_ms, parts):
        super().__init__(daemon=True)
        company = Company(seed, 2000, started_ms * 1000 - 3 * DAY, started_ms * 1000)
        self.messages = list(Load(company, seed, TOPIC, 6, EVENTS, started_ms).messages())
        self.parts = parts
        self.writer = world.writer()
        self.wanted = threading.Semaphore(0)
        self.error = None

    def run(self):
        try:
            for part in range(self.parts):
                self.wanted.acquire()
                for place, message in enumerate(self.messages[part :: self.parts]):
                    self.writer.send(*message)
                    if place % 200 == 0:
                        time.sleep(0.05)  # pace, not synchronisation: the load shall last while processes die
            self.writer.flush()
        except Exception as error:
            self.error = error


def kill_at_random(checks, world, rng, sender):
    names = sorted(world.daemons)
    for _ in range(KILLS):
        sender.wanted.release()
        time.sleep(rng.uniform(0.2, 4))  # the random moment itself
        victim = world.daemons[rng.choice(names)]
        checks.ok(victim.alive(), f"{victim.name} was alive when killed", victim.last_lines(5))
        victim.kill()
        victim.start(ready=False)
    for daemon in world.daemons.values():
        daemon.wait_ready()
        checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0 after all that")
        daemon.start("kafka.session.timeout.ms=20000")


def restart_database(checks, world, rng, sender):
    count = len(world.daemons)
    members = wait_for(
        lambda: world.broker.group_state(GROUP) == "Stable"
        and len(world.broker.group_members(GROUP)) == count
        and world.broker.group_members(GROUP),
        60,
        "a stable group",
    )
    pids = [daemon.process.pid for daemon in world.daemons.values()]
    for _ in range(RESTARTS):
        before = world.calls()
        sender.wanted.release()
        wait_for(lambda: world.calls() > before, 60, "commits before the restart")
        world.database.stop("immediate")
        time.sleep(rng.uniform(0, 2))  # how long it is away
        world.database.start()
    wait_for(lambda: not sender.is_alive(), 120, "the load to be sent")
    world.wait_counted(timeout=120)
    checks.ok(
        all(daemon.alive() for daemon in world.daemons.values())
        and pids == [daemon.process.pid for daemon in world.daemons.values()],
        "both processes lived through five restarts of PostgreSQL",
    )
    checks.equal(world.broker.group_members(GROUP), members, "both stayed in their group, with the same member ids")
    for daemon in world.daemons.values():
        wait_for(daemon.is_ready, 30, f"{daemon.name} to be ready again")


def main():
    with Checks("crashes") as checks, World(checks) as world:
        seed = seed_from_environment()
        rng = random.Random(seed)
        started_ms = now_ms()
        world.broker.create_topic(TOPIC, 6)
        for name in ("one", "two"):
            world.daemon(name, **{"kafka.session.timeout.ms": 2000}).start()
        sender = Sender(world, seed, started_ms, KILLS + RESTARTS)
        reader = Reader(world.database)
        sender.start()
        reader.start()
        kill_at_random(checks, world, rng, sender)
        restart_database(checks, world, rng, sender)
        checks.ok(sender.error is None, "the whole load was sent", str(sender.error))
        reader.stop()
        checks.ok(not reader.wrong, f"no snapshot showed sums that differ ({reader.samples} samples)", reader.wrong[:5])
        checks.ok(len(reader.seen) > 5, f"the reader saw the sums grow ({len(reader.seen)} different ones)")
        oracle = Oracle(started_ms * 1000).read(world.truth_path)
        print(f"# oracle: {oracle.totals()}")
        check_views(checks, world.database, oracle)
        check_progress(checks, world.database, world.broker, oracle, [TOPIC])


main()
