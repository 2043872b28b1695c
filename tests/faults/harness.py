# SPDX-License-Identifier: Apache-2.0
"""What the fault scripts share: a world under steady load with a reader that never stops looking, and the truth at
its end. A scene is: start, break something, let it heal, compare every row of every view with the oracle.
"""

import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from broker import Broker
from checks import Failed, wait_for
from company import Company
from compare import check_progress, check_views
from oracle import DAY, Oracle
from snapshot import Reader
from tools import Proxy
from truth import Load
from world import GROUP, TOPIC, World, now_ms

PARTITIONS = 6
SESSION_MS = 2000
CRASHED = 134  # exit status of an injected abort (daemon/fault.c)
LIVELY = 90  # seconds within which the truth must be reached once faults have ended
SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")


class Feeder(threading.Thread):
    """Sends the messages of one made-up company after the other, `rate` records a second, until stopped."""

    def __init__(self, world, seed, rate, partitions=PARTITIONS, topic=TOPIC):
        super().__init__(daemon=True)
        self.seed, self.rate, self.topic, self.partitions = seed, rate, topic, partitions
        self.started_ms = now_ms()
        self.writer = world.writer()
        self.going = threading.Event()
        self.idle = threading.Event()
        self.ending = False
        self.error = None

    def messages(self):
        number = 0
        while True:
            company = Company(self.seed + number, 500, self.started_ms * 1000 - 3 * DAY, self.started_ms * 1000)
            # Ids of another company: the same event must not come again beyond what Load itself repeats.
            company.ids = iter(range(number * 10**9, (number + 1) * 10**9))
            yield from Load(company, self.seed + number, self.topic, self.partitions, 20000, self.started_ms).messages()
            number += 1

    def run(self):
        try:
            for count, message in enumerate(self.messages()):
                if not self.going.is_set():
                    self.writer.flush()
                    self.idle.set()
                    self.going.wait()
                    self.idle.clear()
                if self.ending:
                    break
                self.writer.send(*message)
                if count % 20 == 0:
                    time.sleep(50 / self.rate)  # a message has 2.5 records on average: a pace, not a condition
        except Exception as error:
            self.error = error
            self.idle.set()

    def go(self):
        self.going.set()

    def pause(self):
        """All that was sent is in Kafka and in the truth file."""
        self.going.clear()
        if not self.idle.wait(120) or self.error:
            raise Failed(f"the feeder: {self.error or 'does not come to rest'}")

    def finish(self):
        self.pause()
        self.ending = True
        self.going.set()
        self.join(60)


