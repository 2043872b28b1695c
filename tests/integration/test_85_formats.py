#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The same day of a company as native, litellm, otlp_json and otlp_proto: the same rows. Prompts stay nowhere; one bad record of
a batch is one dead letter; mapping files are read at the start and again on SIGHUP."""

import json
import os
import random
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import formats
from checks import Checks, seed_from_environment, wait_for
from company import Company
from compare import VIEWS, check_views, differences, rows_of
from oracle import DAY, Oracle
from oracle_decode import rfc3339
from truth import Writer
from world import World, now_ms

FORMS = ("native", "litellm", "otlp_json", "otlp_proto")
CALLS = int(os.environ.get("TOKENTALLY_TEST_CALLS", 6000))
PROMPTS_LEFT = CALLS // 100  # glibc keeps the last few small blocks of each thread as they were; else it is 800 to 2,900 of 6,000
COUNTERS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


class OneDatabase:
    """What compare.py asks of a database, for one of several in a server."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def query(self, sql, args=None):
        return self.server.query(sql, args, dbname=self.name)


def call_of(text):
    """A company's event as every sender could have it: whole milliseconds, the cache always reported."""
    event = json.loads(text, parse_float=formats.Raw)
    call = {key: event.get(key) for key in ("user", "model", "event_id", "team", "app", "session", "provider")}
    if call["user"] == "-":  # which means "nothing" in logs of gateways
        call["user"] = "dash"
    time = event["time"]
    call["time_us"] = time * 1000 if isinstance(time, int) else rfc3339(time)
    call.update({key: int(float(event.get(key, 0))) for key in COUNTERS})
    call["status"] = event.get("status", "ok")
    call["service_tier"] = event.get("service_tier", "standard")
    call["cost_usd"] = event.get("cost_usd")
    call["duration_ms"] = min(int(float(event.get("duration_ms", 0))), 10**8)
    call["ttft_ms"] = min(int(float(event["ttft_ms"])), 10**8) if "ttft_ms" in event else None
    return call


def company_day(seed, end_us):
    company = Company(seed, 300, end_us - DAY, end_us - 10**6)
    return [call_of(company.event(number / CALLS)[1]) for number in range(CALLS)]


def send_day(world, form, calls, seed):
    rng, first = random.Random(seed), 0
    writer = Writer(world.broker, f"{world.directory}/truth-{form}.jsonl")
    while first < len(calls):
        size = rng.choice((1, 2, 7, 40))
        writer.send(form, rng.randrange(2), formats.message(form, calls[first : first + size], first), now_ms())
        first += size
    writer.flush()


def start_daemon(world, form, **changed):
    world.database.query(f"CREATE DATABASE day_{form}")
    world.migrate(f"day_{form}")
    settings = {
        "kafka.topics": f"{form}:{form}" if form in ("native", "otlp_json") else form,
        "kafka.group.id": f"tally-{form}",
        "postgres.conninfo": world.database.login("tally_login", "a password", f"day_{form}"),
        **changed,
    }
    return world.daemon(form, **settings).start()


def all_counted(world, form):
    one = OneDatabase(world.database, f"day_{form}")
    rows = one.query("SELECT partition, next_offset FROM tokentally.ingest_progress WHERE topic = %s", [form])
    return dict(rows) == {partition: high for partition, (_, high) in world.broker.watermarks(form).items()}


def check_day(checks, world, calls):
    oracle = Oracle(now_ms() * 1000).read(f"{world.directory}/truth-native.jsonl")
    natives = OneDatabase(world.database, "day_native")
    check_views(checks, natives, oracle, "native: ")
    for form in FORMS[1:]:
        other = OneDatabase(world.database, f"day_{form}")
        for view in VIEWS:
            expected = rows_of(natives, view)
            lines = differences(rows_of(other, view), expected)
            checks.ok(not lines, f"{form}: {view} as from native ({len(expected)} rows)", lines)
        metrics = world.daemons[form].http("/metrics")[1]
        found = f'tokentally_records_format_total{{format="{form}"}} {len(calls)}'
        checks.ok(found in metrics, f"{form}: every record is found to be {form}", metrics_of(metrics))
        checks.ok("suspect_total{" in metrics and not suspects(metrics), f"{form}: nothing is suspect", metrics_of(metrics))


def metrics_of(text):
    return [line for line in text.splitlines() if line.startswith(("tokentally_records_format", "tokentally_records_suspect"))]


def suspects(text):
    return [line for line in metrics_of(text) if "suspect" in line and not line.endswith(" 0")]


def check_marker(checks, world):
    for form in FORMS:
        checks.ok(formats.PROMPT_MARKER not in world.daemons[form].log(), f"{form}: no prompt in the log")
        dump = subprocess.run(
            [f"{world.database.bin}/pg_dump", "-d", world.database.superuser(f"day_{form}"), "--data-only", "--inserts"],
            capture_output=True,
            timeout=300,
        )
        checks.ok(
            dump.returncode == 0 and len(dump.stdout) > 100000 and formats.PROMPT_MARKER.encode() not in dump.stdout,
            f"{form}: no prompt in any table ({len(dump.stdout)} bytes)",
            dump.stderr.decode()[-200:],
        )


def markers_in_memory(pid):
    """How often the marker stands in what the process may write to."""
    found, marker = 0, formats.PROMPT_MARKER.encode()
    with open(f"/proc/{pid}/maps") as maps:
        places = [line.split()[:2] for line in maps]
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for place, rights in places:
            start, end = (int(part, 16) for part in place.split("-"))
            if "rw" not in rights:
                continue
            try:
                memory.seek(start)
                found += memory.read(end - start).count(marker)
            except OSError:  # not ours to read: [vvar]
                continue
    return found


