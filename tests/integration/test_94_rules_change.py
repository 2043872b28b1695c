#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Teams and source rules change again and again while two daemons ingest, and one of them is killed each time: no call is
counted by two states of them or by none, in no snapshot, and what is sent after a change is counted by it."""

import itertools
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from snapshot import Reader
from truth import Writer
from world import TOPIC, World, now_ms

PHASES = int(os.environ.get("TOKENTALLY_TEST_PHASES", 8))
PARTITIONS = 4
PEOPLE = 30
BY_TEAM = (
    "SELECT bucket, team, provider, model, sum(calls)::bigint, sum(total_tokens)::bigint FROM tokentally.{}"
    " GROUP BY 1, 2, 3, 4"
)


class Sender(threading.Thread):
    """Calls of the present phase, on and on at a pace, until `phase` is None. sent: (phase, provider) -> calls."""

    def __init__(self, world, seed):
        super().__init__(daemon=True)
        self.writer = Writer(world.broker, world.truth_path)
        self.rng = random.Random(seed)
        self.ids = itertools.count()
        self.phase, self.sent, self.error = 0, {}, None

    def run(self):
        try:
            while self.phase is not None:
                self.send_message(self.phase)
                time.sleep(0.002)  # pace, not synchronisation: the load shall last while things change
            self.writer.flush()
        except Exception as error:
            self.error = error

    def send_message(self, phase):
        time_ms = now_ms()
        calls = []
        for _ in range(5):
            provider = self.rng.choice(["acme", "flip"])
            calls.append(
                {
                    "time": time_ms - self.rng.randrange(7200000),
                    "user": f"person {self.rng.randrange(PEOPLE)}",
                    "model": f"phase {phase}",
                    "provider": provider,
                    "event_id": str(next(self.ids)),
                    "input_tokens": 1,
                    **({"team": "fixed"} if provider == "flip" else {}),
                }
            )
            self.sent[phase, provider] = self.sent.get((phase, provider), 0) + 1
        self.writer.send(TOPIC, self.rng.randrange(PARTITIONS), json.dumps(calls).encode(), time_ms)


def change(checks, world, phase):
    """All people into another team, from always the same moment on; and whether native calls of "flip" count."""
    path = f"{world.directory}/phase.csv"
    with open(path, "w") as out:
        out.write("user,team,from\n" + "".join(f"person {n},team {phase},2026-01-01\n" for n in range(PEOPLE)))
    done = world.tokentally("people", "import", path)
    if phase % 2:
        world.database.query("INSERT INTO tokentally.source_rule (provider, source) VALUES ('flip', 'kong')")
    else:
        world.database.query("DELETE FROM tokentally.source_rule")
    checks.equal(done.returncode, 0, f"phase {phase}: {done.stdout.strip()} {done.stderr.strip()}")


def rows(world, sql):
    return sorted(world.database.query(sql))


def sent(sender, provider):
    return {f"phase {phase}": count for (phase, of), count in sender.sent.items() if of == provider}


def check_phases(checks, world, sender):
    counted = rows(
        world,
        "SELECT model, team, sum(calls)::bigint FROM tokentally.usage_by_hour WHERE provider = 'acme' GROUP BY 1, 2",
    )
    wrong, seen = [], {}
    for model, team, calls in counted:
        seen[model] = seen.get(model, 0) + calls
        if (int(team.split()[1]) if team else 0) < int(model.split()[1]):
            wrong.append(f"{calls} calls of {model} under {team or 'no team'}, which was over when they were sent")
    checks.ok(not wrong, "no call is counted by a team that was over when it was sent", wrong)
    checks.equal(seen, sent(sender, "acme"), "each is counted in one team")
    last = {team for model, team, _ in counted if model == f"phase {PHASES}"}
    checks.equal(last, {f"team {PHASES}"}, "what came after the last change is counted by it")
    checks.ok(len({team for _, team, _ in counted}) > 2, "several states of the roster were used", str(counted))


def check_sources(checks, world, sender):
    counted, shadowed = (
        dict(rows(world, f"SELECT model, sum(calls)::bigint FROM tokentally.{view} WHERE provider = 'flip' GROUP BY 1"))
        for view in ("usage_by_team_hour", "usage_shadowed")
    )
    both = {model: counted.get(model, 0) + shadowed.get(model, 0) for model in counted.keys() | shadowed.keys()}
    checks.equal(both, sent(sender, "flip"), "each call of two sources is counted, or in the shadow")
    checks.ok(counted and shadowed, f"there are both, {sum(counted.values())} and {sum(shadowed.values())}")
    skipped = world.database.value("SELECT sum(skipped)::bigint FROM tokentally.ingest_progress")
    checks.equal(skipped, sum(shadowed.values()), "skipped is what is in the shadow")


def check_rollups(checks, world):
    hour, team_hour = (rows(world, BY_TEAM.format(view)) for view in ("usage_by_hour", "usage_by_team_hour"))
    checks.ok(hour and hour == team_hour, f"hours by person and by team agree for each team and model ({len(hour)} rows)")
    minute = BY_TEAM.format("usage_by_minute").replace("bucket,", "date_trunc('hour', bucket, 'UTC'),")
    checks.equal(rows(world, minute), hour, "so do minutes")
    day, hour = (
        rows(world, f"SELECT team, sum(calls)::bigint FROM tokentally.{view} GROUP BY 1")
        for view in ("usage_by_day", "usage_by_hour")
    )
    checks.equal(day, hour, "so do days")


def main():
    with Checks("rules change under load") as checks, World(checks) as world:
        seed = seed_from_environment()
        rng = random.Random(seed)
        world.broker.create_topic(TOPIC, PARTITIONS)
        daemons = [world.daemon(name, **{"kafka.session.timeout.ms": 2000}).start() for name in ("one", "two")]
        sender, reader = Sender(world, seed), Reader(world.database)
        sender.start()
        reader.start()
        for phase in range(1, PHASES + 1):
            before = world.calls()
            wait_for(lambda: world.calls() > before, 60, "calls to be counted before the change")
            time.sleep(rng.uniform(0, 1))  # the random moment of the change
            change(checks, world, phase)
            sender.phase = phase
            time.sleep(rng.uniform(0, 1))  # and that of the kill
            victim = rng.choice(daemons)
            checks.ok(victim.alive(), f"{victim.name} was alive when killed", victim.last_lines(5))
            victim.kill()
            victim.start(ready=False)
        for daemon in daemons:
            daemon.wait_ready()
        before = world.calls()
        wait_for(lambda: world.calls() > before + 1000, 60, "calls after the last change")
        sender.phase = None
        sender.join(60)
        checks.ok(sender.error is None, "the whole load was sent", str(sender.error))
        world.wait_counted(timeout=120)
        reader.check(checks)
        check_phases(checks, world, sender)
        check_sources(checks, world, sender)
        check_rollups(checks, world)
        told = sum(daemon.log().count("teams of people or source rules were changed") for daemon in daemons)
        checks.ok(told > 0, f"batches met a change and were read again ({told})")
        for daemon in daemons:
            checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0 on SIGTERM")


main()
