#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counters that would leave 64 bits: the batch is forgotten and read again in halves, down to the one message that
does not fit; that one becomes a dead letter, and everybody else counts. Twice: within one window, and against what the
database holds already."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks
from world import TOPIC, World, now_ms

LARGEST = 2**53
FITS = 1023  # times 2^53 is below 2^63


def send(world, now, first, count, user, tokens):
    writer = world.writer()
    for number in range(first, first + count):
        event = {"time": now - 60000, "user": user, "model": "gpt-5", "output_tokens": tokens}
        writer.send(TOPIC, 0, json.dumps(event).encode(), now)
        neighbour = {"time": now - 60000, "user": f"neighbour {number % 7}", "model": "small", "output_tokens": 1}
        writer.send(TOPIC, 0, json.dumps(neighbour).encode(), now)
    writer.flush()


def counted(world):
    return world.database.query(
        "SELECT count(*) FILTER (WHERE user_key = 'greedy'), coalesce(sum(calls) FILTER (WHERE user_key = 'greedy'), 0)::int,"
        " coalesce(sum(output_tokens) FILTER (WHERE user_key = 'greedy'), 0)::numeric::text,"
        " coalesce(sum(calls) FILTER (WHERE user_key <> 'greedy'), 0)::int FROM tokentally.usage_by_hour"
    )[0]


def main():
    with Checks("overflow") as checks, World(checks) as world:
        now = now_ms()
        world.broker.create_topic(TOPIC, 1)
        send(world, now, 0, FITS + 3, "greedy", LARGEST)
        daemon = world.daemon("one", **{"ingest.workers": 1, "ingest.flush_interval": "1s"}).start()
        world.wait_counted()
        checks.equal(
            counted(world),
            (1, FITS, str(FITS * LARGEST), FITS + 3),
            "in one window: what fits is counted to the token, and so is everybody else",
        )
        send(world, now, FITS + 3, 2, "greedy", LARGEST)
        world.wait_counted()
        checks.equal(
            counted(world),
            (1, FITS, str(FITS * LARGEST), FITS + 5),
            "against the database: the same",
        )
        dead = world.database.query("SELECT reason, record, count, detail FROM tokentally.dead_letter")
        checks.equal([row[:3] for row in dead], [("out_of_range", 0, 1)] * 5, "each message that does not fit is a dead letter")
        checks.ok(all(row[3] for row in dead), "and says why", dead)
        checks.equal(
            world.database.query("SELECT accepted::int, dead::int FROM tokentally.ingest_progress"),
            [(2 * FITS + 5, 5)],
            "the totals say the same",
        )
        send(world, now, FITS + 5, 50, "modest", 1)
        world.wait_counted()
        checks.ok(daemon.alive(), "the daemon goes on")
        checks.equal(daemon.end(), 0, "and ends with 0")


main()
