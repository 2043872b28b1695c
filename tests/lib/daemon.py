# SPDX-License-Identifier: Apache-2.0
"""One `tokentally` process under test: its configuration file, its start, its end, its HTTP port."""

import os
import signal
import subprocess
import urllib.error
import urllib.request

from broker import free_port
from checks import Failed, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("TOKENTALLY") or f"{ROOT}/daemon/tokentally"
STOP_TIMEOUT = 20  # ingest.stop_timeout, the contract's default
PRIVACY_KEY = "a key for tests only, 32 bytes+++"


def write_config(path, settings):
    """settings: {"section.key": value}; the first dot parts section and key."""
    sections = {}
    for name, value in settings.items():
        section, key = name.split(".", 1)
        sections.setdefault(section, []).append(f"{key} = {value}")
    with open(path, "w") as out:
        for section, lines in sections.items():
            out.write(f"[{section}]\n" + "\n".join(lines) + "\n\n")
    os.chmod(path, 0o600)


def run_command(*args, config=None, timeout=120, env=None, binary=BINARY):
    """Runs `tokentally ARGS` to its end: CompletedProcess with text output."""
    command = [binary, *args] + (["-c", config] if config else [])
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env={**os.environ, **(env or {})})


class Daemon:
    def __init__(self, directory, name, settings):
        self.name = name
        self.port = free_port()
        self.config = f"{directory}/{name}.conf"
        self.log_path = f"{directory}/{name}.log"
        self.settings = {**settings, "http.listen": f"127.0.0.1:{self.port}", "kafka.client.id": name}
        self.binary = BINARY
        self.process = None
        self.write()

    def write(self, changed=None):
        """Writes the configuration file again. changed: {"section.key": value}."""
        self.settings.update(changed or {})
        write_config(self.config, self.settings)

    def start(self, *overrides, ready=True, env=None):
        with open(self.log_path, "ab") as log:
            self.log_start = log.tell()
            command = [self.binary, "run", "-c", self.config]
            for override in overrides:
                command += ["-o", override]
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        if ready:
            self.wait_ready()
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def http(self, path):
        """(status, body); (None, error) when it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return None, str(error)

    def is_ready(self):
        if not self.alive():
            raise Failed(f"{self.name} ended with {self.process.returncode}: {self.last_lines(3)}")
        return self.http("/readyz")[0] == 200

    def wait_ready(self, timeout=60):
        wait_for(self.is_ready, timeout, f"{self.name} to be ready")
        return self

    def kill(self):
        """kill -9: a normal stop (P6)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def end(self, how=signal.SIGTERM, timeout=STOP_TIMEOUT + 40):
        """Sends a signal and returns the exit status; negative: ended by a signal."""
        self.process.send_signal(how)
        return self.wait(timeout)

    def wait(self, timeout):
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not end within {timeout} s; log: {self.last_lines(5)}") from None
        self.process = None
        return status

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def wait_handles_signals(self):
        """Until it does, or has ended: before its first line a signal ends it as it ends any process."""
        wait_for(
            lambda: not self.alive() or " starting" in self.log()[self.log_start :], 60, f"{self.name} to start"
        )

    def last_lines(self, count):
        return self.log().splitlines()[-count:]