def check_memory(checks, world, calls):
    """After some messages without the marker, so that none with it is in hand, under 1 % of the prompts are left."""
    for form in FORMS:
        writer = Writer(world.broker, f"{world.directory}/clean.jsonl")
        for number in range(20):
            clean = formats.message(form, [dict(calls[number], event_id=f"clean-{number}")], 2 * 10**6 + number)
            writer.send(form, number % 2, clean.replace(formats.PROMPT_MARKER.encode(), b"x" * len(formats.PROMPT_MARKER)), now_ms())
        writer.flush()
        wait_for(lambda form=form: all_counted(world, form), 60, f"the clean messages of {form} to be counted")
        left = markers_in_memory(world.daemons[form].process.pid)
        checks.ok(left <= PROMPTS_LEFT, f"{form}: prompts do not stay in memory ({left} of {len(calls)})")


def check_bad_neighbour(checks, world, calls):
    """The second record of four has a counter that is no number: only it is a dead letter, with its index."""
    for form in FORMS[1:]:
        good = [dict(call, event_id=f"neighbour-{form}-{number}", app="one") for number, call in enumerate(calls[:4])]
        good[1]["output_tokens"] = -5
        good[1]["reasoning_tokens"] = 0
        writer = Writer(world.broker, f"{world.directory}/bad.jsonl")
        writer.send(form, 0, formats.message(form, good, 10**6 + 1), now_ms())
        writer.flush()
        wait_for(lambda: all_counted(world, form), 60, f"the bad record of {form} to be counted")
        rows = OneDatabase(world.database, f"day_{form}").query(
            "SELECT record, reason, detail, payload_excerpt FROM tokentally.dead_letter"
        )
        checks.ok(
            len(rows) == 1 and rows[0][:2] == (1, "out_of_range") and "output_tokens" in rows[0][2] and rows[0][3] is None,
            f"{form}: one bad record of four is one dead letter, number 1",
            rows,
        )
        calls_counted = OneDatabase(world.database, f"day_{form}").query(
            "SELECT sum(calls) FROM tokentally.usage_by_hour"
        )[0][0]
        checks.equal(int(calls_counted), len(calls) + 3, f"{form}: its neighbours count")


MAPPING = {
    "detect": {"path": "/acme", "present": True},
    "fields": {
        "time": {"path": "/acme/when", "unit": "ms"},
        "user": "/acme/who",
        "model": "/acme/model",
        "output_tokens": "/acme/out",
    },
}


def write_mapping(directory, mapping):
    with open(f"{directory}/acme.json", "w") as out:
        json.dump(mapping, out)


def check_mapping_files(checks, world):
    directory = f"{world.directory}/mappings"
    os.mkdir(directory)
    write_mapping(directory, MAPPING)
    world.broker.create_topic("acme", 2)
    daemon = start_daemon(world, "acme", **{"ingest.mapping_dir": directory, "kafka.topics": "acme:acme"})
    writer = Writer(world.broker, f"{world.directory}/acme.jsonl")
    one = OneDatabase(world.database, "day_acme")

    def send(tokens):
        record = {"acme": {"when": now_ms(), "who": "Zoe@Example.org", "model": "m", "out": tokens, "out2": 7 * tokens}}
        writer.send("acme", 0, json.dumps(record).encode(), now_ms())
        writer.flush()
        wait_for(lambda: all_counted(world, "acme"), 60, "acme's record to be counted")
        return one.query("SELECT user_key, sum(output_tokens) FROM tokentally.usage_by_hour GROUP BY 1")

    def reload(line):
        before = daemon.log().count(line)
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: daemon.log().count(line) > before, 30, f"the line '{line}'")

    checks.equal(send(100), [("zoe@example.org", 100)], "a mapping file of its own is a format")
    write_mapping(directory, {**MAPPING, "fields": {**MAPPING["fields"], "output_tokens": "/acme/out2"}})
    reload("configuration reloaded")
    checks.equal(send(100), [("zoe@example.org", 800)], "SIGHUP reads mapping files again")
    write_mapping(directory, {**MAPPING, "fields": {**MAPPING["fields"], "output_tokens": "acme/out"}})
    reload("going on with the one before")
    checks.ok("/fields/output_tokens" in daemon.log(), "a fault in a mapping file is told with its place")
    checks.equal(send(100), [("zoe@example.org", 1500)], "and refused whole: the mapping before goes on")
    done = world.tokentally("check", config=daemon.config)
    checks.ok(
        done.returncode == 78 and f"{directory}/acme.json" in done.stderr and "/fields/output_tokens" in done.stderr,
        "tokentally check names the file and the place, and ends with 78",
        (done.returncode, done.stderr),
    )


def main():
    with Checks("formats") as checks, World(checks, migrate=False) as world:
        seed = seed_from_environment()
        calls = company_day(seed, now_ms() * 1000)
        for form in FORMS:
            world.broker.create_topic(form, 2)
            start_daemon(world, form)
            send_day(world, form, calls, seed)
        for form in FORMS:
            wait_for(lambda form=form: all_counted(world, form), 120, f"{form} to be counted")
        check_day(checks, world, calls)
        check_marker(checks, world)
        check_bad_neighbour(checks, world, calls)
        check_memory(checks, world, calls)
        check_mapping_files(checks, world)
        for daemon in world.daemons.values():
            checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0 on SIGTERM")


main()
