#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A rolling upgrade, under load: the schema first, while daemons of the version before go on, then the daemons one by one,
some of them killed. The next version is this one with a migration more (tests/tools/002-10-next.sql).
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import psycopg2

from harness import Scene, wait_for
from checks import Checks, Failed, seed_from_environment
from daemon import run_command
from tools import TOOLS

NEXT = f"{TOOLS}/tokentally-next"
MIGRATING = (
    "SELECT pid FROM pg_stat_activity WHERE query LIKE '%%LOCK TABLE kafka_offset%%' AND wait_event_type = 'Lock'"
    " AND pid <> pg_backend_pid()"
)
BACKENDS_OF = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"


def versions(world):
    return world.database.value("SELECT max(version) FROM tokentally.schema_migration")


def next_before_migrate(checks, world):
    """The next version's daemon on this version's schema: no start, nothing consumed."""
    daemon = world.daemon("early")
    daemon.binary = NEXT
    daemon.start(ready=False)
    status = daemon.wait(30)
    checks.equal(status, 78, f"a newer program refuses an older schema: {daemon.last_lines(1)}")
    checks.ok("tokentally migrate" in daemon.log(), "it says that migrate is to be run")
    del world.daemons["early"]


def killed_migration(checks, world):
    """kill -9 of a migration that waits for its locks: nothing of it stays."""
    holder = psycopg2.connect(world.database.superuser())
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE tokentally.usage_minute IN ROW EXCLUSIVE MODE")
    command = [NEXT, "migrate", "-c", world.admin_config]
    migration = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pid = wait_for(lambda: world.database.query(MIGRATING), 30, "the migration to wait for its locks")[0][0]
    world.fault("a migration is killed")
    migration.kill()
    migration.wait(30)
    world.database.query("SELECT pg_terminate_backend(%s)", [pid])
    wait_for(lambda: world.database.value(BACKENDS_OF % pid) == 0, 30, "its session to end")
    holder.close()
    checks.equal(versions(world), 1, "a killed migration leaves the version as it was")
    world.wait_progress()


def migrate(checks, world):
    """While both daemons count."""
    done = run_command("migrate", config=world.admin_config, binary=NEXT)
    checks.equal(done.returncode, 0, f"migrate while daemons run: {done.stderr.strip()[-200:]}")
    checks.equal(versions(world), 2, "the schema has the next version")
    for daemon in world.daemons.values():
        checks.ok(daemon.alive(), f"{daemon.name} of the version before goes on")
    world.wait_progress(what="commits go on after the migration")
    done = run_command("migrate", config=world.admin_config)
    checks.equal(done.returncode, 78, "the version before does not migrate a newer schema")


def replace(checks, world, name, how):
    """One daemon of the version before is restarted, then replaced; the other goes on."""
    daemon = world.daemons[name]
    world.fault(f"{name} is killed")
    daemon.kill()
    daemon.start()
    world.wait_progress(what=f"{name}, started again on the next schema, to count")
    world.fault(f"{name} is replaced by the next version")
    how(daemon)
    daemon.binary = NEXT
    daemon.start()
    world.wait_stable(2)
    world.wait_progress(what="both versions to count")
    checks.ok(all(each.alive() for each in world.daemons.values()), f"{name} is of the next version, both count")


def end(daemon):
    status = daemon.end()
    if status != 0:
        raise Failed(f"{daemon.name} ended with {status} at SIGTERM: {daemon.last_lines(3)}")


def main():
    with Checks("rolling upgrade") as checks, Scene(checks, seed_from_environment()) as world:
        if not os.access(NEXT, os.X_OK):
            raise Failed(f"no {NEXT}: make tests/tools/tokentally-next")
        for name in ("one", "two"):
            world.daemon(name).start()
        world.feeder.go()
        world.wait_stable(2)
        world.wait_progress()
        next_before_migrate(checks, world)
        killed_migration(checks, world)
        migrate(checks, world)
        replace(checks, world, "one", end)
        replace(checks, world, "two", lambda daemon: daemon.kill())
        world.finish()


main()
