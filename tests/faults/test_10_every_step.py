#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""As SQLite tests its I/O: fail the Nth step for N = 1, 2, 3, ... until a run passes without a fault. After each run
the totals equal what was sent, and at the end so does every row.

A step is one of daemon/fault.h: before a statement is sent, when it is sent but not answered, when the answer is
there; and each call of librdkafka that changes something. Static group membership makes a restart quick: the broker
gives the same partitions back at once.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import CRASHED, TOPIC, Company, DAY, Load, Oracle, Scene, check_progress, check_views, now_ms, wait_for
from checks import Checks, seed_from_environment

FULL = bool(os.environ.get("TOKENTALLY_TEST_FULL"))
MESSAGES = 40  # of one run: two commits or so
STEPS_MAX = 400


class Runs:
    def __init__(self, checks, scene, seed):
        self.checks, self.scene = checks, scene
        self.started_ms = now_ms()
        company = Company(seed, 300, self.started_ms * 1000 - 3 * DAY, self.started_ms * 1000)
        self.messages = Load(company, seed, TOPIC, scene.partitions, 10**6, self.started_ms).messages()
        self.writer = scene.writer()
        self.runs = 0

    def send(self):
        for _ in range(MESSAGES):
            self.writer.send(*next(self.messages))
        self.writer.flush()

    def fired(self, daemon, start):
        return [line for line in daemon.log()[start:].splitlines() if line.startswith("fault:")]

    def run(self, rule):
        """One run with this rule. Returns what fired; all that was sent is counted."""
        daemon = self.scene.daemons["one"]
        start = os.path.getsize(daemon.log_path) if os.path.exists(daemon.log_path) else 0
        self.runs += 1
        self.send()
        daemon.start(ready=False, env={"TOKENTALLY_FAULTS": rule})

        def counted():
            self.revive(daemon)
            return not self.scene.behind()

        wait_for(counted, 60, f"all messages to be counted with {rule}", interval=0.05)
        daemon.wait_handles_signals()
        status = daemon.end()
        if status not in (0, CRASHED):
            raise AssertionError(f"{rule}: exit status {status}: {daemon.last_lines(4)}")
        return self.fired(daemon, start)

    def revive(self, daemon):
        if daemon.process.poll() is not None:
            status, daemon.process = daemon.process.returncode, None
            if status not in (1, CRASHED):
                raise AssertionError(f"exit status {status}: {daemon.last_lines(4)}")
            daemon.start(ready=False)

    def sweep(self, points, action, stride=1):
        """Fails the Nth step that matches, until none is left to fail."""
        number, hit, started = 1 + self.scene.seed % stride, set(), time.monotonic()
        while number <= STEPS_MAX:
            fired = self.run(f"{points}:{action}@{number}")
            if not fired:
                break
            hit.update(line.split()[1] for line in fired)
            number += stride
        self.scene.faults += number // stride
        self.checks.ok(
            stride < number <= STEPS_MAX,
            f"{action} at each step of {points!r}: a run passed clean after {number - 1} of them"
            f" ({len(hit)} different points, {time.monotonic() - started:.0f} s)",
        )
        return hit


def main():
    with Checks("every step fails once") as checks, Scene(checks, seed_from_environment(), partitions=2) as scene:
        scene.daemon("one", **{
            "kafka.group.instance.id": "one", "ingest.flush_interval": "100ms", "kafka.session.timeout.ms": 6000,
            "kafka.heartbeat.interval.ms": 100,
        })
        runs = Runs(checks, scene, scene.seed)
        stride = 1 if FULL else 4
        hit = runs.sweep("*", "abort", stride)
        hit |= runs.sweep("*", "drop", stride)
        hit |= runs.sweep("*", "error", stride)
        for points in ("commit.*", "claim.*", "intern_people.*"):
            for action in ("abort", "drop", "error"):
                hit |= runs.sweep(points, action)
        wanted = {f"{name}.{step}" for name in ("commit", "claim", "intern_people") for step in ("send", "sent", "done")}
        checks.ok(wanted <= hit, "every step of claim, interning and commit was failed", str(sorted(wanted - hit)))
        print(f"# points that fired: {' '.join(sorted(hit))}")
        oracle = Oracle(runs.started_ms * 1000).read(scene.truth_path)
        check_views(checks, scene.database, oracle)
        check_progress(checks, scene.database, scene.broker, oracle, [TOPIC])
        scene.reader.check(checks)
        print(f"# {scene.faults} faults in {runs.runs} runs, {oracle.totals()}")


main()
