#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The bound on memory (fault table 27, 28): every event is of another person, and then the database is away while a backlog
comes. ingest.memory_max = 256M, peak RSS under 320 MB, exact totals, still in the group.

./test.sh --full takes 3 million people and a backlog of 3.6 million events; else 400,000 of each.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import GROUP, TOPIC, World, wait_for
from checks import Checks, seed_from_environment
from world import now_ms

FULL = bool(os.environ.get("TOKENTALLY_TEST_FULL"))
PEOPLE = int(os.environ.get("TOKENTALLY_TEST_PEOPLE", 3000000 if FULL else 400000))
BACKLOG = int(os.environ.get("TOKENTALLY_TEST_BACKLOG", 3600000 if FULL else 400000))
MEMORY_MAX, RSS_MAX_KB = "256M", 320 * 1000
RECORDS = 20  # of a message; in an outage the other half comes one by one, which costs librdkafka more
PARTITIONS = 6


def send(world, count, user, first=0, records=RECORDS):
    """count events. Nothing goes to the truth file: these are checked by arithmetic."""
    writer = world.writer(queue_buffering_max_messages=1000000)
    now = now_ms()
    for start in range(first, first + count, records):
        lines = [
            f'{{"time":{now - n % 3600000},"user":"{user(n)}","model":"m{n % 5}","team":"t{n % 9}","event_id":"{user(0)}{n}",'
            f'"session":"s{n % 70000}","output_tokens":{n % 1000},"input_tokens":1,"duration_ms":{n % 5000}}}'
            for n in range(start, min(start + records, first + count))
        ]
        writer.send(TOPIC, start // records % PARTITIONS, "\n".join(lines).encode(), now, counts=False)
    writer.flush()


def peak_kb(daemon):
    with open(f"/proc/{daemon.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def check_memory(checks, daemon, name):
    peak = peak_kb(daemon)
    checks.ok(peak < RSS_MAX_KB, f"{name}: peak RSS {peak} kB, under {RSS_MAX_KB} kB with memory_max = {MEMORY_MAX}")


def spills(world):
    """Commits that wrote temporary files (log_temp_files), with the sizes."""
    with open(f"{world.database.directory}/log", errors="replace") as log:
        lines = log.read().splitlines()
    found = []
    for number, line in enumerate(lines):
        if "temporary file: path" in line:
            statement = next(other for other in lines[number:] if "STATEMENT: " in other).split("STATEMENT: ")[1]
            if statement.strip().startswith("SELECT ingest_"):
                found.append(f"{line.split('size ')[1]} bytes: {statement}")
    return found


def many_people(checks, world, daemon):
    name = f"{PEOPLE} people"
    started = time.monotonic()
    send(world, PEOPLE, lambda n: f"person-{n:07}")
    sent = time.monotonic() - started
    world.wait_counted(timeout=1800)
    took = time.monotonic() - started
    spilled = spills(world)
    checks.ok(not spilled, f"{name}: no commit sorted on disk", spilled[:10])
    row = world.database.query(
        "SELECT count(*), count(DISTINCT user_key), sum(calls), sum(output_tokens), min(calls), max(calls),"
        " count(*) FILTER (WHERE output_tokens <> substr(user_key, 8)::int % 1000)"
        " FROM tokentally.usage_by_hour WHERE user_key LIKE 'person-%'"
    )[0]
    output = sum(n % 1000 for n in range(PEOPLE))
    checks.equal(tuple(map(int, row)), (PEOPLE, PEOPLE, PEOPLE, output, 1, 1, 0), f"{name}: exact, person by person")
    check_memory(checks, daemon, name)
    print(f"# {name}: sent in {sent:.0f} s, counted after {took:.0f} s")


def outage(checks, world, daemon):
    """The database is away while the backlog comes."""
    name = f"outage worth {BACKLOG} events"
    members = world.broker.group_members(GROUP)
    send(world, 6 * RECORDS, lambda n: f"before-{n % 10}")
    world.wait_counted()
    world.database.stop("immediate")
    send(world, BACKLOG // 2, lambda n: f"during-{n % 5000:04}")
    send(world, BACKLOG - BACKLOG // 2, lambda n: f"during-{n % 5000:04}", BACKLOG // 2, records=1)
    wait_for(lambda: world.metric(daemon, "tokentally_paused") > 0, 120, "reading to be paused")
    wait_for(lambda: daemon.http("/readyz")[0] != 200, 60, "readyz to tell")
    time.sleep(8)  # longer than a session of 6 s
    checks.equal(world.broker.group_members(GROUP), members, f"{name}: it stays in its group")
    check_memory(checks, daemon, name)
    started = time.monotonic()
    world.database.start()
    world.wait_counted(timeout=1800)
    row = world.database.query(
        "SELECT count(DISTINCT user_key), sum(calls), sum(output_tokens) FROM tokentally.usage_by_hour"
        " WHERE user_key LIKE 'during-%'"
    )[0]
    expected = (min(BACKLOG, 5000), BACKLOG, sum(n % 1000 for n in range(BACKLOG)))
    checks.equal(tuple(map(int, row)), expected, f"{name}: caught up, exact")
    check_memory(checks, daemon, f"{name}, caught up")
    checks.equal(world.broker.group_members(GROUP), members, f"{name}: still the same member")
    print(f"# {name}: caught up in {time.monotonic() - started:.0f} s")


class Backlog(World):
    def metric(self, daemon, name):
        lines = daemon.http("/metrics")[1].splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


def main():
    with Checks("memory") as checks, Backlog(checks) as world:
        seed_from_environment(1)
        world.database.query("ALTER SYSTEM SET log_temp_files = 0")
        world.database.query("SELECT pg_reload_conf()")
        world.broker.create_topic(TOPIC, PARTITIONS)
        changed = {"ingest.memory_max": MEMORY_MAX, "ingest.workers": "auto", "ingest.flush_interval": "5s"}
        daemon = world.daemon("one", **changed).start()
        wait_for(lambda: world.broker.group_state(GROUP) == "Stable", 60, "the group")
        many_people(checks, world, daemon)
        outage(checks, world, daemon)
        checks.equal(daemon.end(), 0, "it ends with 0")
        sums = world.database.query(
            "SELECT (SELECT sum(accepted) FROM tokentally.ingest_progress), (SELECT sum(calls) FROM tokentally.usage_by_minute),"
            " (SELECT sum(calls) FROM tokentally.usage_by_day), (SELECT sum(calls) FROM tokentally.usage_by_session)"
        )[0]
        checks.equal(set(map(int, sums)), {PEOPLE + BACKLOG + 6 * RECORDS}, "all rollups have the same sum")


main()