class Scene(World):
    def __init__(self, checks, seed, rate=800, broker_class=Broker, partitions=PARTITIONS):
        super().__init__(checks, broker_class=broker_class)
        self.seed, self.rate, self.partitions = seed, rate, partitions
        self.rng = random.Random(seed)
        self.feeder = self.reader = self.proxy = None
        self.faults = 0
        self.given_up = []  # exit statuses of daemons that ended by themselves and should not have

    def __enter__(self):
        super().__enter__()
        try:
            if self.broker_class is Broker:
                self.broker.create_topic(TOPIC, self.partitions)
            self.proxy = Proxy(self.database.port)
            self.feeder = Feeder(self, self.seed, self.rate, self.partitions)
            self.feeder.start()
            self.reader = Reader(self.database)
            self.reader.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        if self.reader:
            self.reader.stopped.set()
        for daemon in self.daemons.values():  # a stopped process would not see a TERM, but does see a KILL
            daemon.kill()
        if self.proxy:
            self.proxy.kill()
        super().__exit__(kind, error, trace)

    def settings(self, **changed):
        return super().settings(**{"kafka.session.timeout.ms": SESSION_MS, **changed})

    def through_proxy(self):
        """Settings of a daemon that reaches PostgreSQL by the fault proxy."""
        conninfo = self.settings()["postgres.conninfo"].replace(f"port={self.database.port}", f"port={self.proxy.port}")
        return {"postgres.conninfo": conninfo}

    def fault(self, text):
        self.faults += 1
        if os.environ.get("TOKENTALLY_TEST_VERBOSE"):
            print(f"# {time.strftime('%H:%M:%S')} fault {self.faults}: {text}", flush=True)

    def calls_when_there(self):
        """calls(), of a server that may just be restarting or have a table locked."""
        return wait_for(lambda: [self.calls()], 60, "the database")[0]

    def wait_progress(self, timeout=60, what="commits go on"):
        before = self.calls_when_there()
        wait_for(lambda: self.calls() > before, timeout, what)

    def wait_stable(self, members, timeout=60):
        wait_for(
            lambda: self.broker.group_state(GROUP) == "Stable" and len(self.broker.group_members(GROUP)) == members,
            timeout,
            f"a stable group of {members}",
        )

    def revive(self, env=None):
        """What systemd does: starts again who has ended, unless the exit status says that it is of no use."""
        for daemon in self.daemons.values():
            if daemon.process is not None and daemon.process.poll() is not None:
                status, daemon.process = daemon.process.returncode, None
                if status not in (0, 1, CRASHED, -signal.SIGKILL):
                    self.given_up.append((daemon.name, status, daemon.last_lines(3)))
                daemon.start(ready=False, env=env)

    def owners(self):
        """{(topic, partition): (owner, epoch)} of all positions."""
        rows = self.database.query("SELECT topic, partition, owner_id::text, owner_epoch FROM tokentally.kafka_offset")
        return {row[:2]: row[2:] for row in rows}

    def owner_backends(self, name):
        """{(topic, partition)} that a daemon's present connections own."""
        return {
            row[:2]
            for row in self.database.query(
                "SELECT k.topic, k.partition FROM tokentally.kafka_offset k JOIN pg_stat_activity a"
                " ON a.pid = k.owner_pid AND a.backend_start = k.owner_backend_start WHERE a.application_name = %s",
                [name],
            )
        }

    def metric(self, daemon, name):
        """Sum of a metric over its labels."""
        lines = daemon.http("/metrics")[1].splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def settle(self, timeout=LIVELY, leave_out=()):
        """No faults any more: everything sent is counted."""
        self.feeder.pause()
        self.wait_counted(timeout=timeout, leave_out=leave_out)

    def compare(self, label=""):
        """The truth, to the last column of the last row. The load stands still."""
        oracle = Oracle(self.feeder.started_ms * 1000).read(self.truth_path)
        check_views(self.checks, self.database, oracle, label)
        check_progress(self.checks, self.database, self.broker, oracle, [TOPIC], label)
        return oracle

    def sanitizer_reports(self):
        """Lines of the daemons' logs, for builds that have sanitizers."""
        words = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer", "ERROR SUMMARY: ")
        logs = [f"{self.directory}/{name}" for name in os.listdir(self.directory) if name.endswith(".log")]
        found = []
        for path in logs:
            with open(path, errors="replace") as log:
                lines = log.read().splitlines()
            for number, line in enumerate(lines):
                if any(word in line for word in words) and "ERROR SUMMARY: 0 errors" not in line:
                    found += [f"{os.path.basename(path)}: {part.strip()}" for part in lines[number : number + 12]]
        return found

    def finish(self, label="", compare=True):
        """Settles, compares, and says the figures."""
        self.settle()
        self.feeder.finish()
        self.checks.ok(not self.given_up, f"{label}no daemon ended in a way that a restart cannot mend", str(self.given_up))
        found = self.sanitizer_reports()
        self.checks.ok(not found, f"{label}no sanitizer had anything to say", found[:10])
        oracle = self.compare(label) if compare else None
        self.reader.check(self.checks, label)
        totals = oracle.totals() if oracle else {"accepted": self.calls()}
        print(
            f"# {label}{self.faults} faults, {totals['accepted']} events counted, {totals.get('dead', 0)} dead letters,"
            f" {totals.get('duplicate', 0)} duplicates, {self.reader.samples} snapshots",
            flush=True,
        )
        return oracle
