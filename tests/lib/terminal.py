# SPDX-License-Identifier: Apache-2.0
"""`tokentally` on a terminal: a pty of a given width, with no variable that speaks of colours but those given."""

import fcntl
import os
import pty
import struct
import subprocess
import termios

from daemon import BINARY


class Terminal:
    def __init__(self, args, config, columns=100, **env):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        clean = {key: value for key, value in os.environ.items() if key not in ("TERM", "NO_COLOR", "COLORTERM")}
        self.process = subprocess.Popen(
            [BINARY, *args, "-c", config], stdin=slave, stdout=slave, stderr=slave, env={**clean, **env}
        )
        os.close(slave)

    def finish(self):
        """All that was written, and the exit status."""
        written = b""
        while True:
            try:
                part = os.read(self.master, 65536)
            except OSError:  # EIO: the other side is closed
                break
            if not part:
                break
            written += part
        os.close(self.master)
        return written.decode().replace("\r\n", "\n"), self.process.wait(60)


def on_terminal(args, config, columns=100, **env):
    return Terminal(args, config, columns, **env).finish()
