#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The board as a terminal shows it (through a pty) and as a file gets it: colours of tiers only where they belong, names
only for whoever may see them, no control characters of somebody's name, one's own place. No Kafka."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks
from daemon import run_command, write_config
from database import Database
from terminal import on_terminal

SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "sql", "apply.sh")
PASSWORD = "a password"
PEOPLE = 60
EVIL = "\x1b]0;owned\x07\x1b[31mred"  # a name that would speak to the terminal
SGR = re.compile(r"\x1b\[([0-9;]*)m")
# rank -> tier of Token Legend: one emerald, two jade, seven gold, forty silver, then bronze.
TIERS = {1: "emerald", 2: "jade", 4: "gold", 11: "silver", 51: "bronze"}

# Person n of 60 makes 100 calls with 61 - n million tokens, an hour ago.
COMPANY = """
SELECT ingest_ensure_partitions(now() - interval '40 days', now() + interval '1 day', now() - interval '40 days');
SELECT intern_people(keys, pseudonyms), intern_teams('{red}'), intern_models('{acme}', '{large}')
FROM (SELECT array_agg(CASE n WHEN 3 THEN %s ELSE 'person' || n END ORDER BY n), array_agg('P' || lpad(n::text, 2, '0') ORDER BY n)
	FROM generate_series(1, 60) n) p (keys, pseudonyms);
SELECT commit_hours((SELECT array_agg(ROW(date_trunc('hour', now()) - interval '1 hour', id, 1, 1, 0, 100, 0, (61 - id) * 1000000,
	0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0)::hour_delta ORDER BY id) FROM person));
SELECT recompute_titles(date_trunc('hour', now()));
CREATE ROLE me LOGIN PASSWORD 'a password' IN ROLE tokentally_reader;
CREATE ROLE other LOGIN PASSWORD 'a password' IN ROLE tokentally_reader;
CREATE ROLE named LOGIN PASSWORD 'a password' IN ROLE tokentally_people;
SELECT set_login('me', 'person2'), set_login('other', 'nobody yet');
SELECT set_person('person4', names => 'hidden');
"""


def colours_of(text):
    """tier -> the codes that it stands in."""
    found = {}
    for codes, tier in re.findall(r"\x1b\[([0-9;]+)m[^\x1b]*?(\w+)\x1b\[0m", text):
        found.setdefault(tier, set()).add(codes)
    return found


def colours(checks, config):
    plain = run_command("top", "-n", "60", config=config["named"]).stdout
    checks.ok("\x1b" not in plain and plain.count("Token Legend") == PEOPLE, "a file gets the plain board")
    ranks = dict(re.findall(r"^ +(\d+)  .*Token Legend (\w+)", plain, re.M))
    checks.equal({int(rank): tier for rank, tier in ranks.items() if int(rank) in TIERS}, TIERS, "... with every tier")
    forced = run_command("top", config=config["named"], env={"TERM": "xterm-256color", "COLORTERM": "truecolor"}).stdout
    checks.ok("\x1b" not in forced, "... whatever TERM says")
    for term, many in (("xterm-256color", True), ("xterm", False)):
        text, status = on_terminal(["top", "-n", "60"], config["named"], TERM=term)
        found = colours_of(text)
        checks.equal(sorted(found), sorted(TIERS.values()), f"{term}: every tier has a colour, and nothing else")
        checks.ok(all(len(codes) == 1 for codes in found.values()), f"{term}: always the same", found)
        checks.equal(len(set.union(*found.values())), 5, f"{term}: of its own")
        checks.equal(any("38;5" in code for codes in found.values() for code in codes), many, f"{term}: of {256 if many else 8}")
        checks.equal((SGR.sub("", text), status), (plain, 0), f"{term}: the text is that of the plain board")
    for label, env in (
        ("TERM=dumb", {"TERM": "dumb"}),
        ("no TERM", {}),
        ("NO_COLOR", {"TERM": "xterm-256color", "NO_COLOR": "1"}),
    ):
        checks.equal(on_terminal(["top", "-n", "60"], config["named"], **env)[0], plain, f"{label}: a terminal gets the plain board")
    checks.ok("\x1b" in on_terminal(["top"], config["named"], TERM="xterm", NO_COLOR="")[0], "an empty NO_COLOR says nothing")
    explained = on_terminal(["titles", "explain", "--user", "person1", "--title", "Token Legend"], config["named"], TERM="xterm")[0]
    checks.equal(sorted(colours_of(explained)), ["emerald"], "titles explain has the colour, too")


