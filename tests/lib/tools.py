# SPDX-License-Identifier: Apache-2.0
"""The C tools of tests/tools as objects: they are steered by lines on their standard input and answer each."""

import os
import subprocess

from broker import Broker
from checks import Failed, wait_for
from daemon import BINARY

TOOLS = os.environ.get("TOKENTALLY_TOOLS") or os.path.join(os.path.dirname(os.path.dirname(BINARY)), "tests", "tools")


class Tool:
    def __init__(self, name, *args):
        path = os.path.join(TOOLS, name)
        if not os.path.exists(path):
            raise Failed(f"no {path}: make tests/tools/{name}")
        self.process = subprocess.Popen(
            [path, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.first_line = self.process.stdout.readline().strip()

    def tell(self, *words):
        """Sends a command and returns the words after "ok"."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if answer[:1] != ["ok"]:
            raise Failed(f"{words}: {' '.join(answer)}")
        return answer[1:]

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait(30)
            self.process = None


class Proxy(Tool):
    """Between a daemon and PostgreSQL; see tests/tools/faultproxy.c."""

    def __init__(self, port):
        super().__init__("faultproxy", "127.0.0.1", port)
        self.port = int(self.first_line)

    def stats(self):
        return dict(zip(("connections", "bytes", "commits", "cuts"), map(int, self.tell("stats"))))


class MockBroker(Broker):
    """librdkafka's mock cluster: three brokers, errors on demand; a second to start. No admin interface."""

    def __init__(self, directory, brokers=3):
        os.makedirs(directory)
        self.directory, self.brokers = directory, brokers
        self.process = self.tool = None
        self.counts = {}

    def start(self, topic="calls", partitions=6):
        self.tool = Tool("mockbroker", "-e", "-b", self.brokers, "-t", topic, "-p", partitions)
        self.address = self.tool.first_line
        self.counts[topic] = partitions
        wait_for(lambda: self.admin().list_topics(timeout=2).brokers, 30, "the mock cluster")
        return self

    def partitions(self, name):
        return self.counts[name]

    def kill(self):
        if self.tool:
            self.tool.kill()
            self.tool = None
