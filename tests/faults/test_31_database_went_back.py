#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A database that lost commits which the daemon saw succeed (fault table 7 and 8): a crash without synchronous_commit, a
failover to a standby that lags. The row is behind the daemon's memory; it forgets and reads again from the row, and
nothing it remembers of the lost part (positions, event ids, ids of names) may survive.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import TOPIC, Scene, wait_for
from broker import free_port
from checks import Checks, seed_from_environment
from database import Database
from world import LOGIN, PASSWORD, now_ms


class Standby(Database):
    """A streaming copy of another server."""

    def __init__(self, directory, primary):
        self.directory, self.data, self.bin, self.port = directory, f"{directory}/data", primary.bin, free_port()
        with open(f"{primary.data}/pg_hba.conf", "a") as hba:
            hba.write("local replication all trust\n")
        primary.query("SELECT pg_reload_conf()")
        os.makedirs(directory)
        if os.geteuid() == 0:
            import shutil

            shutil.chown(directory, "postgres", "postgres")
        self.run("pg_basebackup", "-D", self.data, "-R", "-c", "fast", "-h", primary.directory, "-p", str(primary.port),
                 "-U", "postgres")
        with open(f"{self.data}/postgresql.conf", "a") as conf:
            conf.write(f"port = {self.port}\nunix_socket_directories = '{directory}'\n")
        self.start()


def new_people(world, number, count=200):
    """Events of people, teams and models that nobody has seen before."""
    now = now_ms()
    for i in range(count):
        event = {"time": now - 1000, "user": f"late-{number}-{i}", "team": f"team-{number}-{i % 7}",
                 "model": f"model-{number}-{i % 5}", "app": f"app-{number}-{i % 3}", "output_tokens": i,
                 "event_id": f"late-{number}-{i}"}
        world.feeder.writer.send(TOPIC, i % world.partitions, json.dumps(event).encode(), now)
    world.feeder.writer.flush()


def total_position(world):
    return int(world.database.value("SELECT sum(next_offset) FROM tokentally.kafka_offset"))


def crash_without_sync(checks, world):
    """7: the server forgets what it has not written."""
    database = world.database
    database.query("ALTER SYSTEM SET synchronous_commit = off")
    database.query("ALTER SYSTEM SET wal_writer_delay = '10s'")
    database.query("ALTER SYSTEM SET wal_writer_flush_after = 0")
    database.query("SELECT pg_reload_conf()")
    lost = 0
    for number in range(8):
        world.fault("crash without synchronous_commit")
        world.feeder.go()
        world.wait_progress()
        world.feeder.pause()
        new_people(world, number, 50)
        world.wait_counted()
        before = total_position(world)
        world.reader.forget_positions()
        database.stop("immediate")
        database.start()
        world.reader.forget_positions()
        lost += total_position(world) < before
        if number % 2:  # without a new message to wake anybody
            world.wait_counted(timeout=60)
    checks.ok(lost > 0, f"crash without synchronous_commit: {lost} of 8 crashes lost commits that had succeeded")
    world.settle()
    for name in ("synchronous_commit", "wal_writer_delay", "wal_writer_flush_after"):
        database.query(f"ALTER SYSTEM RESET {name}")
    database.query("SELECT pg_reload_conf()")
    world.compare("after these crashes: ")


def failover(checks, world, standby):
    """8: the primary dies, the standby that takes over lacks the newest commits and names."""
    world.fault("failover to a standby that lags")
    world.feeder.go()
    world.wait_progress()
    wait_for(lambda: standby.value("SELECT count(*) > 0 FROM pg_stat_wal_receiver"), 30, "the standby to stream")
    standby.query("ALTER SYSTEM SET primary_conninfo = ''")
    standby.query("SELECT pg_reload_conf()")
    wait_for(lambda: not standby.value("SELECT count(*) FROM pg_stat_wal_receiver"), 30, "the standby to lag")
    world.wait_progress()
    world.feeder.pause()
    new_people(world, 100)
    world.wait_counted()
    behind = total_position(world)
    world.reader.forget_positions()
    primary, world.database, world.reader.database = world.database, standby, standby
    primary.stop("immediate")
    standby.run("pg_ctl", "-D", standby.data, "-w", "-s", "promote")
    world.reader.forget_positions()
    checks.ok(total_position(world) < behind, f"failover: the new primary is {behind - total_position(world)} messages behind")
    new_people(world, 101)  # they get the ids that the lost ones had
    world.feeder.go()
    world.wait_progress()
    world.settle()
    orphans = world.database.value(
        "SELECT count(*) FROM tokentally.usage_hour u WHERE NOT EXISTS"
        " (SELECT FROM tokentally.person p WHERE p.id = u.person_id)"
    )
    checks.equal(orphans, 0, "failover: no row belongs to a person that the new primary does not know")


def main():
    with Checks("a database that went back") as checks, Scene(checks, seed_from_environment(), rate=400) as world:
        standby = None
        try:
            standby = Standby(f"{world.directory}/standby", world.database)
            ports = f"{world.database.port},{standby.port}"
            conninfo = f"host=127.0.0.1,127.0.0.1 port={ports} user={LOGIN} password='{PASSWORD}' dbname=postgres"
            daemons = [world.daemon(name, **{"postgres.conninfo": conninfo}).start() for name in ("one", "two")]
            pids = [daemon.process.pid for daemon in daemons]
            crash_without_sync(checks, world)
            failover(checks, world, standby)
            checks.ok(all(daemon.alive() for daemon in daemons) and pids == [d.process.pid for d in daemons],
                      "the same processes lived through all of it")
            went_back = sum(
                float(line.split()[-1]) for daemon in daemons for line in daemon.http("/metrics")[1].splitlines()
                if line.startswith("tokentally_batches_forgotten_total{") and "back" in line
            )
            print(f"# counted as 'database went back': {went_back:.0f}")
            world.finish()
        finally:
            if standby:
                standby.stop("immediate")


main()
