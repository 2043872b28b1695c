#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every kind of bad input between two good neighbours: its dead letter, and nothing else happens."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from bad_messages import bad_messages
from checks import Checks
from compare import check_progress, check_views
from oracle import Oracle
from world import TOPIC, World, now_ms


def neighbour(side, number, now):
    return json.dumps(
        {"time": now - 5000, "user": f"{side}-{number}", "model": "gpt-5", "output_tokens": number}
    ).encode()


def send_all(world, kinds, now):
    """{name: offset}; all on partition 0, in order."""
    writer, offsets = world.writer(), {}
    for number, (name, value, _) in enumerate(kinds):
        for message in (neighbour("before", number, now), value, neighbour("after", number, now)):
            writer.send(TOPIC, 0, message, now)
        offsets[name] = 3 * number + 1
    writer.flush()
    return offsets


def check_kinds(checks, world, kinds, offsets):
    rows = world.database.query(
        'SELECT "offset", record, reason, detail, payload_excerpt FROM tokentally.dead_letter' " ORDER BY 1, 2"
    )
    users = {row[0] for row in world.database.query("SELECT user_key FROM tokentally.usage_by_hour WHERE calls = 1")}
    for number, (name, _, expected) in enumerate(kinds):
        found = [(record, reason) for offset, record, reason, _, _ in rows if offset == offsets[name]]
        good = {f"before-{number}", f"after-{number}"} <= users
        checks.ok(
            found == expected and good,
            f"{name}: {expected[0][1] if expected else 'counts'}, both neighbours count",
            f"dead letters {found}, expected {expected}; neighbours counted: {good}",
        )
    checks.ok(all(row[4] is None for row in rows), "no payload is kept by default")
    checks.ok(any(row[3] and "duplicate key" in row[3] for row in rows), "detail names a duplicate key")


def check_excerpt(checks, world, now):
    """ingest.dead_letter_payload keeps that many bytes, after a restart with it."""
    daemon = world.daemons["one"]
    checks.equal(daemon.end(), 0, "the daemon ends with 0")
    daemon.start("ingest.dead_letter_payload=16")
    writer = world.writer()
    writer.send(TOPIC, 1, b"\xff\x00 neither UTF-8 nor short", now)
    writer.flush()
    world.wait_counted()
    kept = world.database.value('SELECT payload_excerpt FROM tokentally.dead_letter WHERE partition = 1')
    checks.equal(
        None if kept is None else bytes(kept), b"\xff\x00 neither UTF-8"[:16], "ingest.dead_letter_payload = 16"
    )


def main():
    with Checks("bad input") as checks, World(checks) as world:
        now = now_ms()
        world.broker.create_topic(TOPIC, 2, max_message_bytes=33554432)
        daemon = world.daemon().start()
        pid = daemon.process.pid
        kinds = bad_messages(now)
        offsets = send_all(world, kinds, now)
        world.wait_counted()
        checks.ok(daemon.alive() and daemon.process.pid == pid and daemon.is_ready(), "the daemon is unmoved")
        check_kinds(checks, world, kinds, offsets)
        oracle = Oracle(now * 1000).read(world.truth_path)
        check_views(checks, world.database, oracle)
        check_progress(checks, world.database, world.broker, oracle, [TOPIC])
        log = daemon.log()
        checks.ok("neighbour" not in log and "mallory" not in log and "alice" not in log, "no payload in the log")
        check_excerpt(checks, world, now)


main()
