# SPDX-License-Identifier: Apache-2.0
"""Every row of every view of a database, in the oracle's form, and what differs, one line a row.

Read as superuser: that is the people arm of the views, with raw keys.
"""

from decimal import Decimal

from oracle import MEASURES

SHOWN = 5  # differing rows printed for one view


def micros(column):
    return f"(extract(epoch FROM {column}) * 1000000)::bigint"


M = ", ".join("cost_usd * 1000000000" if name == "cost_nano" else name for name in MEASURES)
M_SESSION = ", ".join("cost_usd * 1000000000" if name == "cost_nano" else name for name in MEASURES[:-2])
LATENCY = "provider, model, kind, le_ms::float8, calls"

# view: (number of key columns, query)
VIEWS = {
    "usage_by_minute": (
        5,
        f"SELECT {micros('bucket')}, team, provider, model, app, {M} FROM tokentally.usage_by_minute",
    ),
    "usage_by_team_hour": (
        5,
        f"SELECT {micros('bucket')}, team, provider, model, app, {M}" " FROM tokentally.usage_by_team_hour",
    ),
    "usage_by_hour": (
        5,
        f"SELECT {micros('bucket')}, user_key, team, provider, model, {M} FROM tokentally.usage_by_hour",
    ),
    "usage_by_day": (
        5,
        f"SELECT {micros('bucket')}, user_key, team, provider, model, {M} FROM tokentally.usage_by_day",
    ),
    "usage_shadowed": (
        5,
        f"SELECT {micros('bucket')}, team, provider, model, source, {M_SESSION} FROM tokentally.usage_shadowed",
    ),
    "usage_by_session": (
        2,
        f"SELECT session_key, user_key, {micros('first_seen')}, {micros('last_seen')}, {M_SESSION}"
        " FROM tokentally.usage_by_session",
    ),
    "latency_by_minute": (5, f"SELECT {micros('bucket')}, {LATENCY} FROM tokentally.latency_by_minute"),
    "latency_by_hour": (5, f"SELECT {micros('bucket')}, {LATENCY} FROM tokentally.latency_by_hour"),
    "dead_letter": (4, 'SELECT topic, partition, "offset", record, reason, count FROM tokentally.dead_letter'),
}


def plain(value):
    """Decimals that are whole become ints, so that 3 and 3.000000000 are equal and 3.5 is not lost."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def rows_of(database, view):
    """{key: values}; a key that stands in two rows gets a second entry that no oracle has."""
    keys, query = VIEWS[view]
    found = {}
    for row in database.query(query):
        row = tuple(plain(value) for value in row)
        key = row[:keys]
        found[key if key not in found else (*key, "twice")] = row[keys:]
    return found


def differences(actual, expected):
    """Lines: the first few rows that differ, and how many there are."""
    wrong = [key for key in actual.keys() | expected.keys() if actual.get(key) != expected.get(key)]
    wrong.sort(key=repr)
    lines = [difference(key, actual.get(key), expected.get(key)) for key in wrong[:SHOWN]]
    if wrong:
        lines.append(f"{len(wrong)} rows differ; {len(actual)} in the database, {len(expected)} expected")
    return lines


def difference(key, actual, expected):
    shown = " ".join(repr(part)[:60] for part in key)
    if actual is None:
        return f"missing {shown}: expected {expected}"
    if expected is None:
        return f"unexpected {shown}: {actual}"
    columns = [
        f"[{index}] {got} instead of {want}" for index, (got, want) in enumerate(zip(actual, expected)) if got != want
    ]
    return f"differs {shown}: {', '.join(columns)}"


def check_views(checks, database, oracle, label=""):
    """One check a view. The number of rows is printed: an empty comparison proves nothing."""
    for view, expected in oracle.views().items():
        lines = differences(rows_of(database, view), expected)
        checks.ok(not lines, f"{label}{view} equals the oracle ({len(expected)} rows)", lines)


def check_progress(checks, database, broker, oracle, topics, label=""):
    """next_offset is the high watermark everywhere, counters equal the oracle's, nothing is quarantined."""
    rows = database.query(
        "SELECT topic, partition, next_offset, state, accepted, dead, duplicate, skipped"
        " FROM tokentally.ingest_progress"
    )
    actual = {row[:2]: row[2:] for row in rows}
    expected = {}
    for topic in topics:
        for partition, (_, high) in broker.watermarks(topic).items():
            counted = oracle.progress[(topic, partition)]
            expected[(topic, partition)] = (
                high,
                "ok",
                *(counted[what] for what in ("accepted", "dead", "duplicate", "skipped")),
            )
    checks.ok(
        actual == expected,
        f"{label}ingest_progress equals the high watermarks and the oracle's counts",
        differences(actual, expected),
    )


def check_titles(checks, database, oracle, as_of_us, label=""):
    rows = database.query(
        f"SELECT title, user_key, tier, rank, value, {micros('as_of')} FROM tokentally.title_holder"
        " WHERE title IN ('Token Legend', 'Cache Wizard')"
    )
    expected = oracle.titles(as_of_us)
    for title in ("Token Legend", "Cache Wizard"):
        want = {key: (tier, rank) for key, (tier, rank, _) in expected.items() if key[0] == title}
        got = {row[:2]: row[2:4] for row in rows if row[0] == title}
        checks.ok(
            want and got == want,
            f"{label}holders of {title} equal the oracle ({len(want)} holders)",
            differences(got, want),
        )
    far = [
        f"{row[0]} {row[1]!r}: {row[4]}"
        for row in rows
        if row[:2] in expected
        and abs(row[4] - Decimal(expected[row[:2]][2].numerator) / expected[row[:2]][2].denominator) > Decimal("1e-9")
    ]
    checks.ok(not far, f"{label}values of both titles equal the oracle", far[:SHOWN])
    checks.ok({row[5] for row in rows} == {as_of_us}, f"{label}title_holder is of the hour asked for")
