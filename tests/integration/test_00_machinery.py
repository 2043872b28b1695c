#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The test machinery tests itself: hand-computed cases for the oracle, and proof that the comparison can fail."""

import json
import os
import sys
import time
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from bad_messages import bad_messages
from checks import Checks
from compare import differences
from company import Company
from oracle import BOUNDS, DAY, HOUR, MEASURES, Oracle, Rules, class_bound, ranked
from oracle_decode import records_of, rfc3339
from truth import Load

NOW_MS = time.time_ns() // 10**6
NOW = NOW_MS * 1000


def event(**fields):
    good = {"time": NOW_MS, "user": "alice", "model": "gpt-5"}
    return json.dumps({**good, **fields}).encode()


def bad_kinds(checks):
    for name, value, expected in bad_messages(NOW_MS):
        found = [(record.index, record.reason) for record in records_of(value, NOW) if record.reason]
        checks.equal(found, expected, f"oracle on {name}")


def times(checks):
    for text, expected in (
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.1234569Z", 123456),
        ("1969-12-31T23:00:00-01:00", 0),
        ("2000-03-01T00:00:00Z", 951868800 * 10**6),
        ("2016-12-31T23:59:60Z", 1483228800 * 10**6),
        ("2026-11-23T10:00:00+05:30", 1795408200 * 10**6),
    ):
        checks.equal(rfc3339(text), expected, f"time {text}")


def one_event(checks, expected, name, **fields):
    oracle = Oracle(NOW)
    oracle.message("t", 0, 0, NOW_MS, event(**fields))
    row = next(iter(oracle.day.values()), [None] * len(MEASURES))
    got = {key: row[MEASURES.index(key)] for key in expected}
    checks.equal(got, expected, name)


def measures(checks):
    one_event(checks, {"cost_nano": 976562, "unpriced_calls": 0}, "cost 1/1024: tie to even", cost_usd=0.0009765625)
    one_event(checks, {"cost_nano": 2929688}, "cost 3/1024: tie to even", cost_usd=0.0029296875)
    one_event(checks, {"cost_nano": 100000000}, "cost 0.1", cost_usd=0.1)
    one_event(checks, {"cost_nano": 0}, "cost below half a nano-dollar", cost_usd=4.9e-10)
    one_event(checks, {"cost_nano": 0, "unpriced_calls": 1}, "no cost")
    one_event(checks, {"duration_ms_sum": 2, "duration_ms_max": 2}, "duration 2.5", duration_ms=2.5)
    one_event(checks, {"duration_ms_sum": 4}, "duration 3.5", duration_ms=3.5)
    one_event(checks, {"zero_output_calls": 1, "errors": 0}, "no output")
    one_event(checks, {"zero_output_calls": 0, "errors": 1}, "no output, error", status="error")
    one_event(checks, {"zero_output_calls": 0}, "no output, embedding", model="Text-EMBEDding-3")
    one_event(
        checks,
        {"total_tokens": 111, "cache_known_tokens": 101, "reasoning_tokens": 9},
        "totals",
        input_tokens=1,
        cache_read_tokens=30,
        cache_write_tokens=70,
        cache_write_1h_tokens=7,
        output_tokens=10,
        reasoning_tokens=9,
    )


def classes(checks):
    checks.equal(
        [class_bound(0), class_bound(1), class_bound(3.6e6 * 2)], [1.0, 1.0, float("inf")], "classes at the ends"
    )
    wide = [
        value
        for value in (1.001, 1.05, 1.06, 99.5, 1234.5678, 3599999.9)
        if not value <= class_bound(value) <= value * 1.05 * (1 + 1e-12)
    ]
    checks.equal(wide, [], "a class is at most 5 % wide")
    checks.ok(BOUNDS[-2] < 3600000 <= BOUNDS[-1], "classes reach one hour")


def dedupe(checks):
    oracle = Oracle(NOW)
    for offset, (time_ms, event_id) in enumerate(((0, "a"), (3600000, "a"), (3600001, "a"), (7200001, "a"), (5, "b"))):
        oracle.message("t", 0, offset, time_ms, event(event_id=event_id))
    checks.equal(
        oracle.totals(), {"accepted": 3, "dead": 0, "duplicate": 2}, "duplicates: one hour is within, more is not"
    )