def names(checks, config):
    named = on_terminal(["top", "-n", "60"], config["named"], TERM="xterm")[0]
    reader = on_terminal(["top", "-n", "60"], config["me"], TERM="xterm")[0]
    checks.ok("person1 " in named and "P01 " not in named, "the people role sees names")
    checks.ok("person" not in reader and "P01 " in reader, "a reader sees pseudonyms")
    checks.ok("(hidden)" in reader and "P04 " not in reader, "... and a hidden person as such")
    checks.ok("\\x1b]0;owned" in named and not set(SGR.sub("", named)) & set("\x1b\x07"), "a name does not speak to the terminal")
    narrow = SGR.sub("", on_terminal(["top", "-n", "60"], config["me"], columns=70, TERM="xterm")[0])
    checks.ok(max(map(len, narrow.splitlines())) <= 70, "lines are no longer than the terminal is wide")


def own_place(checks, config):
    me = run_command("top", "-n", "1", "--me", config=config["me"])
    checks.ok("you: rank 2, 59,000,010" in me.stdout, "--me: one's own place, also beyond -n", me.stdout + me.stderr)
    other = run_command("top", "--me", config=config["other"])
    checks.ok("you are not among the first 250" in other.stdout, "--me: who has none is told so", other.stdout)
    nobody = run_command("top", "--me", config=config["named"])
    checks.ok(nobody.returncode == 78 and "nobody's" in nobody.stderr, "--me: a login that is nobody's: 78", nobody.stderr)
    board = json.loads(on_terminal(["top", "-n", "3", "--json"], config["me"], TERM="xterm-256color")[0])
    checks.equal([row["display_name"] for row in board], ["P01", "P02", "P03"], "--json: no colours, on a terminal either")
    both = json.loads(run_command("top", "-n", "1", "--json", "--me", config=config["me"]).stdout)
    checks.equal(both["me"], {"rank": 2, "value": 59000010}, "--json --me: one's own place")
    checks.equal(both["board"], board[:1], "... beside the same board")
    both = json.loads(run_command("top", "--json", "--me", config=config["other"]).stdout)
    checks.equal(both["me"], None, "--json --me: null for who has none")
    empty = run_command("top", "--json", "--me", "--metric", "cache_hit_ratio", config=config["me"])
    checks.equal(json.loads(empty.stdout), {"board": [], "me": None}, "--json --me: an empty board has the same form")


def main():
    directory = tempfile.mkdtemp(prefix="tokentally-top-")
    os.chmod(directory, 0o755)
    with Checks("the board in the terminal") as checks:
        database = Database(f"{directory}/pg").start()
        try:
            database.query(subprocess.run(["sh", SQL], stdout=subprocess.PIPE, check=True, text=True).stdout)
            database.query("SET search_path = tokentally;" + COMPANY, [EVIL])
            config = {}
            for login in ("me", "other", "named"):
                config[login] = f"{directory}/{login}.conf"
                write_config(config[login], {
                    "kafka.topics": "calls", "kafka.group.id": "g", "kafka.bootstrap.servers": "localhost:1",
                    "postgres.conninfo": database.login(login, PASSWORD), "privacy.names": "named",
                })
            colours(checks, config)
            names(checks, config)
            own_place(checks, config)
        finally:
            database.stop("immediate")
            shutil.rmtree(directory, ignore_errors=True)


main()
