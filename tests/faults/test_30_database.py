#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a database can do to a commit (fault table 4 to 14): answers that get lost, commits that get lost, another
server, no space, no slot, no right to write, locks, a server that does not answer.

While the database is in trouble both daemons stay in their group (P8); afterwards the truth is reached.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

import psycopg2

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Scene, wait_for
from checks import Checks, seed_from_environment
from database import Database
from tools import Proxy
from world import GROUP, LOGIN

WORKERS = "application_name LIKE 'tokentally worker%'"


class Trouble:
    """A scene's daemons, and that they live through each trouble in the same group membership."""

    def __init__(self, checks, world):
        self.checks, self.world = checks, world
        self.one, self.two = (world.daemon(name, **world.through_proxy()).start() for name in ("one", "two"))
        world.feeder.go()
        world.wait_stable(2)
        world.wait_progress()

    def begin(self, name):
        self.world.fault(name)
        self.members = self.world.broker.group_members(GROUP)
        self.pids = [daemon.process.pid for daemon in (self.one, self.two)]
        return self.members

    def end(self, name):
        self.world.wait_progress(60, f"commits after: {name}")
        same = [daemon.process.pid for daemon in (self.one, self.two) if daemon.alive()] == self.pids
        stayed = self.world.broker.group_members(GROUP) == self.members
        self.checks.ok(same and stayed, f"{name}: both processes live, stayed in their group, and count again",
                       [f"same processes: {same}, same members: {stayed}", *self.one.last_lines(3)])

    def counted(self, name, **how):
        """All that was sent until now is counted, no more and no less: by the totals."""
        self.world.settle(**how)
        self.checks.ok(not self.world.behind(), f"{name}: all is counted")
        self.world.feeder.go()


def lost_answers(checks, world, trouble):
    """6: the commit was done, its answer never came."""
    name = "answer to a commit lost"
    for number in range(8):
        trouble.begin(name)
        cuts = world.proxy.stats()["cuts"]
        world.proxy.tell("cut-commit", number % 3)
        wait_for(lambda: world.proxy.stats()["cuts"] > cuts, 60, "an answer to be cut")
    trouble.end(name)
    before = [world.metric(daemon, "tokentally_batches_forgotten_total") for daemon in (trouble.one, trouble.two)]
    checks.equal(before, [0, 0], f"{name}: the same batch again answers itself, nothing is read again")


def ambiguous_commits(checks, world, trouble):
    """6: the server itself does not know: it waits for a standby that is not there."""
    name = "commit waits for a standby, then its session is ended"
    trouble.begin(name)
    world.database.query("ALTER SYSTEM SET synchronous_standby_names = 'nosuch'")
    world.database.query("SELECT pg_reload_conf()")
    for _ in range(3):
        rows = wait_for(
            lambda: world.database.query(f"SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND {WORKERS}"),
            60, "a commit that waits", interval=0.05,
        )
        for (pid,) in rows:
            world.database.query("SELECT pg_terminate_backend(%s)", [pid])
            wait_for(
                lambda: not world.database.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid]),
                30, "its end", interval=0.05,
            )
    world.database.query("ALTER SYSTEM RESET synchronous_standby_names")
    world.database.query("SELECT pg_reload_conf()")
    trouble.end(name)


def ended_sessions(checks, world, trouble):
    """5: every 200 ms."""
    name = "sessions ended at random, 40 times"
    trouble.begin(name)
    for _ in range(40):
        world.database.query(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {WORKERS} ORDER BY random() LIMIT 1"
        )
        time.sleep(world.rng.uniform(0, 0.2))  # when the next one is ended
    trouble.end(name)


def read_only(checks, world, trouble):
    """9"""
    name = "read-only"
    trouble.begin(name)
    world.database.query("ALTER SYSTEM SET default_transaction_read_only = on")
    world.database.query("SELECT pg_reload_conf()")
    wait_for(lambda: trouble.one.http("/readyz")[0] != 200, 30, "readyz to tell")
    calls = world.calls()
    time.sleep(1)  # how long it is so
    checks.ok(world.calls() - calls < 3000, f"{name}: commits stop")
    world.database.query("ALTER SYSTEM RESET default_transaction_read_only")
    world.database.query("SELECT pg_reload_conf()")
    trouble.end(name)


