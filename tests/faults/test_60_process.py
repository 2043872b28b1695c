#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What can happen to the process itself (fault table 29 to 33): limits of the system, stop signals at bad moments, a log
that nobody reads, a loop that hangs, two title runs at once.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import CRASHED, Scene, wait_for
from checks import Checks, seed_from_environment
from daemon import BINARY

STOP_TIMEOUT, MARGIN = 5, 4


def few_descriptors(checks, world, one):
    """29: ulimit -n too small to work with: a clean error or a daemon that is not ready, and nothing lost."""
    one.kill()
    command = f"ulimit -n 24; exec {BINARY} run -c {one.config}"
    world.fault("ulimit -n 24")
    with open(one.log_path, "ab") as log:
        process = subprocess.Popen(["sh", "-c", command], stdout=log, stderr=log, start_new_session=True)
    time.sleep(4)  # how long it tries
    status = process.poll()
    process.kill()
    process.wait(10)
    checks.ok(status in (None, 0, 1, 78), f"24 descriptors: no crash (status {status})", one.last_lines(3))
    one.start()
    world.wait_progress()


def no_memory(checks, world, one):
    """29: malloc fails, at several sizes: the process ends by its own word, and starts again without a loss."""
    one.kill()
    ends = []
    for megabytes in (40, 80, 120, 160, 200, 250, 300):
        world.fault(f"RLIMIT_AS {megabytes} MB")

        def limit(size=megabytes << 20):
            resource.setrlimit(resource.RLIMIT_AS, (size, size))

        with open(one.log_path, "ab") as log:
            process = subprocess.Popen(
                [BINARY, "run", "-c", one.config], stdout=log, stderr=log, start_new_session=True, preexec_fn=limit
            )
        time.sleep(1)  # how long it tries
        ends.append(process.poll())
        process.kill()
        process.wait(10)
    checks.ok(all(end in (None, 0, 1, 78, 127, -signal.SIGABRT) for end in ends) and ends[0] is not None,
              f"no memory: it ends by its own word ({ends})", one.last_lines(3))
    one.start()
    world.wait_progress()


def stop_in_time(checks, daemon, name, signals=(signal.SIGTERM,)):
    started = time.monotonic()
    for number in signals[:-1]:
        daemon.process.send_signal(number)
    status = daemon.end(signals[-1])
    took = time.monotonic() - started
    checks.ok(status == 0 and took <= STOP_TIMEOUT + MARGIN, f"{name}: exit 0 within stop_timeout ({took:.1f} s)",
              [f"status {status}", *daemon.last_lines(3)])


def stops(checks, world, one):
    """30: SIGTERM while a commit is held up, twice, with HUP between; at every point of the way out."""
    for point in ("commit.sent", "claim.sent", "intern_people.sent"):
        world.fault(f"SIGTERM while {point} takes 60 s")
        one.kill()
        start = os.path.getsize(one.log_path)
        one.start(ready=False, env={"TOKENTALLY_FAULTS": f"{point}:sleep=60000@1"})
        wait_for(lambda: "fault:" in one.log()[start:], 60, point)
        stop_in_time(checks, one, f"SIGTERM while {point} hangs")
        one.start(ready=False)
    world.wait_progress()
    world.fault("SIGHUP and two SIGTERM")
    stop_in_time(checks, one, "SIGHUP, SIGTERM, SIGTERM", (signal.SIGHUP, signal.SIGTERM, signal.SIGTERM))
    for point in ("revoke.before", "revoke.after", "close.before", "close.after"):
        world.fault(f"crash at {point}")
        one.start(env={"TOKENTALLY_FAULTS": f"{point}:abort@1"})
        world.wait_stable(1)
        world.wait_progress()
        status = one.end()
        checks.ok(status in (0, CRASHED), f"crash at {point} on the way out ({status})")
    one.start()
    world.wait_progress()


