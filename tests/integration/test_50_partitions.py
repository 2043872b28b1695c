#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What happens to partitions: rebalances and restarts with duplicates, aborted transactions, an added partition,
`ingest.start`, records that expired under us, and the way out of a quarantine."""

import json
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from company import Company
from compare import check_progress, check_views
from oracle import DAY, Oracle
from truth import Load
from world import GROUP, TOPIC, World, now_ms

HOUR_MS = 3600000


def event(now, user, **fields):
    return json.dumps({"time": now - 1000, "user": user, "model": "gpt-5", "output_tokens": 1, **fields}).encode()


def settled(world, members):
    wait_for(
        lambda: world.broker.group_state(GROUP) == "Stable" and len(world.broker.group_members(GROUP)) == members,
        60,
        f"a stable group of {members}",
    )


def rebalances(checks, world, seed, now):
    """A load full of duplicates while members come and go; each change in the middle of it."""
    company = Company(seed, 200, now * 1000 - 3 * DAY, now * 1000)
    messages = list(Load(company, seed, TOPIC, 4, 16000, now).messages())
    writer = world.writer()
    one, two, three = (world.daemon(name, **{"ingest.workers": 1}) for name in ("one", "two", "three"))
    steps = [one.start, two.start, three.start, two.end, lambda: two.start(), one.end, three.kill, lambda: one.start()]
    size = len(messages) // len(steps) + 1
    statuses = []
    for number, step in enumerate(steps):
        for message in messages[number * size : (number + 1) * size]:
            writer.send(*message)
        statuses.append(step())
    writer.flush()
    checks.equal([status for status in statuses if isinstance(status, int)], [0, 0], "members that leave end with 0")
    world.wait_counted()
    return one, two


def is_reading(daemon):
    """Its last word about partitions is that it reads them: the group is stable before the claim is through."""
    words = [line for line in daemon.log().splitlines() if re.search(r"partitions (lost|given back)|assigned \d|claimed \d", line)]
    return bool(words) and re.search(r"claimed [1-9]\d* partitions", words[-1])


def sleep_through(world, sleeper, writer, now, pause_in_outage):
    """pause_in_outage: a commit was begun and waits for PostgreSQL; it is sent at once after waking up."""
    world.wait_counted()
    wait_for(lambda: is_reading(sleeper), 30, f"{sleeper.name} to read")
    for number in range(400):
        writer.send(TOPIC, number % 4, event(now, "counted once"), now)
    writer.flush()
    if pause_in_outage:
        said = len(sleeper.log())
        world.database.stop("immediate")
        wait_for(lambda: "step=commit" in sleeper.log()[said:], 30, "a commit that cannot be made")
    else:
        time.sleep(0.7)  # about when it was read and not yet committed
    sleeper.process.send_signal(signal.SIGSTOP)
    if pause_in_outage:
        world.database.start()
    world.wait_counted()
    sleeper.process.send_signal(signal.SIGCONT)


def sleepers(checks, world, now):
    """A process is stopped past its session with events in memory; another one counts them; then it wakes up (P4)."""
    one, two = world.daemons["one"], world.daemons["two"]
    for daemon in (one, two):
        daemon.end()
        daemon.start("ingest.flush_interval=2s", "kafka.session.timeout.ms=2000")
    writer = world.writer()
    for sleeper in (one, two):
        settled(world, 2)
        sleep_through(world, sleeper, writer, now, pause_in_outage=False)
        settled(world, 2)
        sleep_through(world, sleeper, writer, now, pause_in_outage=True)
    settled(world, 2)
    world.wait_counted()
    calls = world.database.value("SELECT sum(calls) FROM tokentally.usage_by_day WHERE user_key = 'counted once'")
    checks.equal(int(calls), 1600, "a process that slept through its takeover changes nothing when it wakes up")
    for daemon in (one, two):
        checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0")
        daemon.start()


def exact_window(checks, world, now):
    """The dedupe window to the millisecond, across a restart of all daemons."""
    base = now - 20 * HOUR_MS
    times = [("w", 0), ("x", 1), ("w", HOUR_MS), ("x", HOUR_MS + 2), ("y", HOUR_MS + 3)]
    late = [("x", 2 * HOUR_MS + 2), ("y", 2 * HOUR_MS + 3), ("w", 2 * HOUR_MS + 4)]
    writer = world.writer()
    for event_id, after in times:
        writer.send(TOPIC, 1, event(now, "window", event_id=event_id), base + after)
    writer.flush()
    world.wait_counted()
    for daemon in list(world.daemons.values())[:2]:
        checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0")
        daemon.start()
    for event_id, after in late:
        writer.send(TOPIC, 1, event(now, "window", event_id=event_id), base + after)
    writer.flush()
    world.wait_counted()
    calls = world.database.value("SELECT sum(calls) FROM tokentally.usage_by_day WHERE user_key = 'window'")
    checks.equal(int(calls), 5, "an hour is within the window, a millisecond more is not, across restarts")


def transactions(checks, world, now):
    writer = world.writer(transactional_id="truth")
    producer = writer.producer
    producer.init_transactions(30)
    for round_number, commits in enumerate((True, False, True, False)):
        producer.begin_transaction()
        for number in range(200):
            writer.send(TOPIC, number % 4, event(now, "kept" if commits else "aborted"), now, counts=commits)
        writer.flush()
        (producer.commit_transaction if commits else producer.abort_transaction)(30)
    world.wait_counted()
    rows = dict(
        world.database.query(
            "SELECT user_key, sum(calls)::int FROM tokentally.usage_by_day"
            " WHERE user_key IN ('kept', 'aborted') GROUP BY 1"
        )
    )
    checks.equal(rows, {"kept": 400}, "aborted transactions are not counted, progress passes their control records")


def added_partition(checks, world, now):
    """ingest.start = latest is for a new topic; a partition added later starts at its first message."""
    for daemon in list(world.daemons.values())[:2]:
        daemon.end()
    world.broker.create_topic("late", 1)
    writer = world.writer()
    for number in range(50):
        writer.send("late", 0, event(now, "before the start"), now, counts=False)
    writer.flush()
    one = world.daemons["one"]
    one.write({"kafka.topics": f"{TOPIC}, late", "ingest.start": "latest"})
    one.start()
    wait_for(
        lambda: world.database.query(
            "SELECT 1 FROM tokentally.ingest_progress WHERE topic = 'late'" " AND next_offset = 50"
        ),
        60,
        "the claim of topic late",
    )
    writer.send("late", 0, event(now, "after the start"), now)
    world.broker.add_partitions("late", 3)
    for number in range(30):
        writer.send("late", 1 + number % 2, event(now, "added"), now)
    writer.flush()
    world.wait_counted(topics=(TOPIC, "late"))
    rows = dict(
        world.database.query(
            "SELECT user_key, sum(calls)::int FROM tokentally.usage_by_day"
            " WHERE user_key ~ 'start$|^added$' GROUP BY 1"
        )
    )
    checks.equal(
        rows, {"after the start": 1, "added": 30}, "latest for a new topic, first message for an added partition"
    )


def state_of(world, partition):
    return world.database.query(
        "SELECT state, next_offset FROM tokentally.ingest_progress WHERE topic = %s AND partition = %s",
        [TOPIC, partition],
    )[0]


def expired_records(checks, world, now):
    """Records deleted before they were read: that partition stops with an alarm, the others go on."""
    one = world.daemons["one"]
    checks.equal(one.end(), 0, "the daemon ends with 0")
    writer = world.writer()
    for number in range(40):
        writer.send(
            TOPIC, number % 4, event(now, "expired" if number % 4 == 2 else "others"), now, counts=number % 4 != 2
        )
    writer.flush()
    before = state_of(world, 2)[1]
    low = world.broker.watermarks(TOPIC)[2][1]
    world.broker.delete_records_before(TOPIC, 2, low)
    one.start(ready=False)
    wait_for(lambda: state_of(world, 2)[0] == "quarantined", 60, "the quarantine of partition 2")
    world.wait_counted(topics=(TOPIC, "late"), leave_out=((TOPIC, 2),))
    checks.equal(state_of(world, 2), ("quarantined", before), "expired records: the partition stops where it was")
    checks.ok(one.alive() and one.http("/readyz")[0] != 200, "the daemon lives and says that it is not ready")
    shown = world.tokentally("offsets", "show")
    checks.ok(shown.returncode == 0 and "quarantined" in shown.stdout, "tokentally offsets show tells it", shown.stderr)
    accept(checks, world, one, writer, now, low)


def accept(checks, world, one, writer, now, low):
    done = accept_reset(world)
    checks.equal(done.returncode, 0, f"tokentally offsets accept-reset: {done.stderr.strip()[-200:]}")
    writer.send(TOPIC, 2, event(now, "after the reset"), now)
    writer.flush()
    try:
        world.wait_counted(topics=(TOPIC, "late"), timeout=40)
        checks.ok(True, "the partition goes on after accept-reset")
    except Exception as error:
        checks.ok(False, "the partition goes on after accept-reset, without a restart", str(error))
        one.end()
        one.start()
        world.wait_counted(topics=(TOPIC, "late"))
    checks.ok(wait_for(one.is_ready, 30, "ready"), "ready again")
    changes = world.database.query("SELECT old_offset, new_offset, changed_by FROM tokentally.offset_change")
    checks.ok(any(row[1] >= low and row[2] for row in changes), "the change of next_offset is recorded", str(changes))


def accept_reset(world):
    """As the administrator would type it after `tokentally help offsets`."""
    return world.tokentally("offsets", "accept-reset", TOPIC, "2", "--reason", "records expired")


def main():
    with Checks("partitions") as checks, World(checks) as world:
        seed = seed_from_environment()
        now = now_ms()
        world.broker.create_topic(TOPIC, 4)
        rebalances(checks, world, seed, now)
        for part in (sleepers, exact_window, transactions, added_partition, expired_records):
            part(checks, world, now)
        oracle = Oracle(now * 1000).read(world.truth_path)
        print(f"# oracle: {oracle.totals()}")
        check_views(checks, world.database, oracle)
        check_progress(checks, world.database, world.broker, oracle, [TOPIC, "late"])


main()
