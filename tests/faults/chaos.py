# SPDX-License-Identifier: Apache-2.0
"""Faults at random, from a seed: what can be broken while two daemons (and now and then a third) count.

Each method of Chaos whose name starts with do_ is one fault; it leaves the world so that it can go on (a stopped process
is continued, a stopped server started), but not necessarily at once.
"""

import os
import signal
import time

import psycopg2

from harness import CRASHED, SESSION_MS

BACKENDS = "SELECT pid FROM pg_stat_activity WHERE usename = 'tally_login' ORDER BY pid"


class Chaos:
    def __init__(self, scene):
        self.scene, self.rng = scene, scene.rng
        self.names = ("one", "two")
        self.to_continue = []  # (when, pid) of stopped processes

    def start(self):
        for name in self.names:
            self.scene.daemon(name, **self.scene.through_proxy()).start()
        return self

    def kinds(self):
        return sorted(name[3:] for name in dir(self) if name.startswith("do_"))

    def fault(self, kind):
        self.scene.fault(kind)
        getattr(self, f"do_{kind}")()
        self.tend()

    def tend(self, all_of_them=False):
        """Continues who was stopped long enough, and starts who has ended, as systemd would."""
        now = time.monotonic()
        for item in list(self.to_continue):
            if all_of_them or item[0] <= now:
                self.to_continue.remove(item)
                self.signal(item[1], signal.SIGCONT)
        self.scene.revive()

    def heal(self):
        """Faults end here."""
        self.tend(all_of_them=True)
        self.scene.proxy.tell("pass")
        if "three" in self.scene.daemons:
            self.scene.daemons.pop("three").kill()
        for daemon in self.scene.daemons.values():  # away with fault points that are still to fire
            daemon.kill()
            daemon.start(ready=False)

    @staticmethod
    def signal(pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    def some_daemon(self):
        return self.scene.daemons[self.rng.choice(self.names)]

    def pause(self, low=0.0, high=1.0):
        time.sleep(self.rng.uniform(low, high))  # how long it is broken

    def stop_process(self, pid, seconds):
        self.signal(pid, signal.SIGSTOP)
        self.to_continue.append((time.monotonic() + seconds, pid))

    # -- the process

    def do_kill(self):
        daemon = self.some_daemon()
        self.pause(0, 0.4)
        daemon.kill()
        daemon.start(ready=False)

    def do_stop_short(self):
        """SIGSTOP within the session timeout."""
        self.stop_process(self.some_daemon().process.pid, self.rng.uniform(0.1, 0.7))

    def do_stop_long(self):
        """SIGSTOP beyond it: a zombie comes back."""
        self.stop_process(self.some_daemon().process.pid, self.rng.uniform(1.2, 3) * SESSION_MS / 1000)

    def do_term(self):
        daemon = self.some_daemon()
        if any(pid == daemon.process.pid for _, pid in self.to_continue):
            return
        daemon.wait_handles_signals()
        if not daemon.alive():
            return
        status = daemon.end()
        if status not in (0, CRASHED):
            self.scene.given_up.append((daemon.name, f"{status} at SIGTERM", daemon.last_lines(3)))
        daemon.start(ready=False)

    def do_hup(self):
        self.signal(self.some_daemon().process.pid, signal.SIGHUP)

    def do_points(self):
        """A daemon with random faults at every point, until it is killed by the next fault of that kind."""
        daemon = self.some_daemon()
        daemon.kill()
        seed = self.rng.randrange(1 << 31)
        rules = f"seed={seed},*:drop@~60,*.send:error@~40,*.done:error@~40,*:abort@~300,*:sleep=300@~80"
        daemon.start(ready=False, env={"TOKENTALLY_FAULTS": rules})

    def do_member(self):
        """A third one comes or goes: a rebalance."""
        if "three" in self.scene.daemons:
            daemon = self.scene.daemons.pop("three")
            daemon.end() if daemon.alive() and self.rng.random() < 0.7 else daemon.kill()
        else:
            self.scene.daemon("three", **self.scene.through_proxy()).start(ready=False)

    # -- the way to the database

    def do_cut(self):
        self.scene.proxy.tell("cut", int(10 ** self.rng.uniform(1, 6)))

    def do_cut_commit(self):
        self.scene.proxy.tell("cut-commit", self.rng.randrange(4))

    def do_reset(self):
        self.scene.proxy.tell("reset")

    def do_delay(self):
        self.scene.proxy.tell("delay", self.rng.choice([1, 5, 20]))
        self.pause(0.5, 2)
        self.scene.proxy.tell("delay", 0)

    def do_half_open(self):
        self.scene.proxy.tell("stop")
        self.pause(0.5, 4)
        if self.rng.random() < 0.5:
            self.scene.proxy.tell("reset")
        self.scene.proxy.tell("pass")

    def do_refuse(self):
        self.scene.proxy.tell("refuse")
        self.scene.proxy.tell("reset")
        self.pause(0.3, 2)
        self.scene.proxy.tell("pass")

    # -- the database

    def do_database(self):
        """kill -9 of the server, or a fast restart."""
        self.tend(all_of_them=True)  # a stopped backend would never end
        self.scene.database.stop(self.rng.choice(["immediate", "immediate", "fast"]))
        self.pause(0, 1.5)
        self.scene.database.start()

    def backend(self):
        rows = self.scene.database.query(BACKENDS)
        return self.rng.choice(rows)[0] if rows else None

    def do_terminate(self):
        for _ in range(5):
            pid = self.backend()
            if pid:
                self.scene.database.query("SELECT pg_terminate_backend(%s)", [pid])
            self.pause(0, 0.2)

    def do_cancel(self):
        for _ in range(5):
            pid = self.backend()
            if pid:
                self.scene.database.query("SELECT pg_cancel_backend(%s)", [pid])
            self.pause(0, 0.2)

    def do_backend_stop(self):
        pid = self.backend()
        if pid:
            self.stop_process(pid, self.rng.uniform(0.5, 4))

    def do_lock(self):
        """Somebody's DDL or VACUUM FULL."""
        table = self.rng.choice(["usage_minute", "usage_hour", "person", "kafka_offset", "session_slot"])
        connection = psycopg2.connect(self.scene.database.superuser())
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
                cursor.execute(f"LOCK TABLE tokentally.{table} IN ACCESS EXCLUSIVE MODE")
                self.pause(0.5, 2)
        except psycopg2.Error:
            pass  # we did not get it
        finally:
            connection.close()

    def do_read_only(self):
        scene = self.scene
        scene.database.query("ALTER SYSTEM SET default_transaction_read_only = on")
        scene.database.query("SELECT pg_reload_conf()")
        self.pause(0.5, 2)
        scene.database.query("ALTER SYSTEM RESET default_transaction_read_only")
        scene.database.query("SELECT pg_reload_conf()")

    # -- Kafka

    def do_broker(self):
        self.scene.broker.end(self.rng.choice([signal.SIGKILL, signal.SIGTERM]))
        self.pause(0, 1)
        self.scene.broker.start()

    def do_broker_stop(self):
        self.stop_process(self.scene.broker.process.pid, self.rng.uniform(0.3, 3))

