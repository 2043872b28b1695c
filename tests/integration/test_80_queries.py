#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every query of docs/SQL.md and of every dashboard runs as reader on a filled database and gives rows; and what a
reader sees: pseudonyms, no small teams, the same totals."""

import base64
import glob
import hashlib
import hmac
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment
from company import Company
from compare import differences
from daemon import PRIVACY_KEY, ROOT
from oracle import DAY, Oracle
from queries import Dashboard, markdown_queries
from truth import Load
from world import PASSWORD, TOPIC, World, now_ms

SPAN = 21 * DAY


def utc(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms // 1000))


def fill(checks, world, seed, now):
    world.broker.create_topic(TOPIC, 3)
    daemon = world.daemon().start()
    writer = world.writer()
    for message in Load(Company(seed, 150, now * 1000 - SPAN, now * 1000), seed, TOPIC, 3, 25000, now).messages():
        writer.send(*message)
    writer.flush()
    world.wait_counted()
    for days in (10, 1, 0):
        done = world.tokentally("titles", "--as-of", utc(now - days * 86400000))
        checks.equal(done.returncode, 0, f"titles, {days} days ago: {done.stderr.strip()[-200:]}")
    checks.equal(daemon.end(), 0, "the daemon ends with 0")
    return Oracle(now * 1000).read(world.truth_path)


def gives_rows(checks, world, reader, name, sql):
    try:
        rows = world.database.query(sql, conninfo=reader)
        checks.ok(
            rows and any(value is not None for row in rows for value in row),
            f"{name}: {len(rows or [])} rows",
            "no row, or nothing but nulls",
        )
        return rows or []
    except Exception as error:
        checks.ok(False, f"{name}: gives rows", [str(error).strip(), *sql.splitlines()])
        return []


def dashboards(checks, world, reader, now):
    paths = sorted(glob.glob(f"{ROOT}/grafana/dashboards/*.json"))
    checks.ok(paths, "there are dashboards")
    for path in paths:
        board, label = Dashboard(path, utc(now - 7 * 86400000), utc(now + 60000)), os.path.basename(path)
        for name, sql in board.variables():
            rows = gives_rows(checks, world, reader, f"{label}, variable {name}", board.expand(sql))
            board.take(name, [row[0] for row in rows])
        for title, sql in board.panels():
            gives_rows(checks, world, reader, f"{label}, {title}", board.expand(sql))


def pseudonym(user):
    digest = hmac.new(PRIVACY_KEY.encode(), user.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:26]


def reader_sees(checks, world, reader, oracle):
    users = {key[1] for key in oracle.hour}
    for view in ("usage_by_hour", "usage_by_day", "usage_by_session"):
        rows = world.database.query(
            f"SELECT user_key, sum(calls)::bigint FROM tokentally.{view} GROUP BY 1", conninfo=reader
        )
        source = oracle.session if view == "usage_by_session" else oracle.hour
        expected = dict.fromkeys(map(pseudonym, users if source is oracle.hour else {key[1] for key in source}), 0)
        for key, row in source.items():
            expected[pseudonym(key[1])] += row[0]
        lines = differences(
            {(user.upper(),): (calls,) for user, calls in rows}, {(user,): (calls,) for user, calls in expected.items()}
        )
        checks.ok(not lines, f"reader: {view} by pseudonym, all of them", lines)
    sessions = {
        row[0] for row in world.database.query("SELECT session_key FROM tokentally.usage_by_session", conninfo=reader)
    }
    checks.ok(not sessions & {key[0] for key in oracle.session}, "reader: sessions are hashed")
    for view in ("usage_by_minute", "usage_by_team_hour"):
        rows = world.database.query(
            f"SELECT sum(calls)::bigint, sum(total_tokens)::bigint FROM tokentally.{view}", conninfo=reader
        )
        people = world.database.query(f"SELECT sum(calls)::bigint, sum(total_tokens)::bigint FROM tokentally.{view}")
        checks.equal(rows, people, f"reader: {view} has the same totals")
    names = world.database.query(
        "SELECT user_key FROM tokentally.title_holder UNION SELECT user_key FROM tokentally.title_award"
        " UNION SELECT display_name FROM tokentally.leaderboard",
        conninfo=reader,
    )
    checks.ok(
        names
        and {name for name, in names}
        <= {pseudonym(user) for user in users} | {pseudonym(user).lower() for user in users},
        "reader: titles and boards by pseudonym",
        str(names[:3]),
    )


def may_not(checks, world, reader):
    tables = world.database.query(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'tokentally' AND c.relkind IN ('r', 'p')"
        " AND has_table_privilege('reader_login', c.oid, 'SELECT')"
    )
    checks.equal(tables, [], "reader: may read no table")
    ingest = world.database.query(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'tokentally' AND c.relkind IN ('r', 'p') AND has_table_privilege("
        "'tally_login', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
    )
    checks.equal(ingest, [], "the daemon's role: may write no table")


def main():
    with Checks("queries") as checks, World(checks) as world:
        seed = seed_from_environment()
        now = now_ms()
        oracle = fill(checks, world, seed, now)
        reader = world.database.login("reader_login", PASSWORD)
        for number, (heading, sql) in enumerate(markdown_queries(f"{ROOT}/docs/SQL.md"), 1):
            gives_rows(checks, world, reader, f"docs/SQL.md, query {number}, {heading}", sql)
        dashboards(checks, world, reader, now)
        reader_sees(checks, world, reader, oracle)
        may_not(checks, world, reader)


main()