def rules(checks):
    moves = [("alice", "red", NOW - DAY), ("alice", "blue", NOW - HOUR), ("alice", "", NOW)]
    sources = [("acme", "*", "kong"), ("*", "blue", "native"), ("acme", "own", "codex")]
    oracle = Oracle(NOW, rules=Rules(moves, sources))
    for offset, fields in enumerate(
        (
            {"time": (NOW - DAY) // 1000 - 1},  # before the first move
            {"time": (NOW - HOUR) // 1000 - 1},
            {"time": (NOW - HOUR) // 1000},
            {"time": NOW_MS},  # in no team again
            {"user": "bob"},
            {"team": "own"},  # an event's own team stays
            {"provider": "acme", "event_id": "1"},  # only kong counts
            {"provider": "acme", "event_id": "1"},  # twice is once, there too
            {"provider": "acme", "time": (NOW - HOUR) // 1000},  # of the team blue, whose rule is stronger
            {"provider": "acme", "team": "own"},  # the rule of both: only codex
        )
    ):
        oracle.message("t", 0, offset, 0, event(**fields))
    teams = {}
    for (_, user, team, provider, _), row in oracle.hour.items():
        teams[user, team, provider] = teams.get((user, team, provider), 0) + row[0]
    checks.equal(
        teams,
        {
            ("alice", "", ""): 2,
            ("alice", "red", ""): 1,
            ("alice", "blue", ""): 1,
            ("bob", "", ""): 1,
            ("alice", "own", ""): 1,
            ("alice", "blue", "acme"): 1,
        },
        "rules: the team of the time, unless the event has one",
    )
    shadow = {(key[1], key[4]): row[0] for key, row in oracle.shadow.items()}
    checks.equal(
        shadow, {("", "native"): 1, ("own", "native"): 1}, "rules: provider and team before team before provider"
    )
    checks.equal(
        dict(oracle.progress["t", 0]),
        {"accepted": 7, "dead": 0, "duplicate": 1, "skipped": 2},
        "rules: the shadow is skipped",
    )


def titles(checks):
    got = {user: place[:2] for (_, user), place in ranked("T", {"a": 9, "b": 9, "c": 5, "d": 4, "e": 4}).items()}
    checks.equal(
        got,
        {"a": ("emerald", 1), "b": ("emerald", 1), "c": ("jade", 3), "d": ("gold", 4), "e": ("gold", 4)},
        "ties share a rank",
    )
    for people, expected in ((2, {"emerald"}), (3, {"jade"}), (7, {"gold"}), (100, {"silver"}), (501, set())):
        crowd = ranked("T", {f"u{number}": 1 for number in range(people)})
        checks.equal({tier for tier, _, _ in crowd.values()}, expected, f"{people} tie for the first place")
    oracle = Oracle(NOW)
    as_of = NOW // HOUR * HOUR
    for number in range(100):
        oracle.message("t", 0, number, 0, event(time=(as_of - HOUR) // 1000, input_tokens=4000, cache_read_tokens=6000))
    oracle.message("t", 0, 100, 0, event(time=as_of // 1000, user="bob", input_tokens=10**9))
    oracle.message("t", 0, 101, 0, event(time=(as_of - 30 * DAY - 1000) // 1000, user="carl", input_tokens=10**9))
    checks.equal(
        oracle.titles(as_of),
        {("Token Legend", "alice"): ("emerald", 1, 1000000), ("Cache Wizard", "alice"): ("emerald", 1, Fraction(3, 5))},
        "titles: window ends at the hour, floors are met at the floor",
    )


def comparison(checks):
    """Each single change of one value, one row lost, one row too many must be seen."""
    oracle = Oracle(NOW, rules=Rules(sources=[("azure", "*", "kong")]))
    company = Company(7, 60, NOW - 3 * DAY, NOW)
    for offset, (_, partition, value, time_ms) in enumerate(Load(company, 7, "t", 2, 300, NOW_MS, bad=0.1).messages()):
        oracle.message("t", partition, offset, time_ms, value)
    for view, rows in oracle.views().items():
        checks.ok(rows and not differences(dict(rows), rows), f"comparison: {view} equals itself ({len(rows)} rows)")
        key = sorted(rows, key=repr)[len(rows) // 2]
        missed = [
            index
            for index, value in enumerate(rows[key])
            if not differences({**rows, key: changed(rows[key], index)}, rows)
        ]
        checks.equal(missed, [], f"comparison: {view} sees a change in any column")
        less = {other: row for other, row in rows.items() if other != key}
        more = {**rows, ("odd", *key[1:]): rows[key]}
        checks.ok(differences(less, rows) and differences(more, rows), f"comparison: {view} sees a row lost or added")


def changed(row, index):
    return (*row[:index], row[index] + (1 if not isinstance(row[index], str) else "x"), *row[index + 1 :])


def main():
    with Checks("the test machinery itself") as checks:
        for part in (bad_kinds, times, measures, classes, dedupe, rules, titles, comparison):
            part(checks)


main()
