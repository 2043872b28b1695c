# SPDX-License-Identifier: Apache-2.0
"""The producer: writes messages to given partitions with given timestamps, and what it wrote to a truth file.

A line of the truth file is {"topic", "partition", "offset", "ts", "value"}: the raw bytes in base64, null for a
tombstone; the offset is the one the broker acknowledged. The oracle reads nothing else.
"""

import base64
import json
import random
import time

from confluent_kafka import KafkaError, KafkaException, Producer

from bad_messages import bad_messages
from checks import Failed


class Writer:
    def __init__(self, broker, path, **config):
        self.path = path
        self.file = open(path, "a")
        self.errors = []
        self.sent = 0
        self.producer = Producer(
            {
                "bootstrap.servers": broker.address,
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 5,
                "message.max.bytes": 30000000,
                "queue.buffering.max.kbytes": 200000,
                "log_level": 0,
                "topic.metadata.refresh.interval.ms": 1000,
                **{key.replace("_", "."): value for key, value in config.items()},
            }
        )

    def send(self, topic, partition, value, time_ms, counts=True):
        """counts=False: not part of the truth (an aborted transaction)."""

        def delivered(error, message):
            if error:
                self.errors.append(str(error))
            elif counts:
                self.file.write(
                    json.dumps(
                        {
                            "topic": topic,
                            "partition": partition,
                            "offset": message.offset(),
                            "ts": time_ms,
                            "value": None if value is None else base64.b64encode(value).decode(),
                        }
                    )
                    + "\n"
                )

        deadline = time.monotonic() + 30
        while True:
            try:
                self.producer.produce(topic, value, partition=partition, timestamp=time_ms, on_delivery=delivered)
                break
            except BufferError:
                self.producer.poll(0.1)
            except KafkaException as error:  # a partition that was just added
                if error.args[0].code() != KafkaError._UNKNOWN_PARTITION or time.monotonic() > deadline:
                    raise
                self.producer.poll(0.1)
        self.sent += 1
        if self.sent % 100 == 0:
            self.producer.poll(0)

    def flush(self):
        left = self.producer.flush(60)
        self.file.flush()
        if left or self.errors:
            raise Failed(f"producer: {left} messages not sent, errors: {self.errors[:3]}")


class Load:
    """Messages of a Company over several partitions: singles, arrays, NDJSON, duplicates, bad ones between.

    Kafka timestamps go over the last two hours and a half. Duplicates stay within 50 minutes of the counted one, ids
    that come again after the window stay more than 70 minutes away: jitter moves neither across the border.
    """

    JITTER_MS = 30000
    NEAR_MS, FAR_MS = 50 * 60000, 70 * 60000
    SPAN_MS = 150 * 60000

    def __init__(self, company, seed, topic, partitions, events, now_ms, bad=0.004):
        self.company = company
        self.rng = random.Random(seed + 1)
        self.topic, self.partitions, self.events = topic, partitions, events
        self.now_ms = now_ms
        self.bad = bad
        self.bad_values = [value for _, value, _ in bad_messages(now_ms) if value is None or len(value) < 100000]
        self.known = [[] for _ in range(partitions)]  # [(clock in ms, JSON text)] of events with an id

    def messages(self):
        """(topic, partition, value, Kafka timestamp) until `events` records are out."""
        rng, made = self.rng, 0
        while made < self.events:
            progress = made / self.events
            clock = self.now_ms - self.SPAN_MS + int(progress * (self.SPAN_MS - self.JITTER_MS))
            partition = rng.randrange(self.partitions)
            time_ms = clock + rng.randint(-self.JITTER_MS, self.JITTER_MS)
            if rng.random() < self.bad:
                yield self.topic, partition, rng.choice(self.bad_values), time_ms
                continue
            luck = rng.random()
            size = 1 if luck < 0.7 else rng.randint(1, 12)
            records = [self.record(partition, clock, progress) for _ in range(size)]
            made += size
            yield self.topic, partition, self.pack(records, luck), time_ms

    def record(self, partition, clock, progress):
        known, rng = self.known[partition], self.rng
        if known and rng.random() < 0.03:
            place = rng.randrange(len(known))
            then, text = known[place]
            if clock - then < self.NEAR_MS:
                return text
            if clock - then > self.FAR_MS:
                known[place] = (clock, text)
                return text
        event_id, text = self.company.event(progress)
        if event_id and rng.random() < 0.2:
            known.append((clock, text))
        return text

    def pack(self, records, luck):
        rng = self.rng
        if luck < 0.7:
            text = records[0] + rng.choice(["", "", "\n", "  \r\n"])
        elif luck < 0.85:
            text = "[" + rng.choice([",", ", ", ",\n"]).join(records) + "]"
        else:
            text = rng.choice(["\n", "\r\n", "\n\n \n"]).join(records) + rng.choice(["", "\n"])
        return text.encode()
