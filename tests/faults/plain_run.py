#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Start, load, reload, stop: no fault, for tools that look at the daemon from inside (valgrind, sanitizers)."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Scene
from checks import Checks, seed_from_environment


def main():
    with Checks("start, load, stop") as checks, Scene(checks, seed_from_environment(), rate=300) as world:
        # Slow under valgrind: sessions as long as in production.
        settings = {"kafka.session.timeout.ms": 30000, "ingest.stop_timeout": "60s", "titles.enabled": "true"}
        one = world.daemon("one", **settings).start(ready=False)
        one.wait_ready(120)
        world.feeder.go()
        for _ in range(5):
            world.wait_progress(120)
        one.process.send_signal(signal.SIGHUP)
        world.settle(timeout=300)
        checks.equal(one.end(timeout=120), 0, "it ends with 0: no error, nothing lost on the way")
        world.finish()


main()
