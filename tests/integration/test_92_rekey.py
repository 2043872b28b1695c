#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The privacy key is changed while daemons run: first from none, then to another, with kill -9 of the command in the
middle. Every pseudonym is of the new key at the end, computed here again; nothing is lost or counted twice; who has the
former key stops; and somebody who was erased before stays erased in a replay."""

import base64
import hashlib
import hmac
import itertools
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from company import Company
from compare import check_progress, check_views
from daemon import BINARY, PRIVACY_KEY, run_command
from erasing import check_gone, erase, someone, tables_with, without
from oracle import DAY, Oracle
from replay import replay
from terminal import Terminal
from truth import Load
from world import TOPIC, World, now_ms

EVENTS = int(os.environ.get("TOKENTALLY_TEST_EVENTS", 40000))
SECOND_KEY = "another key for tests, as long as +"


def pseudonym_of(key, text):
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:26]


def check_pseudonyms(checks, world, key, label):
    people = world.database.query("SELECT user_key, pseudonym FROM tokentally.person WHERE user_key <> '(erased)'")
    wrong = [who for who, pseudonym in people if pseudonym != pseudonym_of(key, who)]
    checks.ok(people and not wrong, f"{label}: {len(people)} people have pseudonyms of the key", wrong[:3])
    sessions = world.database.query("SELECT DISTINCT session_key, shown_key FROM tokentally.session_slot")
    wrong = [name for name, shown in sessions if shown != pseudonym_of(key, name)]
    checks.ok(sessions and not wrong, f"{label}: {len(sessions)} sessions have hashes of the key", wrong[:3])


def shown_sessions(world):
    """What a reader sees of sessions: the hashes, without "(hidden)"."""
    connection = world.database.login("reader_login", "a password")
    rows = world.database.query("SELECT DISTINCT session_key FROM tokentally.usage_by_session", conninfo=connection)
    return {key for (key,) in rows} - {"(hidden)"}


NAMES = "SELECT pg_advisory_xact_lock(29803, 2)"
SESSIONS = "LOCK TABLE tokentally.session_slot IN SHARE MODE"


class Held:
    """A lock that rekey runs into, at the statement that is named: it may have to wait for a commit before, too."""

    def __init__(self, world, sql, statement):
        self.world = world
        self.waiting = (
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'tokentally rekey' AND wait_event_type = 'Lock'"
            f" AND query LIKE 'SELECT tokentally.{statement}%'"
        )
        self.connection = world.database.connect()
        self.connection.autocommit = False
        self.connection.cursor().execute(sql)

    def let_go(self):
        self.connection.rollback()
        self.connection.close()

    def kill_rekey(self, *args):
        process = subprocess.Popen([BINARY, "rekey", "-c", self.world.admin_config, *args], stdout=subprocess.DEVNULL)
        wait_for(lambda: self.world.database.query(self.waiting), 60, "rekey to wait for the lock")
        process.kill()
        process.wait(30)
        self.world.database.query(f"SELECT pg_terminate_backend(pid) FROM ({self.waiting}) w")
        wait_for(lambda: not self.world.database.query(self.waiting), 60, "its backend to end")
        self.let_go()


def rekey_on_terminal(world, *args):
    """One that has to wait for longer than what is done without a word."""
    held = Held(world, SESSIONS, "rekey_sessions_write")
    terminal = Terminal(["rekey", *args], world.admin_config)
    long = held.waiting + " AND clock_timestamp() - query_start > interval '2.1 s'"
    wait_for(lambda: world.database.query(long), 60, "rekey to have waited")
    held.let_go()
    return terminal.finish()


def hup(daemon, expected):
    before = len(daemon.log())
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: expected in daemon.log()[before:], 30, f"{expected!r} in the log of {daemon.name}")


def first_key(checks, world, daemons, send):
    """From names to pseudonyms: also of people who never come again."""
    send(0.2)
    world.wait_counted()
    checks.equal(world.database.value("SELECT count(*) FROM tokentally.person WHERE pseudonym <> ''"), 0, "no key, no pseudonyms")
    dry = world.tokentally("rekey", "--dry-run")
    checks.ok(dry.returncode == 0 and "would" in dry.stdout, f"--dry-run: {dry.stdout.strip()}", dry.stderr)
    checks.equal(world.database.value("SELECT count(*) FROM tokentally.person WHERE pseudonym <> ''"), 0, "... and did nothing")
    done = world.tokentally("rekey")
    checks.equal(done.returncode, 0, f"the first key: {done.stdout.splitlines()[:1]} {done.stderr.strip()}")
    checks.equal(done.stderr, "", "... without progress where there is no terminal")
    for daemon in daemons:
        daemon.write({"privacy.key": PRIVACY_KEY, "privacy.names": "pseudonym"})
        hup(daemon, "configuration reloaded")
    check_pseudonyms(checks, world, PRIVACY_KEY, "the first key")
    done = world.tokentally("rekey")
    checks.ok(done.returncode == 0 and "nothing to do" in done.stdout, "again: nothing to do", done.stdout)


def second_key(checks, world, key_file, send):
    """Killed before it has changed anything, and between people and sessions."""
    state = "SELECT key_check, sessions_pending FROM tokentally.rekey_state()"
    before = world.database.query(state)[0]
    Held(world, NAMES, "rekey_switch").kill_rekey("--key", key_file)
    checks.equal(world.database.query(state)[0], before, "killed while it waits for its locks: nothing has changed")
    send(0.1)
    Held(world, SESSIONS, "rekey_sessions_write").kill_rekey("--key", key_file)
    now = world.database.query(state)[0]
    checks.ok(now[0] != before[0] and now[1], "killed at the sessions: people are done, sessions are left", now)
    former = {pseudonym_of(PRIVACY_KEY, name) for (name,) in world.database.query("SELECT DISTINCT session_key FROM tokentally.session_slot")}
    checks.ok(not shown_sessions(world) & former, "... and no reader sees a session by its former hash")
    send(0.1)
    text, status = rekey_on_terminal(world, "--key", key_file)
    checks.equal(status, 0, f"run again: {text.splitlines()[-2:-1]}")
    checks.ok("new pseudonyms: 0 people" in text, "... it goes on where it was", text)
    checks.ok("\r0 people done, " in text, "... and shows on a terminal how far it is", text)
    checks.ok(not shown_sessions(world) & former, "no reader sees a session by its former hash")


def refusals(checks, world, key_file):
    wrong = world.tokentally("rekey", "--key", key_file, "-o", f"privacy.key=@{world.directory}/wrong.key")
    checks.ok(wrong.returncode == 78 and "right database" in wrong.stderr, "a configuration of another key: 78", wrong.stderr)
    checks.equal(world.tokentally("rekey", "--key", "/nonexistent").returncode, 78, "a key file that is not there: 78")
    bare = world.tokentally("rekey", "-o", "privacy.key=on-the-command-line")
    checks.ok(bare.returncode == 78 and "command line" in bare.stderr, "a key on the command line: 78", bare.stderr)
    low = run_command("rekey", "--key", key_file, config=world.daemons["one"].config)
    checks.ok(low.returncode == 78 and "tokentally_owner" in low.stderr, "as the daemon's role: 78, and what it needs", low.stderr)


def former_gone(checks, world, pseudonyms, label):
    left = {who: tables for who in pseudonyms if (tables := tables_with(world.database, who))}
    checks.equal(left, {}, f"{label}: no table holds a pseudonym of the former key")


def main():
    with Checks("another privacy key") as checks, World(checks) as world:
        seed = seed_from_environment()
        started_ms = now_ms()
        world.broker.create_topic(TOPIC, 4)
        key_file = f"{world.directory}/second.key"
        for path, key in ((key_file, SECOND_KEY), (f"{world.directory}/wrong.key", "neither this nor that")):
            with open(path, "w") as out:
                out.write(key + "\n")
        daemons = []
        for name in ("one", "two"):
            daemon = world.daemon(name)
            del daemon.settings["privacy.key"]
            daemon.write({"privacy.names": "named"})
            daemons.append(daemon.start())
        company = Company(seed, 300, started_ms * 1000 - 3 * DAY, started_ms * 1000)
        messages = iter(list(Load(company, seed, TOPIC, 4, EVENTS, started_ms).messages()))
        writer = world.writer()

        def send(share):
            for message in itertools.islice(messages, int(EVENTS * share)):
                writer.send(*message)
            writer.flush()

        first_key(checks, world, daemons, send)
        send(0.1)
        world.wait_counted()
        user = someone(Oracle(started_ms * 1000).read(world.truth_path))
        erased_as = erase(checks, world, user)
        former = [row[0] for row in world.database.query("SELECT pseudonym FROM tokentally.person WHERE pseudonym ~ '^[A-Z2-7]{26}$' LIMIT 5")]
        refusals(checks, world, key_file)

        # One is told before, the other is not.
        daemons[0].write({"privacy.key": f"@{key_file}"})
        hup(daemons[0], "until 'tokentally rekey' was run")
        send(0.1)
        second_key(checks, world, key_file, send)
        send(0.1)
        checks.equal(daemons[1].wait(60), 78, "a daemon of the former key stops with 78")
        checks.ok("privacy.key is not the one" in daemons[1].log(), "... and says why", daemons[1].last_lines(2))
        send(0.2)
        world.wait_counted(timeout=180)
        checks.ok(daemons[0].alive() and daemons[0].is_ready(), "the one that SIGHUP told went on")
        daemons[1].write({"privacy.key": f"@{key_file}"})
        daemons[1].start()
        send(1)
        world.wait_counted(timeout=180)

        oracle = without(Oracle(started_ms * 1000).read(world.truth_path), user)
        check_pseudonyms(checks, world, SECOND_KEY, "rekeyed")
        former_gone(checks, world, [*former, erased_as], "rekeyed")
        check_gone(checks, world, user, pseudonym_of(SECOND_KEY, user), "rekeyed")
        check_views(checks, world.database, oracle, "rekeyed: ")
        check_progress(checks, world.database, world.broker, oracle, [TOPIC], "rekeyed: ")
        log = world.database.value(
            "SELECT string_agg(detail, '; ' ORDER BY id) FROM tokentally.audit_log WHERE action = 'rekey'")
        checks.ok(log.count("another privacy key") == 2 and SECOND_KEY not in log, f"the audit log: {log}")

        replay(checks, world, daemons)
        check_gone(checks, world, user, pseudonym_of(SECOND_KEY, user), "replayed")
        check_pseudonyms(checks, world, SECOND_KEY, "replayed")
        former_gone(checks, world, [*former, erased_as], "replayed")
        check_views(checks, world.database, oracle, "replayed: ")
        for daemon in daemons:
            checks.equal(daemon.end(), 0, f"{daemon.name} ends with 0 on SIGTERM")
        for secret in (PRIVACY_KEY, SECOND_KEY):
            checks.ok(not any(secret in daemon.log() for daemon in daemons), "no key in a log")


main()
