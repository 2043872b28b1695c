#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SIGHUP, and partitions that are made and dropped by retention while ingest runs."""

import json
import os
import random
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from compare import check_progress, check_views, differences, rows_of
from oracle import DAY, Oracle
from world import TOPIC, World, now_ms

DAY_MS = 86400000


class Events:
    """Events of given ages, in days; each about half a day off any border of retention."""

    def __init__(self, world, seed, now):
        self.rng = random.Random(seed)
        self.now = now
        self.writer = world.writer()

    def send(self, ages, count):
        for number in range(count):
            age = self.rng.choice(ages) * DAY_MS + self.rng.randrange(DAY_MS // 4)
            event = {
                "time": self.now - age,
                "user": f"user {number % 20}",
                "model": "gpt-5",
                "session": f"s{number % 7}",
                "output_tokens": number,
                "duration_ms": number + 0.5,
                "cost_usd": number / 1000,
            }
            self.writer.send(TOPIC, number % 2, json.dumps(event).encode(), self.now)
        self.writer.flush()


def reload(checks, world, daemon):
    def hup(expected, what):
        before = len(daemon.log())
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: expected in daemon.log()[before:], 30, f"{expected!r} in the log after SIGHUP")
        checks.ok(daemon.alive() and daemon.is_ready(), what)
        return daemon.log()[before:]

    daemon.write({"ingest.workers": 3})
    text = hup("needs a restart", "SIGHUP with a key that cannot be changed: named, runs on")
    checks.ok("ingest.workers" in text, "the log names ingest.workers", text)
    daemon.write({"ingest.workers": 1, "log.level": "debug", "ingest.flush_intervall": "1s"})
    text = hup("flush_interval", "SIGHUP with a fault in the file: refused, runs on")
    del daemon.settings["ingest.flush_intervall"]
    daemon.write({"log.level": "info"})
    daemon.process.send_signal(signal.SIGHUP)


def old_events(checks, world, events, now):
    """Events up to 34 days old go into every rollup; those above 14 days not into the minute ones."""
    events.send([0, 1, 5, 10, 13, 15, 20, 30, 34], 3000)
    world.wait_counted()
    oracle = Oracle(now * 1000).read(world.truth_path)
    check_views(checks, world.database, oracle, "partitions made for old events: ")
    return oracle


def dropped(checks, world, daemon, events, now):
    """A shorter retention.minute, while events keep coming."""
    kept = (now * 1000 - 3 * DAY) // DAY * DAY  # whole days go
    checks.equal(daemon.end(), 0, "the daemon ends with 0")
    daemon.write({"retention.minute": "3d"})
    daemon.start()

    def oldest_is_gone():
        events.send([0, 1, 20, 30], 20)
        return world.database.value(
            "SELECT min(bucket) >= to_timestamp(%s) FROM tokentally.usage_by_minute", [kept // 10**6])

    wait_for(oldest_is_gone, 90, "minute partitions to be dropped", interval=0.2)
    world.wait_counted()
    oracle = Oracle(now * 1000, minute_from_us=kept).read(world.truth_path)
    for view in ("usage_by_minute", "latency_by_minute"):
        newer = {key: row for key, row in oracle.views()[view].items() if key[0] >= kept}
        lines = differences(rows_of(world.database, view), newer)
        checks.ok(not lines, f"dropped by retention.minute: {view} keeps the rest ({len(newer)} rows)", lines)
        del VIEWS_LEFT[view]
    check_rest(checks, world, oracle)


VIEWS_LEFT = dict.fromkeys(
    (
        "usage_by_minute",
        "latency_by_minute",
        "usage_by_team_hour",
        "usage_by_hour",
        "usage_by_day",
        "usage_by_session",
        "latency_by_hour",
        "dead_letter",
    )
)


def check_rest(checks, world, oracle):
    for view in VIEWS_LEFT:
        lines = differences(rows_of(world.database, view), oracle.views()[view])
        checks.ok(not lines, f"dropped by retention.minute: {view} is untouched", lines)
    check_progress(checks, world.database, world.broker, oracle, [TOPIC])


def main():
    with Checks("reload and retention") as checks, World(checks) as world:
        seed = seed_from_environment()
        now = now_ms()
        world.broker.create_topic(TOPIC, 2)
        daemon = world.daemon().start()
        events = Events(world, seed, now)
        old_events(checks, world, events, now)
        reload(checks, world, daemon)
        dropped(checks, world, daemon, events, now)
        log = daemon.log()
        checks.ok("deadlock" not in log and "fenced" not in log, "no deadlock, nothing fenced by maintenance")


main()