def log_stuck(checks, world, one):
    """32: stderr is a pipe that is full and nobody reads."""
    one.kill()
    world.fault("stderr is a full pipe")
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 65536)
    except BlockingIOError:
        pass
    os.set_blocking(writing, True)
    one.write({"log.level": "debug"})
    process = subprocess.Popen([BINARY, "run", "-c", one.config], stdout=writing, stderr=writing, start_new_session=True)
    one.process = process
    world.wait_progress(60, "commits without a log")
    wait_for(lambda: world.metric(one, "tokentally_log_dropped_total") > 0, 30, "dropped lines to be counted")
    checks.ok(True, "log that nobody reads: it counts on, and counts the lines it dropped")
    stop_in_time(checks, one, "log that nobody reads, SIGTERM")
    os.close(reading)
    os.close(writing)
    one.write({"log.level": "info"})
    one.start()
    world.wait_progress()


def watchdog(checks, world, one):
    """31: a loop that hangs does not feed the watchdog; one that turns does."""
    path = f"{world.directory}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        os.chmod(path, 0o777)
        listener.settimeout(0.2)
        fed = []
        ended = threading.Event()

        def listen():
            while not ended.is_set():
                try:
                    if b"WATCHDOG=1" in listener.recv(4096):
                        fed.append(time.monotonic())
                except socket.timeout:
                    pass

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        one.kill()
        start = os.path.getsize(one.log_path)
        env = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000", "TOKENTALLY_FAULTS": "kafka_commit:sleep=9000@8"}
        one.start(env=env)
        wait_for(lambda: len(fed) >= 1, 30, "the watchdog to be fed")
        checks.ok(True, "a loop that turns feeds the watchdog")
        world.fault("the loop hangs for 9 s")
        wait_for(lambda: "fault: kafka_commit sleep" in one.log()[start:], 60, "the loop to hang")
        hangs = time.monotonic()
        wait_for(lambda: "fault: kafka_commit slept" in one.log()[start:], 60, "the loop to turn again", interval=0.05)
        late = [at for at in fed if hangs + 2 < at < time.monotonic() - 0.3]
        checks.ok(not late, f"a loop that hangs does not feed it ({len(late)} times)")
        wait_for(lambda: fed and fed[-1] > hangs + 9, 30, "the watchdog to be fed again")
        ended.set()
        thread.join(5)
    one.kill()
    one.start()
    world.wait_progress()


def two_title_runs(checks, world, one):
    """33: title runs at once, one of them killed: one run an hour, and all or nothing."""
    world.fault("four title runs at once, two killed")
    hour = time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(time.time() - 3600))
    command = [BINARY, "titles", "-c", world.admin_config, "--as-of", hour]
    runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(4)]
    time.sleep(0.05)  # when two of them die
    for run in runs[:2]:
        run.kill()
    statuses = [run.wait(60) for run in runs]
    # The server ends a statement without its client: the run of a killed process may go on, and all others are told so.
    wait_for(lambda: world.database.value(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%recompute_titles%'"
        " AND pid <> pg_backend_pid()") == 0, 60, "runs without a client to end")
    again = world.tokentally("titles", "--as-of", hour)
    checks.equal(again.returncode, 0, f"titles after a crash: {again.stderr.strip()[-200:]}")
    stored = world.database.value("SELECT count(*) FROM tokentally.title_run WHERE finished_at IS NOT NULL")
    half = world.database.value("SELECT count(*) FROM tokentally.title_run WHERE finished_at IS NULL")
    checks.equal((stored, half), (1, 0), f"four runs at once, two killed ({statuses}): one run is stored, none half")


def main():
    wanted = os.environ.get("TOKENTALLY_TEST_ONLY", "")
    with Checks("the process's faults") as checks, Scene(checks, seed_from_environment(), rate=300) as world:
        one = world.daemon("one", **{"ingest.stop_timeout": f"{STOP_TIMEOUT}s"}).start()
        world.feeder.go()
        world.wait_progress()
        for part in (few_descriptors, no_memory, stops, log_stuck, watchdog, two_title_runs):
            if wanted in part.__name__:
                part(checks, world, one)
        world.finish()


main()
