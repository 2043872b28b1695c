#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The profile docs/nobody-named.conf as it is shipped: no title, flag or standing is stored, no reader sees anybody, and
all totals are right. At the end titles are computed by hand, to show that there was something to be kept out."""

import configparser
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment, wait_for
from company import Company
from compare import check_progress, check_views
from daemon import ROOT
from oracle import DAY, Oracle
from truth import Load
from world import PASSWORD, TOPIC, World, now_ms

EVENTS = int(os.environ.get("TOKENTALLY_TEST_EVENTS", 20000))
OWN = {"postgres", "kafka"}  # sections that are the test's
ABOUT_TITLES = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'tokentally'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND c.relname ~ '^(title|leaderboard)' AND c.relname NOT IN ('title_rule', 'title_metric', 'title_window', 'title_tier')
ORDER BY 1
"""
READABLE = """
SELECT relname FROM pg_class WHERE relnamespace = 'tokentally'::regnamespace AND relkind = 'v'
AND has_table_privilege('tokentally_reader', oid, 'SELECT') ORDER BY 1
"""
NAMES = """
SELECT name FROM tokentally.model UNION SELECT provider FROM tokentally.model UNION SELECT name FROM tokentally.team
UNION SELECT name FROM tokentally.app
"""
ADDED = "calls, errors, input_tokens, cache_read_tokens, output_tokens, total_tokens, cost_usd"


def profile():
    """The shipped file, without what only the site knows."""
    parser = configparser.ConfigParser(delimiters=("=",), inline_comment_prefixes=None)
    parser.optionxform = str
    with open(f"{ROOT}/docs/nobody-named.conf") as text:
        parser.read_file(text)
    settings = {f"{section}.{key}": value for section in parser for key, value in parser[section].items()}
    return {name: value for name, value in settings.items() if name.split(".")[0] not in OWN and name != "privacy.key"}


def sums(database, view, conninfo):
    columns = ", ".join(f"sum({name})" for name in ADDED.split(", "))
    return database.query(f"SELECT {columns} FROM tokentally.{view}", conninfo=conninfo)[0]


def nothing_kept(checks, world):
    tables = [name for (name,) in world.database.query(ABOUT_TITLES)]
    checks.ok(len(tables) >= 6 and "title_flag_row" in tables, f"tables about titles: {' '.join(tables)}")
    kept = {name: count for name in tables if (count := world.database.value(f"SELECT count(*) FROM tokentally.{name}"))}
    checks.equal(kept, {}, "no title, flag, standing, board or run is stored")


def nobody_seen(checks, world, conninfo):
    people = world.database.query("SELECT user_key, pseudonym FROM tokentally.person")
    sessions = world.database.query("SELECT DISTINCT session_key, shown_key FROM tokentally.session_slot")
    checks.ok(len(people) > 100 and len(sessions) > 100, f"{len(people)} people and {len(sessions)} sessions are counted")
    names = world.database.query(NAMES)
    texts = {text for row in people + sessions for text in row if len(text) > 6} - {"(hidden)"}
    tell_tale = {text for text in texts if not any(text in name for (name,) in names)}
    checks.ok(len(tell_tale) > 1000, f"{len(tell_tale)} texts would give someone away")
    seen = {}
    for (view,) in world.database.query(READABLE):
        rows = world.database.query(f"SELECT v::text FROM tokentally.{view} v", conninfo=conninfo)
        text = "\n".join(row for (row,) in rows)
        if found := [tell for tell in tell_tale if tell in text]:
            seen[view] = found[:3]
        columns = world.database.query(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attname IN ('user_key', 'session_key', 'display_name')",
            [f"tokentally.{view}"],
        )
        for (column,) in columns:
            shown = world.database.query(f"SELECT DISTINCT {column} FROM tokentally.{view}", conninfo=conninfo)
            if set(shown) - {("(hidden)",)}:
                seen[f"{view}.{column}"] = shown[:3]
    checks.equal(seen, {}, "no view tells a reader anybody from anybody")


def main():
    with Checks("no titles, nobody named") as checks, World(checks) as world:
        seed = seed_from_environment()
        started_ms = now_ms()
        settings = profile()
        checks.ok(settings.get("titles.enabled") == "false" and settings.get("privacy.names") == "hidden", "the file says so", settings)
        world.broker.create_topic(TOPIC, 4)
        daemon = world.daemon(**settings).start()
        company = Company(seed, 300, started_ms * 1000 - 3 * DAY, started_ms * 1000)
        writer = world.writer()
        for message in Load(company, seed, TOPIC, 4, EVENTS, started_ms).messages():
            writer.send(*message)
        writer.flush()
        world.wait_counted()

        # Two more rounds of upkeep: where titles are computed, the newest hour would be due in each.
        rounds = "SELECT query_start FROM pg_stat_activity WHERE application_name = 'tokentally upkeep'"
        for number in (1, 2):
            before = world.database.value(rounds)
            wait_for(lambda: world.database.value(rounds) != before, 60, f"round {number} of upkeep")
        nothing_kept(checks, world)
        reader = world.database.login("reader_login", PASSWORD)
        nobody_seen(checks, world, reader)
        oracle = Oracle(started_ms * 1000).read(world.truth_path)
        check_views(checks, world.database, oracle)
        check_progress(checks, world.database, world.broker, oracle, [TOPIC])
        for view in ("usage_by_minute", "usage_by_team_hour", "usage_by_hour", "usage_by_day"):
            all_of_it = sums(world.database, view, None)
            checks.ok(all_of_it[0] and sums(world.database, view, reader) == all_of_it, f"a reader sees the right totals in {view}")
        checks.equal(daemon.end(), 0, "the daemon ends with 0")

        done = world.tokentally("titles")
        checks.equal(done.returncode, 0, f"by hand: {done.stdout.splitlines()[:1]}")
        given = world.database.value("SELECT count(*) FROM tokentally.title_award_row")
        checks.ok(given > 100, f"... which shows that {given} titles would have been given")


main()
