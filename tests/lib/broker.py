# SPDX-License-Identifier: Apache-2.0
"""A real Kafka broker (KRaft, one node) on 127.0.0.1, in a directory of its own.

The jars are those of tests/lib/kafka/pom.xml; test.sh fetches them into KAFKA_LIBS. start() after stop() or kill()
brings the same broker back on the same port with its data.
"""

import glob
import os
import signal
import socket
import subprocess
import uuid

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from checks import Failed, wait_for

JVM = [
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
]

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={directory}/log
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=3
message.max.bytes=33554432
socket.request.max.bytes=67108864
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def jars():
    cache = os.environ.get("XDG_CACHE_HOME") or "/var/tmp"
    directory = os.environ.get("KAFKA_LIBS") or f"{cache}/tokentally-tests/kafka-4.3.1"
    if not glob.glob(f"{directory}/kafka_2.13-*.jar"):
        raise Failed(f"no Kafka in {directory}: ./test.sh fetches it")
    return f"{directory}/*"


class Broker:
    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = None
        os.makedirs(directory)
        self.properties = f"{directory}/server.properties"
        with open(self.properties, "w") as out:
            out.write(PROPERTIES.format(port=self.port, controller=free_port(), directory=directory))
        # A killed JVM leaves what it unpacked: in our directory, then.
        self.jvm = ["java", *JVM, f"-Djava.io.tmpdir={directory}", "-cp", jars()]
        self.java("kafka.tools.StorageTool", "format", "-t", uuid.uuid4().hex[:22], "-c", self.properties)

    def java(self, main, *args):
        """Runs one of Kafka's own tools to its end."""
        done = subprocess.run([*self.jvm, main, *args], capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise Failed(f"{main}: {(done.stderr or done.stdout).strip()[-500:]}")
        return done.stdout

    def start(self):
        self.log = open(f"{self.directory}/stderr", "ab")
        self.process = subprocess.Popen(
            [*self.jvm, "kafka.Kafka", self.properties],
            stdout=self.log,
            stderr=self.log,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
        wait_for(self.answers, 60, f"Kafka on {self.address} (log: {self.directory}/stderr)")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise Failed(f"Kafka ended with {self.process.returncode}")
        return self.admin().list_topics(timeout=1).brokers

    def end(self, how):
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(60)
        self.process = None
        self.log.close()

    def stop(self):
        self.end(signal.SIGTERM)

    def kill(self):
        self.end(signal.SIGKILL)

    def admin(self):
        return AdminClient({"bootstrap.servers": self.address, "log_level": 0})

    def create_topic(self, name, partitions, **config):
        config = {key.replace("_", "."): str(value) for key, value in config.items()}
        admin = self.admin()  # must outlive the answer
        done = admin.create_topics([NewTopic(name, partitions, 1, config=config)])
        done[name].result(30)
        wait_for(lambda: self.partitions(name) == partitions, 30, f"topic {name}")

    def delete_topic(self, name):
        admin = self.admin()
        admin.delete_topics([name])[name].result(30)
        wait_for(lambda: name not in self.admin().list_topics(timeout=5).topics, 30, f"the end of topic {name}")

    def add_partitions(self, name, total):
        admin = self.admin()
        admin.create_partitions([NewPartitions(name, total)])[name].result(30)
        wait_for(lambda: self.partitions(name) == total, 30, f"{total} partitions of {name}")

    def partitions(self, name):
        topic = self.admin().list_topics(name, timeout=5).topics[name]
        return 0 if topic.error else len(topic.partitions)

    def watermarks(self, name):
        """{partition: (low, high)}; high counts control records of transactions too."""
        return wait_for(lambda: self.watermarks_now(name), 30, f"watermarks of {name}")

    def watermarks_now(self, name):
        consumer = Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": "watermarks",
                "log_level": 0,
                "isolation.level": "read_uncommitted",
            }
        )
        try:
            return {
                part: consumer.get_watermark_offsets(TopicPartition(name, part), timeout=10)
                for part in range(self.partitions(name))
            }
        finally:
            consumer.close()

    def group_members(self, group):
        """{member id: client id} of a consumer group as the broker sees it now."""
        groups = self.admin().list_groups(group, timeout=10)
        return {member.id: member.client_id for found in groups for member in found.members}

    def group_state(self, group):
        groups = self.admin().list_groups(group, timeout=10)
        return groups[0].state if groups else None

    def delete_records_before(self, name, partition, offset):
        path = f"{self.directory}/delete.json"
        with open(path, "w") as out:
            out.write(
                '{"version":1,"partitions":[{"topic":"%s","partition":%d,"offset":%d}]}' % (name, partition, offset)
            )
        self.java(
            "org.apache.kafka.tools.DeleteRecordsCommand",
            "--bootstrap-server",
            self.address,
            "--offset-json-file",
            path,
        )
