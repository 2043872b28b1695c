# SPDX-License-Identifier: Apache-2.0
"""A broker, a database and daemons for one integration script; all of it gone at the end.

Everything lives in one directory under TMPDIR; TOKENTALLY_TEST_KEEP=1 keeps it. Only processes that were started here
are ended, by their own handles.
"""

import os
import shutil
import tempfile
import time

from broker import Broker
from checks import Failed, wait_for
from daemon import PRIVACY_KEY, Daemon, run_command, write_config
from database import Database
from truth import Writer

LOGIN, PASSWORD = "tally_login", "a password"
GROUP = "tokentally"
TOPIC = "calls"


class World:
    def __init__(self, checks, migrate=True, broker_class=Broker):
        self.checks = checks
        self.broker_class = broker_class
        self.daemons = {}
        self.broker = self.database = None
        self.wants_migrate = migrate

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="tokentally-it-")
        os.chmod(self.directory, 0o755)
        self.truth_path = f"{self.directory}/truth.jsonl"
        self.checks.on_failure.append(self.print_logs)
        try:
            self.broker = self.broker_class(f"{self.directory}/kafka").start()
            self.database = Database(f"{self.directory}/pg").start()
            self.admin_config = f"{self.directory}/admin.conf"
            write_config(self.admin_config, self.settings(**{"postgres.conninfo": self.database.superuser()}))
            if self.wants_migrate:
                self.migrate()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            self.print_logs()
        for daemon in self.daemons.values():
            daemon.kill()
        if self.broker:
            self.broker.kill()
        if self.database:
            self.database.stop("immediate")
        if os.environ.get("TOKENTALLY_TEST_KEEP"):
            print(f"# kept: {self.directory}")
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    def print_logs(self):
        for daemon in self.daemons.values():
            if os.path.exists(daemon.log_path):
                for line in daemon.last_lines(8):
                    print(f"#   {daemon.name}: {line[:300]}")

    def migrate(self, dbname="postgres"):
        config = f"{self.directory}/migrate-{dbname}.conf"
        write_config(config, self.settings(**{"postgres.conninfo": self.database.superuser(dbname)}))
        done = run_command("migrate", config=config)
        if done.returncode:
            raise Failed(f"tokentally migrate: {done.returncode} {done.stderr.strip()[-500:]}")
        if not self.database.value("SELECT count(*) FROM pg_roles WHERE rolname = %s", [LOGIN]):
            self.database.query(f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{PASSWORD}' IN ROLE tokentally_ingest")
            for role in ("reader", "people", "admin"):
                self.database.query(f"CREATE ROLE {role}_login LOGIN PASSWORD '{PASSWORD}' IN ROLE tokentally_{role}")

    def settings(self, **changed):
        """A configuration that is quick to react: short sessions and commits, titles only by hand."""
        return {
            "kafka.topics": TOPIC,
            "kafka.group.id": GROUP,
            "kafka.bootstrap.servers": self.broker.address,
            "kafka.session.timeout.ms": 6000,
            "kafka.heartbeat.interval.ms": 500,
            "kafka.topic.metadata.refresh.interval.ms": 1000,
            "kafka.reconnect.backoff.max.ms": 500,
            "postgres.conninfo": self.database.login(LOGIN, PASSWORD),
            "ingest.flush_interval": "300ms",
            "ingest.workers": 1,
            "titles.enabled": "false",
            "privacy.key": PRIVACY_KEY,
            **changed,
        }

    def daemon(self, name="one", **changed):
        """A daemon, not yet started. changed: settings as {"section.key": value}."""
        self.daemons[name] = Daemon(self.directory, name, self.settings(**changed))
        return self.daemons[name]

    def writer(self, **config):
        return Writer(self.broker, self.truth_path, **config)

    def behind(self, topics=(TOPIC,), leave_out=()):
        """Partitions whose next_offset is not yet the high watermark: [] when all is counted."""
        rows = self.database.query("SELECT topic, partition, next_offset FROM tokentally.ingest_progress")
        done = {row[:2]: row[2] for row in rows}
        return [
            f"{topic}/{partition}: {done.get((topic, partition))} of {high}"
            for topic in topics
            for partition, (_, high) in self.broker.watermarks(topic).items()
            if (topic, partition) not in leave_out and done.get((topic, partition)) != high
        ]

    def wait_counted(self, topics=(TOPIC,), timeout=120, leave_out=()):
        """Until every message of the topics is counted."""
        seen = []

        def counted():
            seen[:] = self.behind(topics, leave_out)
            return not seen

        try:
            wait_for(counted, timeout, "all messages to be counted", interval=0.3)
        except Failed as error:
            raise Failed(f"{error}; behind: {seen[:6]}") from None

    def calls(self):
        return int(self.database.value("SELECT coalesce(sum(calls), 0) FROM tokentally.usage_by_team_hour"))

    def tokentally(self, *args, config=None):
        """A command as superuser of the database."""
        return run_command(*args, config=config or self.admin_config)


def now_ms():
    return time.time_ns() // 10**6
