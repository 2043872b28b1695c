#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A gateway and the callers' own programs report the same calls, mostly without an id in common. By source rules one of
them counts for each provider and team; the other's are in the shadow, to be compared, and all of it is exact."""

import csv
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from compare import check_progress, check_views
from daemon import ROOT
from oracle import Oracle, Rules
from oracle_decode import records_of
from queries import markdown_queries
from world import TOPIC, World, now_ms

CALLS = int(os.environ.get("TOKENTALLY_TEST_EVENTS", 15000))
PARTITIONS = 3
FIELDS = "user model event_id team app session provider status input_tokens cache_read_tokens output_tokens cost_usd duration_ms ttft_ms"
MAPPING = {
    "description": "A gateway that wraps what native has.",
    "detect": {"path": "/gateway", "present": True},
    "fields": {"time": {"path": "/call/time", "unit": "ms"}, **{field: f"/call/{field}" for field in FIELDS.split()}},
    "tokens": {"cache": "outside"},
}
RULES = [("acme", "*", "our_gateway"), ("*", "lab", "native"), ("acme", "ops", "native"), ("acme", "ops", "our_gateway")]
# The roster puts every second one of those without a team into the lab.
MOVES = [(f"person {n}", "lab", 0) for n in range(0, 40, 2)]


class TwoSources(Oracle):
    def records(self, payload):
        document = json.loads(payload)
        if "gateway" in document:
            call = json.dumps(document["call"]).encode()
            return (("our_gateway", record) for record in records_of(call, self.now_us))
        return super().records(payload)


def calls(rng, started_ms):
    """The messages of each call: by its own program, by the gateway, by both, and now and then one of them twice."""
    for number in range(CALLS):
        user = rng.randrange(40)
        call = {
            "time": started_ms - rng.randrange(3 * 86400000),
            "user": f"person {user}",
            "model": rng.choice(["large", "small"]),
            "provider": rng.choice(["acme", "acme", "other", ""]),
            "input_tokens": rng.randrange(5000),
            "cache_read_tokens": rng.choice([0, 1000]),
            "output_tokens": rng.randrange(500),
            "duration_ms": rng.randrange(9000),
            "session": f"s{rng.randrange(300)}",
        }
        if rng.random() < 0.8:
            call["team"] = rng.choice(["red", "ops", "lab"])
        if rng.random() < 0.9:
            call["cost_usd"] = rng.randrange(1000) / 1024
        own, theirs = dict(call), {"gateway": "eu-1", "call": dict(call)}
        luck = rng.random()
        if luck < 0.3:  # the request's id, known to both
            own["event_id"] = theirs["call"]["event_id"] = f"both-{number}"
        elif luck < 0.6:
            own["event_id"], theirs["call"]["event_id"] = f"own-{number}", f"gateway-{number}"
        sent = [own, theirs] if luck < 0.8 else [own] if luck < 0.9 else [theirs]
        if luck < 0.6 and rng.random() < 0.1:
            sent += rng.choices(sent, k=rng.randint(1, 3))  # again: these have ids
        rng.shuffle(sent)
        yield from sent


def send(world, rng, messages, started_ms):
    """The copies of an id go to one partition: which of two partitions is first would be a matter of luck."""
    writer = world.writer()
    for place, message in enumerate(messages):
        call = message.get("call", message)
        partition = hash_of(f"{call['user']} {call['time']}") % PARTITIONS
        writer.send(TOPIC, partition, json.dumps(message).encode(), started_ms - 60000 + place % 50000)
    writer.flush()


def hash_of(text):
    return sum(ord(char) * (place + 7) for place, char in enumerate(text))


def prepare(checks, world):
    os.mkdir(f"{world.directory}/formats")
    with open(f"{world.directory}/formats/our_gateway.json", "w") as out:
        json.dump(MAPPING, out)
    with open(f"{world.directory}/people.csv", "w", newline="") as out:
        csv.writer(out).writerows([("user", "team"), *((user, team) for user, team, _ in MOVES)])
    done = world.tokentally("people", "import", f"{world.directory}/people.csv", "--from", "1970-01-01T00:00:00Z")
    checks.equal(done.returncode, 0, f"people import: {done.stderr.strip()}")
    for name in ("one", "two"):
        world.daemon(name, **{"ingest.mapping_dir": f"{world.directory}/formats"}).start()
    wait_for(
        lambda: world.database.value("SELECT EXISTS (SELECT FROM tokentally.source_name WHERE name = 'our_gateway')"),
        30,
        "the daemons to tell their formats",
    )
    for provider, team, source in RULES:
        world.database.query(
            "INSERT INTO tokentally.source_rule (provider, team, source) VALUES (%s, %s, %s)", [provider, team, source]
        )


def main():
    with Checks("two sources") as checks, World(checks) as world:
        seed = seed_from_environment()
        rng = random.Random(seed)
        started_ms = now_ms()
        world.broker.create_topic(TOPIC, PARTITIONS)
        prepare(checks, world)
        send(world, rng, calls(rng, started_ms), started_ms)
        world.wait_counted(timeout=180)
        oracle = TwoSources(started_ms * 1000, rules=Rules(MOVES, RULES)).read(world.truth_path)
        print(f"# oracle: {oracle.totals()}")
        check_views(checks, world.database, oracle)
        check_progress(checks, world.database, world.broker, oracle, [TOPIC])
        sums = world.database.query(
            "SELECT (SELECT sum(accepted) FROM tokentally.ingest_progress), (SELECT sum(calls) FROM tokentally.usage_by_hour),"
            " (SELECT sum(skipped) FROM tokentally.ingest_progress), (SELECT sum(calls) FROM tokentally.usage_shadowed)"
        )[0]
        checks.ok(sums[0] == sums[1] and sums[2] == sums[3] > CALLS / 4, f"accepted are the calls, skipped is the shadow {sums}")
        pairs = {(key[1], key[2], key[4]) for key in oracle.shadow}
        checks.ok(
            {("red", "acme", "native"), ("lab", "acme", "our_gateway"), ("lab", "", "our_gateway")} <= pairs
            and not any(team == "ops" or (team == "red" and provider != "acme") for team, provider, _ in pairs),
            "the rules for a team, a provider and both did what they say",
            str(sorted(pairs)),
        )
        metrics = "".join(daemon.http("/metrics")[1] for daemon in world.daemons.values()).splitlines()
        name = 'tokentally_records_skipped_total{rule="source_rule"} '
        shadowed = sum(int(line.split()[1]) for line in metrics if line.startswith(name))
        checks.ok(shadowed >= sums[3], f"the metric tells them apart from what is no call ({shadowed})")
        for name, sql in markdown_queries(f"{ROOT}/docs/FORMATS.md"):
            rows = world.database.query(sql)
            checks.ok(rows is None or len(rows) > 5, f"docs/FORMATS.md, {name!r}: {sql.split()[0]} runs, and gives rows")
        for daemon in world.daemons.values():
            checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0 on SIGTERM")


main()
