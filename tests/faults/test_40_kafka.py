#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What Kafka can do to its readers (fault table 15 to 24, 28): brokers that go, move and lie; a topic that is not the
same any more. The first half on the mock cluster, which does what it is told; the second on a real broker, because the
mock has no deleted topics and no admin interface.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import GROUP, TOPIC, Scene, wait_for
from checks import Checks, seed_from_environment
from confluent_kafka.admin import AdminClient
from tools import MockBroker
from world import now_ms

FETCH, OFFSETS, METADATA, COORDINATOR, JOIN, HEARTBEAT, SYNC = 1, 2, 3, 10, 11, 12, 14
LOST, NOT_LEADER, NOT_COORDINATOR, ILLEGAL_GENERATION, UNKNOWN_MEMBER, REBALANCING, LOADING = -195, 6, 16, 22, 25, 27, 14


# -- the mock cluster

def members_gone_and_back(checks, world, name):
    """Whatever happened, both daemons live and what was sent is counted."""
    world.wait_progress(90, f"commits after: {name}")
    checks.ok(all(daemon.alive() for daemon in world.daemons.values()), f"{name}: both live and count again")


def brokers_away(checks, world):
    """15: brokers down one after the other, the coordinator moves."""
    tool = world.broker.tool
    for broker in (1, 2, 3):
        world.fault(f"broker {broker} down")
        tool.tell("down", broker)
        time.sleep(world.rng.uniform(0.3, 1.5))  # how long it is away
        tool.tell("up", broker)
        world.fault(f"coordinator to broker {broker}")
        tool.tell("coordinator", GROUP, broker)
    members_gone_and_back(checks, world, "brokers down, coordinator moved")


def leaders_move(checks, world):
    """16"""
    for partition in range(world.partitions):
        world.fault(f"leader of {partition} moves")
        tool = world.broker.tool
        tool.tell("leader", TOPIC, partition, -1)
        time.sleep(0.3)  # how long nobody leads it
        tool.tell("leader", TOPIC, partition, 1 + world.rng.randrange(3))
    members_gone_and_back(checks, world, "partitions without a leader, then with another")


def request_errors(checks, world):
    """17"""
    for api, codes in (
        (FETCH, (NOT_LEADER, LOST, 3, 7)), (HEARTBEAT, (ILLEGAL_GENERATION, UNKNOWN_MEMBER, REBALANCING, NOT_COORDINATOR)),
        (JOIN, (LOADING, NOT_COORDINATOR, UNKNOWN_MEMBER)), (SYNC, (REBALANCING, ILLEGAL_GENERATION)),
        (METADATA, (LOST,)), (COORDINATOR, (15, LOST)), (OFFSETS, (NOT_LEADER, LOST)),
    ):
        for code in codes:
            world.fault(f"request {api} fails with {code}")
            world.broker.tool.tell("error", api, code, world.rng.randint(1, 3))
            time.sleep(world.rng.uniform(0.05, 0.4))  # the next one
    members_gone_and_back(checks, world, "requests of seven kinds fail in 17 ways")


def storm(checks, world):
    """18: members come and go while commits are under way."""
    for number in range(6):
        world.fault("a member comes or goes")
        name = "two" if number % 2 else "three"
        if name in world.daemons and world.daemons[name].alive():
            world.daemons[name].end() if number % 3 else world.daemons[name].kill()
        else:
            world.daemon(name).start(ready=False)
        time.sleep(world.rng.uniform(0.3, 1.5))
    for name in ("two", "three"):
        if name in world.daemons and world.daemons[name].process is None:
            world.daemons[name].start(ready=False)
    members_gone_and_back(checks, world, "a storm of rebalances")


def on_the_mock(checks, seed):
    with Scene(checks, seed, rate=400, broker_class=MockBroker) as world:
        for name in ("one", "two"):
            world.daemon(name, **{"kafka.session.timeout.ms": 3000, "kafka.topic.metadata.refresh.fast.interval.ms": 100}).start()
        world.feeder.go()
        world.wait_progress()
        for part in (brokers_away, leaders_move, request_errors, storm):
            part(checks, world)
        world.finish("mock cluster: ")


# -- a real broker

def event(user, **fields):
    return json.dumps({"time": now_ms() - 1000, "user": user, "model": "m", "output_tokens": 1, **fields}).encode()


def send(world, topic, partition, user, count):
    writer = world.writer()
    for _ in range(count):
        writer.send(topic, partition, event(user), now_ms(), counts=False)
    writer.flush()


def state(world, topic, partition=0):
    rows = world.database.query(
        "SELECT state, next_offset FROM tokentally.ingest_progress WHERE topic = %s AND partition = %s", [topic, partition]
    )
    return rows[0] if rows else None


def counted(world, user):
    return int(world.database.value(
        "SELECT coalesce(sum(calls), 0) FROM tokentally.usage_by_day WHERE user_key = %s", [user]))