def lock_held(checks, world, trouble):
    """11: longer than lock_timeout."""
    name = "table locked"
    trouble.begin(name)
    connection = psycopg2.connect(world.database.superuser())
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE tokentally.usage_hour IN ACCESS EXCLUSIVE MODE")
        time.sleep(14)  # how long it is held; lock_timeout is 10 s
    connection.close()
    trouble.end(name)
    checks.ok("lock timeout" in trouble.one.log() + trouble.two.log(), f"{name}: lock_timeout ended the wait")


def no_slots(checks, world, trouble):
    """13: max_connections used up."""
    name = "no connection left"
    trouble.begin(name)
    held = []
    try:
        while True:
            held.append(world.database.connect())
    except psycopg2.Error:
        pass
    # The slots that come free now are within those that are reserved for superusers.
    held[0].cursor().execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {WORKERS}")
    for daemon in (trouble.one, trouble.two):
        wait_for(lambda: "too many clients" in daemon.log() or "connection slots" in daemon.log(), 30,
                 f"{daemon.name} to be refused")
    for connection in held:
        connection.close()
    trouble.end(name)


def refused_login(checks, world, trouble):
    """13: pg_hba is edited while they run."""
    name = "login refused for a while"
    trouble.begin(name)
    path = f"{world.database.data}/pg_hba.conf"
    with open(path) as file:
        good = file.read()
    with open(path, "w") as file:
        file.write("local all all trust\nhost all all 127.0.0.1/32 reject\n")
    world.database.query("SELECT pg_reload_conf()")
    world.database.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{LOGIN}'")
    for daemon in (trouble.one, trouble.two):
        wait_for(lambda: "pg_hba.conf rejects" in daemon.log() or "no pg_hba.conf entry" in daemon.log(), 30, "the refusal")
    with open(path, "w") as file:
        file.write(good)
    world.database.query("SELECT pg_reload_conf()")
    trouble.end(name)


def half_open(checks, world, trouble):
    """14: nothing comes back any more, the connection stays."""
    name = "half-open connections"
    trouble.begin(name)
    world.proxy.tell("stop")
    time.sleep(3)  # how long the cable is out
    world.proxy.tell("pass")
    trouble.end(name)
    name = "a backend that stands still"
    trouble.begin(name)
    pid = world.database.value(f"SELECT pid FROM pg_stat_activity WHERE {WORKERS} LIMIT 1")
    os.kill(pid, signal.SIGSTOP)
    time.sleep(5)
    os.kill(pid, signal.SIGCONT)
    trouble.end(name)


def injected_deadlock(checks, world, trouble):
    """12: sorted keys make none; one that is raised is a retry."""
    name = "40P01 and 40001 raised in the commit"
    trouble.begin(name)
    world.database.query(
        "CREATE SEQUENCE public.raised; GRANT USAGE ON SEQUENCE public.raised TO PUBLIC;"
        "CREATE FUNCTION public.raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF nextval('public.raised') <= 6 THEN"
        "  RAISE EXCEPTION 'a test' USING ERRCODE = CASE currval('public.raised') % 2 WHEN 0 THEN '40P01' ELSE '40001' END;"
        " END IF; RETURN NULL; END $$;"
        "CREATE TRIGGER raised AFTER INSERT ON tokentally.session_slot FOR EACH STATEMENT EXECUTE FUNCTION public.raise()"
    )
    wait_for(lambda: world.database.value("SELECT last_value FROM public.raised") >= 6, 60, "six of them")
    world.database.query("DROP TRIGGER raised ON tokentally.session_slot; DROP FUNCTION public.raise; DROP SEQUENCE public.raised")
    trouble.end(name)
    deadlocks = world.database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'")
    checks.equal(deadlocks, 0, "no real deadlock between the workers up to here")


