# SPDX-License-Identifier: Apache-2.0
"""Ingest beside titles_bench.sh, which starts and ends it: a Kafka, a daemon on the bench's database (titles off, all else
its defaults) and RATE events/s of now, from people of the bench. Makes the file "flowing" when the first are committed;
at SIGTERM says how many were and how long the slowest waited for its commit.

    titles_ingest.py RATE PEOPLE DIRECTORY SOCKET_DIRECTORY
"""
import collections
import json
import random
import signal
import sys
import time

import psycopg2
from broker import Broker
from confluent_kafka import Producer
from daemon import PRIVACY_KEY, Daemon

PARTITIONS = 4


class Stop(Exception):
    pass


def stop(*_):
    raise Stop


def event(rng, number, people):
    user = rng.randrange(1, people + 1)
    return json.dumps({
        "time": time.time_ns() // 10**6, "event_id": f"titles-bench-{number:020d}", "user": f"user{user}",
        "team": f"team{user % 200 + 1}", "app": "chat", "provider": f"provider{number % 6}", "model": f"model-{number % 40 + 1}",
        "session": f"{user} {number % 3}", "input_tokens": rng.randrange(4000), "cache_read_tokens": rng.randrange(9000),
        "output_tokens": rng.randrange(1, 2000), "duration_ms": rng.randrange(300, 20000), "cost_usd": 0.0125,
    }, separators=(",", ":")).encode()


class Load:
    """Sends at a rate, and looks how far the commits are behind."""

    def __init__(self, broker, rate, people):
        self.producer = Producer({"bootstrap.servers": broker.address, "linger.ms": 5, "compression.type": "lz4",
                                  "log_level": 0})
        self.rate, self.people, self.rng = rate, people, random.Random(1)
        self.start = time.monotonic()
        self.sent = self.done = 0
        self.when = collections.deque()  # (seconds, sent until then)
        self.slowest = 0.0

    def send_due(self):
        due = int((time.monotonic() - self.start) * self.rate)
        while self.sent < due:
            self.producer.produce("calls", event(self.rng, self.sent, self.people), partition=self.sent % PARTITIONS)
            self.sent += 1
        self.producer.poll(0)
        self.when.append((time.monotonic(), self.sent))

    def look(self, cursor):
        cursor.execute("SELECT coalesce(sum(next_offset), 0) FROM tokentally.kafka_offset")
        self.done = int(cursor.fetchone()[0])
        while self.when and self.when[0][1] <= self.done:
            self.when.popleft()
        if self.when and self.done:
            self.slowest = max(self.slowest, time.monotonic() - self.when[0][0])


def main():
    rate, people, directory, socket = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    signal.signal(signal.SIGTERM, stop)
    broker = daemon = load = None
    try:
        broker = Broker(f"{directory}/kafka").start()
        broker.create_topic("calls", PARTITIONS)
        daemon = Daemon(directory, "ingest", {
            "kafka.topics": "calls", "kafka.group.id": "bench", "kafka.bootstrap.servers": broker.address,
            "postgres.conninfo": f"host={socket} user=bench dbname=postgres", "privacy.key": PRIVACY_KEY,
            "titles.enabled": "false"}).start()
        cursor = psycopg2.connect(f"host={socket} user=postgres dbname=postgres", application_name="bench").cursor()
        cursor.connection.autocommit = True
        load = Load(broker, rate, people)
        while True:
            load.send_due()
            if len(load.when) % 20 == 0:
                load.look(cursor)
                if load.done > rate:
                    open(f"{directory}/flowing", "w").close()
            time.sleep(0.01)  # the rate, not a condition
    except Stop:
        load.look(cursor)
        seconds = time.monotonic() - load.start
        print(f"beside it: {load.sent / seconds:.0f} events/s sent for {seconds:.0f} s, {load.done / seconds:.0f} events/s committed, "
              f"the slowest {load.slowest:.1f} s after it was sent", flush=True)
        if not daemon.alive():
            sys.exit(f"the daemon ended: {daemon.last_lines(5)}")
    finally:
        if daemon:
            daemon.kill()
        if broker:
            broker.kill()


main()
