#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What only shows between partitions and between logs: an event that is sent again to another partition, while several
processes run, over a restart and a rebalance; and a topic that is deleted, made again and grown past our offset."""

import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from world import TOPIC, World, now_ms

PARTITIONS = 6


def event(now, event_id, user="somebody"):
    return json.dumps(
        {"time": now - 60000, "user": user, "model": "gpt-5", "output_tokens": 3, "event_id": event_id}
    ).encode()


def totals(world):
    row = world.database.query(
        "SELECT (SELECT sum(calls) FROM tokentally.usage_by_hour)::int, sum(accepted)::int, sum(duplicate)::int"
        " FROM tokentally.ingest_progress"
    )[0]
    return tuple(row)


def send_everywhere(world, rng, now, ids, copies):
    """Each id to so many different partitions, in an order in which copies meet each other in time."""
    writer = world.writer()
    sends = [(partition, one) for one in ids for partition in rng.sample(range(PARTITIONS), copies)]
    rng.shuffle(sends)
    for partition, one in sends:
        writer.send(TOPIC, partition, event(now, one), now)
    writer.flush()


def duplicates(checks, world, rng, now):
    one = world.daemon("one", **{"ingest.workers": 2}).start()
    two = world.daemon("two", **{"ingest.workers": 1}).start()
    wait_for(lambda: len(world.broker.group_members("tokentally")) == 3, 60, "three workers in the group")
    send_everywhere(world, rng, now, [f"race {n}" for n in range(4000)], 3)
    world.wait_counted()
    checks.equal(totals(world), (4000, 4000, 8000), "sent to three partitions at once: counted once")
    send_everywhere(world, rng, now, [f"race {n}" for n in range(0, 4000, 4)], 2)
    world.wait_counted()
    checks.equal(totals(world), (4000, 4000, 10000), "sent again later: still once")
    for daemon in (one, two):
        daemon.kill()
    one.start()
    send_everywhere(world, rng, now, [f"race {n}" for n in range(1, 4000, 4)], 2)
    world.wait_counted()
    checks.equal(totals(world), (4000, 4000, 12000), "over a restart")
    two.start()
    send_everywhere(world, rng, now, [f"race {n}" for n in range(2, 4000, 4)] + ["new"], 2)
    world.wait_counted()
    checks.equal(totals(world), (4001, 4001, 14001), "over a rebalance")
    for daemon in (one, two):
        checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0")


def remade_topic(checks, world, now):
    """Partition 0 of the new topic is longer than our offset, so only its contents tell."""
    world.broker.create_topic("remade", 2)
    world.broker.create_topic("beside", 1)
    daemon = world.daemon("three", **{"kafka.topics": "remade,beside", "ingest.workers": 1}).start()
    writer = world.writer()
    for number in range(40):
        writer.send("remade", number % 2, event(now, f"before {number}", "before"), now)
    writer.flush()
    world.wait_counted(topics=("remade",))
    checks.equal(daemon.end(), 0, "a daemon that leaves ends with 0")
    world.broker.delete_topic("remade")
    world.broker.create_topic("remade", 2)
    writer = world.writer()
    for number in range(100):
        writer.send("remade", 0, event(now, f"after {number}", "after"), now + 1)
    writer.flush()
    daemon.start(ready=False)
    writer.send("beside", 0, event(now, "beside", "beside"), now)
    writer.flush()
    state = "SELECT state FROM tokentally.ingest_progress WHERE topic = 'remade' ORDER BY partition"
    wait_for(lambda: [row[0] for row in world.database.query(state)] == ["quarantined"] * 2, 60, "the quarantine of the remade topic")
    world.wait_counted(topics=("beside",))
    counts = dict(world.database.query("SELECT user_key, sum(calls)::int FROM tokentally.usage_by_hour GROUP BY 1"))
    checks.equal(counts.get("before"), 40, "nothing is counted again")
    checks.equal(counts.get("after"), None, "nothing of the new log is counted unasked")
    checks.equal(counts.get("beside"), 1, "the other topic goes on")
    checks.ok(daemon.http("/readyz")[0] == 503, "the daemon says that it is not ready")
    for partition in ("0", "1"):
        done = world.tokentally("offsets", "accept-reset", "remade", partition, "--reason", "made anew")
        checks.equal(done.returncode, 0, f"accept-reset of partition {partition}: {done.stderr.strip()[-200:]}")
    world.wait_counted(topics=("remade",))
    counts = dict(world.database.query("SELECT user_key, sum(calls)::int FROM tokentally.usage_by_hour GROUP BY 1"))
    checks.equal((counts.get("before"), counts.get("after")), (40, 100), "after accept-reset the new log counts from its start")
    checks.equal(daemon.end(), 0, "the daemon ends with 0")


def remade_under_us(checks, world, now):
    """The same while the daemon runs and has no reason to claim anew: the check before each commit tells."""
    world.broker.create_topic("living", 1)
    daemon = world.daemon("four", **{"kafka.topics": "living", "ingest.workers": 1}).start()
    writer = world.writer()
    for round_number in range(3):
        for number in range(20):
            writer.send("living", 0, event(now, f"living {round_number} {number}", "living before"), now)
        writer.flush()
        world.wait_counted(topics=("living",))
    world.broker.delete_topic("living")
    world.broker.create_topic("living", 1)
    writer = world.writer()
    for number in range(200):
        writer.send("living", 0, event(now, f"living after {number}", "living after"), now + 1)
    writer.flush()
    state = "SELECT state FROM tokentally.ingest_progress WHERE topic = 'living'"
    wait_for(lambda: world.database.value(state) == "quarantined", 60, "the quarantine of the topic made anew under us")
    counts = dict(world.database.query("SELECT user_key, sum(calls)::int FROM tokentally.usage_by_hour GROUP BY 1"))
    checks.equal((counts.get("living before"), counts.get("living after")), (60, None), "under a running daemon: nothing skipped or counted unasked")
    checks.equal(daemon.end(), 0, "that daemon ends with 0")


def main():
    with Checks("elsewhere") as checks, World(checks) as world:
        rng = random.Random(seed_from_environment())
        now = now_ms()
        world.broker.create_topic(TOPIC, PARTITIONS)
        duplicates(checks, world, rng, now)
        remade_topic(checks, world, now)
        remade_under_us(checks, world, now)


main()