def missing_partition(checks, world, trouble):
    """Tables' partitions are gone under the writer: they are made, and the same batch goes through."""
    name = "a missing partition"
    trouble.begin(name)
    world.feeder.pause()
    world.wait_counted()
    world.database.query("CREATE TABLE public.kept AS SELECT * FROM tokentally.latency_minute")
    tables = [row[0] for row in world.database.query(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'tokentally.latency_minute'::regclass")]
    for table in tables:
        world.database.query(f"DROP TABLE {table}")
    world.feeder.go()
    made = wait_for(lambda: world.database.value(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'tokentally.latency_minute'::regclass"), 60, "partitions")
    trouble.end(name)
    checks.ok(made > 0, f"{name}: {len(tables)} dropped, {made} made by the commit that missed them")
    world.database.query(
        "INSERT INTO tokentally.latency_minute SELECT * FROM public.kept ON CONFLICT (bucket, model_id, kind, class)"
        " DO UPDATE SET calls = latency_minute.calls + excluded.calls; DROP TABLE public.kept")


def too_much_time(checks, world, trouble):
    """A batch too large to be committed in time: halved, down to what goes through."""
    name = "commits that run into statement_timeout"
    trouble.begin(name)
    world.database.query(
        "CREATE TABLE public.slow (above int); INSERT INTO public.slow VALUES (40); GRANT SELECT ON public.slow TO PUBLIC;"
        "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF (SELECT count(*) FROM added) > (SELECT above FROM public.slow) THEN"
        "  RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014';"
        " END IF; RETURN NULL; END $$;"
        "CREATE TRIGGER slow AFTER INSERT ON tokentally.session_slot REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION public.slow()"
    )
    try:
        wait_for(lambda: "halved" in metrics_text(trouble) and world.metric(trouble.one, "tokentally_batches_forgotten_total")
                 + world.metric(trouble.two, "tokentally_batches_forgotten_total") > 0, 60, "a batch to be halved")
        world.wait_progress(60, "commits of smaller batches")
    finally:
        world.database.query("DROP TRIGGER slow ON tokentally.session_slot; DROP FUNCTION public.slow; DROP TABLE public.slow")
    trouble.end(name)


def metrics_text(trouble):
    return trouble.one.http("/metrics")[1] + trouble.two.http("/metrics")[1]


def disk_full(checks, world, trouble):
    """10: the tables are in a tablespace of 48 MB, on a tmpfs; it fills up."""
    name = "disk full"
    if os.geteuid() != 0:
        print(f"# {name}: needs root to mount a tmpfs, left out")
        return
    place = f"{world.directory}/small"
    os.makedirs(place)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=777", "tokentally-test", place], check=True)
    try:
        space = f"{place}/space"
        os.makedirs(space)
        shutil.chown(space, "postgres", "postgres")
        database = world.database
        database.query(f"CREATE TABLESPACE small LOCATION '{space}'")
        tables = database.query(
            "SELECT i.inhrelid::regclass::text FROM pg_inherits i WHERE i.inhparent = 'tokentally.usage_hour'::regclass"
        )
        trouble.begin(name)
        for (table,) in tables:
            database.query(f"ALTER TABLE {table} SET TABLESPACE small")
        with open(f"{place}/filler", "wb") as filler:
            try:
                while True:
                    filler.write(b"\0" * 65536)
                    filler.flush()
            except OSError:
                pass
        wait_for(lambda: "53100" in trouble.one.log() + trouble.two.log(), 90, "a commit that finds no space")
        os.unlink(f"{place}/filler")
        trouble.end(name)
        for (table,) in tables:
            database.query(f"ALTER TABLE {table} SET TABLESPACE pg_default")
        database.query("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", place], check=False)


TROUBLES = (
    lost_answers, ambiguous_commits, ended_sessions, read_only, lock_held, no_slots, refused_login, half_open,
    injected_deadlock, missing_partition, too_much_time, disk_full,
)


def main():
    wanted = os.environ.get("TOKENTALLY_TEST_ONLY", "")
    with Checks("the database's faults") as checks, Scene(checks, seed_from_environment(), rate=400) as world:
        trouble = Trouble(checks, world)
        for part in TROUBLES:
            if wanted in part.__name__:
                part(checks, world, trouble)
        world.finish()


main()
