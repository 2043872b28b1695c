# SPDX-License-Identifier: Apache-2.0
"""The continuous reader: what must hold in every snapshot, whatever happens at the same time (P2, P5).

In REPEATABLE READ, over and over: the sums of the contract's section 4 are equal, and no position went back.
"""

import threading

import psycopg2

CALLS = (
    "SELECT sum(calls) FROM tokentally.usage_by_day",
    "SELECT sum(calls) FROM tokentally.usage_by_minute",
    "SELECT sum(accepted) FROM tokentally.ingest_progress",
    "SELECT sum(calls) FROM tokentally.usage_by_hour",
    "SELECT sum(calls) FROM tokentally.usage_by_team_hour",
)
DEAD = ("SELECT sum(dead) FROM tokentally.ingest_progress", "SELECT sum(count) FROM tokentally.dead_letter")
# An operator who accepts a reset makes a new incarnation, which is on record.
POSITIONS = "SELECT topic, partition, incarnation, next_offset FROM tokentally.kafka_offset"


class Reader(threading.Thread):
    """Samples until stopped. wrong: what may never be seen."""

    def __init__(self, database, interval=0.2):
        super().__init__(daemon=True)
        self.database = database
        self.interval = interval
        self.stopped = threading.Event()
        self.samples, self.wrong, self.seen = 0, [], set()
        self.positions = {}

    def run(self):
        while not self.stopped.is_set():
            try:
                self.sample_while_connected()
            except psycopg2.Error:
                self.stopped.wait(0.2)  # the server is restarting

    def sample_while_connected(self):
        connection = psycopg2.connect(self.database.superuser())
        try:
            connection.set_session("REPEATABLE READ", readonly=True)
            with connection.cursor() as cursor:
                while not self.stopped.is_set():
                    self.sample(cursor)
                    connection.commit()
                    self.stopped.wait(self.interval)
        finally:
            connection.close()

    def sample(self, cursor):
        def values(queries):
            for query in queries:
                cursor.execute(query)
                yield int(cursor.fetchone()[0] or 0)

        calls, dead = list(values(CALLS)), list(values(DEAD))
        self.samples += 1
        self.seen.add(calls[0])
        if len(set(calls)) > 1 or len(set(dead)) > 1:
            self.wrong.append(f"sums of calls {calls}, of dead letters {dead}")
        cursor.execute(POSITIONS)
        for *key, offset in cursor.fetchall():
            before = self.positions.get(tuple(key), 0)
            if offset < before:
                self.wrong.append(f"position of {key} went back from {before} to {offset}")
            self.positions[tuple(key)] = offset

    def forget_positions(self):
        """A test is about to bring back an older database."""
        self.positions = {}

    def stop(self):
        self.stopped.set()
        self.join(60)

    def check(self, checks, label=""):
        self.stop()
        checks.ok(not self.wrong, f"{label}no snapshot showed sums that differ or a position that went back"
                  f" ({self.samples} samples)", self.wrong[:5])
        checks.ok(len(self.seen) > 5, f"{label}the reader saw the sums grow ({len(self.seen)} different ones)")