def remake(world, topic, partitions=1):
    admin = AdminClient({"bootstrap.servers": world.broker.address, "log_level": 0})
    admin.delete_topics([topic])[topic].result(30)

    def gone():
        return topic not in world.broker.admin().list_topics(timeout=5).topics

    wait_for(gone, 30, f"{topic} to be deleted")

    def created():
        world.broker.create_topic(topic, partitions)
        return True

    wait_for(created, 60, f"{topic} to be created again")


def quarantine(checks, world, topic, name, position, before):
    """That partition stops where it was, with an alarm; the others go on; nothing of the new log is counted."""
    one = world.daemons["one"]
    try:
        wait_for(lambda: state(world, topic)[0] == "quarantined", 60, f"the quarantine of {topic}")
    except Exception as error:
        checks.ok(False, f"{name}: the partition is in quarantine", str(error))
        return
    checks.equal(state(world, topic), ("quarantined", position), f"{name}: the partition stops where it was")
    checks.equal(counted(world, "of the new log"), before, f"{name}: nothing of the new log is counted")
    world.wait_progress()
    checks.ok(one.alive() and one.http("/readyz")[0] != 200, f"{name}: the others go on, readyz tells")
    checks.ok("quarantine" in one.log(), f"{name}: the log tells")
    checks.ok(world.metric(one, "tokentally_partitions_quarantined") > 0, f"{name}: the metric tells")


def accept(checks, world, topic, name, expected):
    done = world.tokentally("offsets", "accept-reset", topic, "0", "--reason", "a test")
    checks.equal(done.returncode, 0, f"{name}: accept-reset: {done.stderr.strip()[-200:]}")
    low, high = world.broker.watermarks(topic)[0]
    wait_for(lambda: state(world, topic) == ("ok", high), 90, f"{topic} to go on")
    checks.equal(counted(world, "of the new log"), expected, f"{name}: after accept-reset the new log is counted once")


def remade(checks, world, restart):
    """20: deleted, created again, and grown past our offset."""
    topic = "remade" if restart else "remade-alive"
    name = f"topic made again{', daemon restarted' if restart else ' under a running daemon'}"
    world.fault(name)
    one = world.daemons["one"]
    wait_for(lambda: state(world, topic) == ("ok", 50), 60, f"50 messages of {topic}")
    before = counted(world, "of the new log")
    if restart:
        checks.equal(one.end(), 0, f"{name}: ends with 0")
    remake(world, topic)
    send(world, topic, 0, "of the new log", 80)
    if restart:
        one.start(ready=False)
    elif state(world, topic)[0] != "quarantined":
        # librdkafka notices a new topic id by itself or not at all (2.0.2 does not): a claim must.
        world.daemon("two").start(ready=False)
        world.wait_stable(2)
        world.daemons.pop("two").kill()
    quarantine(checks, world, topic, name, 50, before)
    accept(checks, world, topic, name, before + 80)


def truncated(checks, world):
    """19, 21: the log ends before our offset: a topic made again and still short, as after an unclean election."""
    name = "log shorter than our offset"
    topic = "short"
    world.fault(name)
    one = world.daemons["one"]
    wait_for(lambda: state(world, topic) == ("ok", 50), 60, f"50 messages of {topic}")
    before = counted(world, "of the new log")
    one.end()
    remake(world, topic)
    send(world, topic, 0, "of the new log", 5)
    one.start(ready=False)
    try:
        wait_for(lambda: state(world, topic)[0] == "quarantined", 60, f"the quarantine of {topic}")
        checks.equal(state(world, topic), ("quarantined", 50), f"{name}: the partition stops where it was")
    except Exception as error:
        checks.ok(False, f"{name}: the partition is in quarantine", str(error))
    checks.equal(counted(world, "of the new log"), before, f"{name}: nothing of the new log is counted")


def on_a_broker(checks, seed):
    with Scene(checks, seed, rate=300) as world:
        topics = ("remade", "remade-alive", "short")
        for topic in topics:
            world.broker.create_topic(topic, 1)
            send(world, topic, 0, "of the old log", 50)
        world.daemon("one", **{"kafka.topics": ",".join((TOPIC, *topics))}).start()
        world.feeder.go()
        world.wait_progress()
        remade(checks, world, restart=True)
        remade(checks, world, restart=False)
        truncated(checks, world)
        world.fault("broker killed and restarted")
        world.broker.kill()
        world.broker.start()
        world.wait_progress(90)
        world.settle()
        checks.equal(counted(world, "of the old log"), 150, "the old logs stay counted once")
        world.feeder.finish()
        world.reader.check(checks, "real broker: ")


def main():
    with Checks("Kafka's faults") as checks:
        seed = seed_from_environment()
        wanted = os.environ.get("TOKENTALLY_TEST_ONLY", "")
        for part in (on_the_mock, on_a_broker):
            if wanted in part.__name__:
                part(checks, seed)


main()
