# SPDX-License-Identifier: Apache-2.0
"""Measures `tokentally run` from an empty database to the high watermarks; started by bench_ingest.sh.

The bare loop runs before and after the daemon, so that both meet the same machine. CPU is that of /proc: the daemon's
process, and all processes of the PostgreSQL server together (checkpoints and vacuum included). The database has fsync
on and 1 GB of shared buffers; the daemon has its defaults, but for titles, which are off.
"""
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

from checks import Failed
from daemon import BINARY, PRIVACY_KEY, Daemon
from world import GROUP, LOGIN, PASSWORD, TOPIC, World

PARTITIONS = 4
POSTGRES = """
fsync = on
full_page_writes = on
shared_buffers = 1GB
max_wal_size = 8GB
max_connections = 60
track_functions = pl
"""
TICKS = os.sysconf("SC_CLK_TCK")
ROWS = """
SELECT regexp_replace(t.relname, '_[p0-9].*$', ''), sum(n_tup_ins + n_tup_upd)::bigint, sum(n_live_tup)::bigint,
       (100 * sum(n_tup_hot_upd) / nullif(sum(n_tup_upd), 0))::int
FROM pg_stat_user_tables t WHERE schemaname = 'tokentally' GROUP BY 1 ORDER BY 2 DESC
"""
FUNCTIONS = """
SELECT funcname, calls, self_time / 1e3 FROM pg_stat_user_functions WHERE schemaname = 'tokentally' ORDER BY 3 DESC LIMIT 6
"""


def stat(pid):
    """(parent, CPU seconds of the process, CPU seconds of its ended children); None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    user, system, child_user, child_system = (int(field) for field in fields[11:15])
    return int(fields[1]), (user + system) / TICKS, (child_user + child_system) / TICKS


def server_cpu(postmaster):
    found = [stat(pid) for pid in os.listdir("/proc") if pid.isdigit()]
    own = stat(postmaster)
    return own[1] + own[2] + sum(one[1] for one in found if one and one[0] == postmaster)


def peak_mb(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) / 1e3 for line in file if line.startswith("VmHWM"))


def postmaster_of(database):
    with open(f"{database.data}/postmaster.pid") as file:
        return int(file.readline())


def start_database_anew(database):
    database.stop()
    with open(f"{database.data}/postgresql.conf", "a") as conf:
        conf.write(POSTGRES)
    database.start()


def bare(world, events):
    done = subprocess.run(["bench_bare", world.broker.address, TOPIC, str(PARTITIONS), str(events)], check=True,
                          capture_output=True, text=True, timeout=600)
    _, wall, cpu, peak = (float(word) for word in done.stdout.split())
    print(f"| bare loop | {events / wall / 1e3:.0f} | {cpu * 1e6 / events:.2f} | | {peak:.0f} | | |", flush=True)


def make_daemon(world):
    given = dict(pair.split("=", 1) for pair in os.environ.get("BENCH_SET", "").split())
    world.daemons["bench"] = daemon = Daemon(world.directory, "bench", {
        "kafka.topics": TOPIC, "kafka.group.id": GROUP, "kafka.bootstrap.servers": world.broker.address,
        "postgres.conninfo": world.database.login(LOGIN, PASSWORD), "privacy.key": PRIVACY_KEY,
        "titles.enabled": "false", **given})
    return daemon


def wait_counted(daemon, cursor, events):
    """Seconds from the start until 95 % and all messages were committed."""
    start, most = time.monotonic(), None
    while True:
        cursor.execute("SELECT coalesce(sum(next_offset), 0) FROM tokentally.kafka_offset")
        done, now = cursor.fetchone()[0], time.monotonic() - start
        if most is None and done >= 0.95 * events:
            most = now
        if done >= events:
            return most, now
        if not daemon.alive() or now > 900:
            raise Failed(f"{done} of {events} after {now:.0f} s: {daemon.last_lines(5)}")
        time.sleep(0.1)


def ingest(world, events):
    daemon, postmaster = make_daemon(world), postmaster_of(world.database)
    connection = world.database.connect()
    cursor = connection.cursor()
    cursor.execute("CHECKPOINT")
    cursor.execute("SELECT pg_current_wal_insert_lsn()")
    lsn, before = cursor.fetchone()[0], server_cpu(postmaster)
    daemon.start(ready=False)
    most, total = wait_counted(daemon, cursor, events)
    own, peak, server = stat(daemon.process.pid)[1], peak_mb(daemon.process.pid), server_cpu(postmaster) - before
    cursor.execute("SELECT pg_current_wal_insert_lsn() - %s", [lsn])
    wal = float(cursor.fetchone()[0])
    if daemon.end():
        raise Failed(f"the daemon failed: {daemon.last_lines(5)}")
    cursor.execute(FUNCTIONS)
    functions = cursor.fetchall()
    cursor.execute(ROWS)
    rows = cursor.fetchall()
    written = sum(row[1] for row in rows)
    print(f"| tokentally | {0.95 * events / most / 1e3:.0f} | {own * 1e6 / events:.2f} | {server * 1e6 / events:.2f} "
          f"| {peak:.0f} | {written / events:.2f} | {wal / events:.0f} |", flush=True)
    connection.close()
    return rows, functions, total


def print_details(world, events, rows, functions, total):
    calls = int(world.calls())
    print(f"\n{events} events committed {total:.1f} s after the start of the process; {calls} calls are counted.\n")
    print("| table | rows written/event | rows at the end | updates in their page |\n|---|---|---|---|")
    for name, written, live, hot in (row for row in rows if row[1] >= events / 1000):
        print(f"| {name} | {written / events:.3f} | {live} | {'' if hot is None else f'{hot} %'} |")
    print("\n| function | calls | s/M events |\n|---|---|---|")
    for name, count, seconds in functions:
        print(f"| {name} | {count} | {seconds * 1e6 / events:.2f} |")
    if calls != events:
        raise Failed(f"{calls} calls of {events} are counted")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    events = int(sys.argv[1])
    with World(SimpleNamespace(on_failure=[]), migrate=False) as world:
        start_database_anew(world.database)
        world.broker.create_topic(TOPIC, PARTITIONS)
        first_ms = (int(time.time()) // 3600 - 1) * 3600000 + 300000  # 1,000 s within the hour before this one
        subprocess.run(["bench_producer", world.broker.address, TOPIC, str(PARTITIONS), str(events), str(first_ms)],
                       check=True, timeout=600)
        print("| | k events/s | CPU s/M events, ours | CPU s/M events, PostgreSQL | peak MB | rows written/event | WAL B/event |")
        print("|---|---|---|---|---|---|---|", flush=True)
        bare(world, events)
        if not os.access(BINARY, os.X_OK):
            print(f"\nno daemon at {BINARY}: only the bare loop was measured")
            return
        world.migrate()
        rows, functions, total = ingest(world, events)
        bare(world, events)
        print_details(world, events, rows, functions, total)


main()
