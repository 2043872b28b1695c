# SPDX-License-Identifier: Apache-2.0
"""What every integration script shares: `ok`/`not ok` lines, polling, seeds.

A script is a function body under `with Checks("name") as checks:`. Each check prints one line and is counted
by test.sh; an exception is one more failed check, so a script can never pass by ending early. There is no
sleep as synchronisation anywhere: wait_for() polls a condition and fails with the last thing it saw.
"""

import os
import random
import sys
import time
import traceback

SHOWN = 400  # characters of a value in a message


class Failed(Exception):
    """A condition that was waited for did not come."""


class Checks:
    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.failed = 0
        self.on_failure = []  # called once, in order, after the first failure: print logs

    def __enter__(self):
        print(f"# {self.name}", flush=True)
        return self

    def __exit__(self, kind, error, trace):
        if error is not None and not isinstance(error, SystemExit):
            self.ok(False, f"{self.name}: runs to its end", f"{kind.__name__}: {error}")
            for line in "".join(traceback.format_exception(kind, error, trace)).splitlines():
                print(f"#   {line}")
        print(f"1..{self.passed + self.failed}", flush=True)
        sys.stdout.flush()
        os._exit(1 if self.failed else 0)

    def ok(self, condition, name, detail=None):
        """One check. detail: a text or a list of lines, printed only when it failed."""
        if condition:
            self.passed += 1
            print(f"ok - {name}", flush=True)
            return True
        self.failed += 1
        print(f"not ok - {name}", flush=True)
        lines = detail if isinstance(detail, list) else [detail] if detail else []
        for line in lines:
            print(f"#   {line}", flush=True)
        callbacks, self.on_failure = self.on_failure, []
        for callback in callbacks:
            callback()
        return False

    def equal(self, actual, expected, name):
        return self.ok(actual == expected, name, [f"got      {actual!r}"[:SHOWN], f"expected {expected!r}"[:SHOWN]])


def wait_for(condition, timeout, what, interval=0.1):
    """Polls until condition() is true and returns its value. An exception counts as "not yet"."""
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except Exception as error:  # a server that is just restarting
            last = f"{type(error).__name__}: {error}".strip()
        if time.monotonic() >= deadline:
            raise Failed(f"waited {timeout} s for {what}; last seen: {last}")
        time.sleep(interval)


def seed_from_environment(default=None):
    """TOKENTALLY_TEST_SEED repeats a run; otherwise each run has its own. Always printed."""
    text = os.environ.get("TOKENTALLY_TEST_SEED")
    seed = int(text) if text else default if default is not None else random.SystemRandom().randrange(1 << 32)
    print(f"# seed {seed} (TOKENTALLY_TEST_SEED={seed} repeats it)", flush=True)
    return seed
