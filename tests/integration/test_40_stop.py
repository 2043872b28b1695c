#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM under load, with the broker down, with PostgreSQL down: exit 0 within ingest.stop_timeout, nothing lost.

The one place where a time is checked: stop_timeout is a promise of the contract (P12).
"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from company import Company
from compare import check_progress, check_views
from oracle import DAY, Oracle
from truth import Load
from world import GROUP, TOPIC, World, now_ms

STOP_TIMEOUT = 8
MARGIN = 4  # a busy machine: start of the signal's handling, exit, wait()


class Sender:
    def __init__(self, world, seed, started_ms):
        company = Company(seed, 300, started_ms * 1000 - 3 * DAY, started_ms * 1000)
        self.messages = Load(company, seed, TOPIC, 4, 60000, started_ms).messages()
        self.writer = world.writer()

    def send(self, count):
        for _ in range(count):
            self.writer.send(*next(self.messages))
        self.writer.flush()


def stop_in_time(checks, daemon, how, name):
    started = time.monotonic()
    status = daemon.end(how)
    took = time.monotonic() - started
    checks.equal(status, 0, f"{name}: exit status 0")
    checks.ok(
        took <= STOP_TIMEOUT + MARGIN, f"{name}: within ingest.stop_timeout", f"took {took:.1f} s of {STOP_TIMEOUT}"
    )


def in_group_and_counting(world, daemon):
    daemon.start()
    wait_for(lambda: world.broker.group_state(GROUP) == "Stable", 60, "the group")
    world.wait_counted()


def under_load(checks, world, daemon, sender):
    for how, name in ((signal.SIGTERM, "SIGTERM under load"), (signal.SIGINT, "SIGINT under load")):
        daemon.start()
        before = world.calls()
        sender.send(6000)
        wait_for(lambda: world.calls() > before, 60, "some commits")
        stop_in_time(checks, daemon, how, name)


def broker_down(checks, world, daemon, sender):
    in_group_and_counting(world, daemon)
    sender.send(500)
    world.broker.kill()
    stop_in_time(checks, daemon, signal.SIGTERM, "SIGTERM with the broker down")
    daemon.start(ready=False)
    wait_for(lambda: daemon.http("/healthz")[0] == 200, 30, "the daemon to start without a broker")
    checks.ok(daemon.http("/readyz")[0] != 200, "not ready without a broker")
    stop_in_time(checks, daemon, signal.SIGTERM, "SIGTERM of a daemon that never saw its broker")
    world.broker.start()


def database_down(checks, world, daemon, sender):
    in_group_and_counting(world, daemon)
    world.database.stop("immediate")
    sender.send(2000)
    wait_for(lambda: daemon.http("/readyz")[0] not in (200, None), 60, "readyz to tell that PostgreSQL is away")
    stop_in_time(checks, daemon, signal.SIGTERM, "SIGTERM with PostgreSQL down")
    daemon.start(ready=False)
    wait_for(lambda: daemon.http("/healthz")[0] == 200, 30, "the daemon to start without PostgreSQL")
    checks.ok(daemon.http("/readyz")[0] != 200, "not ready without PostgreSQL")
    world.database.start()
    daemon.wait_ready()
    world.wait_counted()
    checks.ok(daemon.alive(), "a daemon started without PostgreSQL counts when it comes")
    stop_in_time(checks, daemon, signal.SIGTERM, "SIGTERM when all is counted")


def main():
    with Checks("stop") as checks, World(checks) as world:
        seed = seed_from_environment()
        started_ms = now_ms()
        world.broker.create_topic(TOPIC, 4)
        daemon = world.daemon(**{"ingest.stop_timeout": f"{STOP_TIMEOUT}s"})
        sender = Sender(world, seed, started_ms)
        for part in (under_load, broker_down, database_down):
            part(checks, world, daemon, sender)
        in_group_and_counting(world, daemon)
        oracle = Oracle(started_ms * 1000).read(world.truth_path)
        print(f"# oracle: {oracle.totals()}")
        check_views(checks, world.database, oracle, "nothing lost: ")
        check_progress(checks, world.database, world.broker, oracle, [TOPIC])
        stop_in_time(checks, daemon, signal.SIGTERM, "idle")


main()
