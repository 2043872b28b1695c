#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""All nine titles of a hand-made company, hour by hour over ten days, against an oracle of its own: every holder's tier,
rank, value and since when. The cases stand in company(): floors, borders, ties, flags, aliases, late data, new rules."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checks import Checks, seed_from_environment
from database import Database
from title_oracle import DAY, HOUR, Call, TitleOracle, rank_rule

MINUTE = HOUR // 60
START = 1773619200 * 10**6  # Monday 2026-03-16 00:00 UTC
HOURS = 240
OPEN = ("llama-3.3-70b", "vendor/qwen3-32b")
SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "sql", "apply.sh")

# Calls go in as the daemon's commits put them in: hours and their days, team-hours, session slots.
LOAD = """
WITH call AS MATERIALIZED (
	SELECT to_timestamp(0) + time * interval '1 microsecond' AS at, p.id AS person_id, m.id AS model_id, c.*
	FROM json_to_recordset(%s) AS c ("time" bigint, who text, model text, provider text, session text, errors int,
		input bigint, cache_read bigint, output bigint, known bigint, cost bigint, unpriced int, silent int, calls int)
	JOIN person p ON p.user_key = c.who JOIN model m ON m.name = c.model AND m.provider = c.provider
), hours AS (
	SELECT date_trunc('hour', call.at, 'UTC') AS bucket, person_id, model_id, sum(calls) AS calls, sum(errors) AS errors,
		sum(input) AS input, sum(cache_read) AS cache_read, sum(output) AS output, sum(cost) AS cost,
		sum(unpriced) AS unpriced, sum(silent) AS silent, sum(known) AS known
	FROM call GROUP BY 1, 2, 3
), slots AS (
	SELECT date_bin('30 min', call.at, '2000-01-01Z') AS slot, person_id, session, min(call.at) AS first, max(call.at) AS last,
		sum(calls) AS calls
	FROM call WHERE session <> '' GROUP BY 1, 2, 3
)
SELECT commit_hours((SELECT array_agg(ROW(bucket, person_id, (SELECT min(id) FROM team), model_id, 0, calls, errors, input,
		cache_read, 0, 0, output, 0, cost, unpriced, silent, known, 0, 0)::hour_delta ORDER BY bucket) FROM hours)),
	commit_minutes((SELECT array_agg(ROW(bucket, (SELECT min(id) FROM team), model_id, (SELECT min(id) FROM app), 0, calls,
		errors, input, cache_read, 0, 0, output, 0, cost, unpriced, silent, known, 0, 0)::minute_delta)
		FROM hours), 'infinity'),
	commit_sessions((SELECT array_agg(ROW(slot, person_id, md5(session)::uuid, session, md5(session), first, last, calls,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)::session_delta) FROM slots))
"""


class Company:
    """The database and the oracle, told the same things."""

    def __init__(self, checks, database):
        self.checks = checks
        self.oracle = TitleOracle(OPEN)
        self.connection = database.connect()
        self.cursor = self.connection.cursor()
        self.cursor.execute("SET search_path = tokentally, public")
        self.sql("SELECT intern_teams(ARRAY['all']), intern_apps(ARRAY['chat'])")
        self.sql(
            "SELECT ingest_ensure_partitions(to_timestamp(%s), to_timestamp(%s), to_timestamp(%s))",
            (START - 131 * DAY) / 10**6,
            (START + 12 * DAY) / 10**6,
            (START + 12 * DAY) / 10**6,
        )
        self.late = []

    def sql(self, text, *args):
        self.cursor.execute(text, args)
        return self.cursor.fetchall() if self.cursor.description else None

    def add(self, calls):
        if not calls:
            return
        users = sorted({call.user for call in calls})
        self.sql("SELECT intern_people(%s, %s)", users, [f"P{user}" for user in users])
        models = sorted({(call.provider, call.model) for call in calls})
        self.sql("SELECT intern_models(%s, %s)", [m[0] for m in models], [m[1] for m in models])
        self.sql(LOAD, json.dumps([row(call) for call in calls]))
        self.oracle.calls += calls

    def check(self, as_of, label):
        run = self.sql("SELECT outcome, note FROM recompute_titles(to_timestamp(%s))", as_of / 10**6)
        expected = self.oracle.run(as_of)
        got = {
            key[:2]: key[2:]
            for key in self.sql(
                "SELECT title, user_key, tier, rank, value, (extract(epoch FROM held_since) * 1000000)::bigint FROM title_holder"
            )
        }
        wrong = [
            f"{key}: {got.get(key)} instead of {expected.get(key)}"
            for key in sorted(set(got) | set(expected))
            if not same(got.get(key), expected.get(key))
        ]
        if (wrong or run[0][0] != "stored") and self.checks.failed < 5:
            self.checks.ok(False, f"{label}: holders equal the oracle's", [str(run), *wrong[:8]])
        return not wrong, len(expected)


def row(call):
    return {
        "time": call.time,
        "who": call.user,
        "model": call.model,
        "provider": call.provider,
        "session": call.session,
        "errors": call.error * call.count,
        "input": call.input * call.count,
        "cache_read": call.cache_read * call.count,
        "output": call.output * call.count,
        "known": (call.input + call.cache_read) * call.count * call.known,
        "cost": (call.cost_nano or 0) * call.count,
        "unpriced": (call.cost_nano is None) * call.count,
        "silent": call.silent * call.count,
        "calls": call.count,
    }


def same(got, expected):
    if got is None or expected is None:
        return got is expected
    value, wanted = got[2], expected[2]
    if (value is None) != (wanted is None) or (got[0], got[1], got[3]) != (expected[0], expected[1], expected[3]):
        return False
    if value is None:
        return True
    wanted = Decimal(wanted.numerator) / wanted.denominator if hasattr(wanted, "numerator") else Decimal(repr(wanted))
    return abs(value - wanted) <= Decimal("1e-14") * max(1, abs(wanted))


def chain(user, session, start, minutes, step_us=20 * MINUTE, **more):
    """Calls of one session from start on, step apart."""
    return [Call(start + n * step_us, user, session=session, **more) for n in range(minutes * MINUTE // step_us + 1)]


def workdays(user, first, count, hour=9, **more):
    """A call on each of so many days; negative first: before the start."""
    return [Call(START + (first + n) * DAY + hour * HOUR, user, **more) for n in range(count)]


def company(rng):
    """All calls of the story; each hour adds those whose time has come."""
    calls = []
    # Anybody: 18 people, one to three sessions a day, over 40 days.
    for n in range(18):
        user = f"u{n:02}"
        for day in range(-40, 11):
            if rng.random() < 0.45:
                continue
            at = START + day * DAY + rng.randrange(7, 19) * HOUR + rng.randrange(HOUR)
            for step in range(rng.randrange(1, 7)):
                calls.append(
                    Call(
                        at + step * rng.choice((7, 19, 29, 31)) * MINUTE,
                        user,
                        model=rng.choice(("m", "m2", "m3", *OPEN)),
                        provider=rng.choice(("acme", "bolt", "")),
                        session=rng.choice(("", f"s{day}")),
                        error=rng.random() < 0.05,
                        input=rng.randrange(60000),
                        cache_read=rng.randrange(40000),
                        output=rng.randrange(1, 9000),
                        cost_nano=rng.choice((10**7, 10**7, 3 * 10**8)),
                        count=rng.choice((1, 1, 5, 30)),
                    )
                )
    # Ties: three at the top of the sessions for a while (emerald is not given), two in tokens.
    for n in range(3):
        calls += chain(f"tie{n}", "t", START + (20 + n) * HOUR, 600, input=10, output=5)
    calls += [Call(START + 30 * HOUR, f"rich{n}", input=9 * 10**8, output=1, cost_nano=1) for n in range(2)]
    # Sessions: gaps just under and exactly 30 minutes; one that the window's edge cuts hour by hour; one of two people.
    calls += chain("gap-in", "g", START + 5 * HOUR + 1, 480, 30 * MINUTE - 1, output=1)
    calls += chain("gap-out", "g", START + 5 * HOUR, 480, 30 * MINUTE, output=1)
    calls += chain("edge", "e", START - 28 * DAY, 40 * 60, 25 * MINUTE, output=1)
    calls += chain("ann", "both", START + 50 * HOUR, 300, output=1) + chain("ann2", "both", START + 55 * HOUR + 9 * MINUTE, 300, output=1)
    # Floors and borders.
    million = {"input": 5000, "cache_read": 5000, "output": 10, "count": 100}
    calls += [Call(START + 6 * HOUR, "floor", **million), Call(START + 6 * HOUR, "few-calls", **{**million, "count": 99})]
    calls += [Call(START + 6 * HOUR, "unknown", **million, known=False), Call(START + 7 * HOUR, "thrift", output=100000, cost_nano=5)]
    calls += [Call(START + 7 * HOUR, "thrift-less", output=99999, cost_nano=1), Call(START + 7 * HOUR, "free", output=200000, cost_nano=0)]
    calls += [Call(START + 7 * HOUR, "unpriced", output=200000, cost_nano=1), Call(START + 99 * HOUR, "unpriced", output=1)]
    calls += [Call(START + 8 * HOUR, "steady", output=1, count=500), Call(START + 8 * HOUR, "less", output=1, count=499)]
    calls += [Call(START + 8 * HOUR, "shaky", output=1, count=990), Call(START + 8 * HOUR, "shaky", error=True, count=10)]
    calls += [Call(START + 9 * HOUR, "open", OPEN[0], input=999999, output=1), Call(START + 9 * HOUR, "ajar", OPEN[1], input=999998, output=1)]
    # Models and providers: 9 and 10 calls; 1 % exactly and just not; one that loses a tier again as calls leave 30 days.
    for n in range(12):
        calls.append(Call(START + n * 2 * HOUR, "expert", f"x{n}", f"p{n % 7}", output=1, count=10))
        calls.append(Call(START - 29 * DAY + n * HOUR, "fading", f"x{n}", f"p{n % 5}", output=1, count=11))
    calls += [Call(START + 3 * HOUR, "nearly", f"x{n}", f"p{n}", output=1, count=9 + (n < 2)) for n in range(5)]
    calls += [Call(START + 4 * HOUR, "one-percent", f"x{n}", output=1, count=count) for n, count in enumerate((970, 10, 10, 10))]
    calls += [Call(START + 4 * HOUR, "below", f"x{n}", output=1, count=count) for n, count in enumerate((972, 10, 10, 10))]
    # Streaks: weekends between; a Monday missing; a weekend's work alone; 80 days, of which the oldest leave the 120.
    calls += workdays("runner", 0, 10) + [c for c in workdays("sick", -14, 24) if (c.time - START) // DAY != 0]
    calls += workdays("weekender", -2, 2) + workdays("steadfast", -119, 126) + workdays("lagging", -9, 5)
    # Machines: 21 hours, 51 sessions, a hundred times the usual, no output. And those just not.
    calls += [Call(START + 26 * HOUR + n * HOUR, "nightly", input=10**7, output=1) for n in range(21)]
    calls += [Call(START + 26 * HOUR + n * HOUR, "late-shift", input=10**6, output=1) for n in range(20)]
    calls += [Call(START + 40 * HOUR + n * MINUTE, "swarm", session=f"w{n}", input=10**6, output=1) for n in range(51)]
    calls += [Call(START + 40 * HOUR + n * MINUTE, "crowd", session=f"w{n}", input=10**6, output=1) for n in range(50)]
    for who, tokens in (("sudden", 1010001), ("usual", 1010000)):
        calls += workdays(who, -8, 8, input=10099, output=1) + [Call(START + 60 * HOUR, who, input=tokens - 1, output=1)]
    calls += [Call(START + 70 * HOUR, "silent", input=10**6, count=91), Call(START + 70 * HOUR, "silent", output=1, count=9)]
    calls += [Call(START + 70 * HOUR, "quiet", input=10**6, count=90), Call(START + 70 * HOUR, "quiet", output=1, count=10)]
    calls += [Call(START + n * HOUR, "robot", input=10**9, output=1) for n in range(200)]
    calls += [Call(START + 12 * HOUR, "shy", input=10**8, output=1)]
    return calls


def late_calls(hour):
    """What arrives long after its time, by the hour in which it does."""
    at = START + hour * HOUR
    return {
        5: [Call(at - HOUR, "one-percent", "x0", output=1, count=100)],  # what was just given was wrong
        33: [Call(at - 9 * DAY, "u03", input=5 * 10**7, output=1), Call(at - 25 * HOUR, "steady", error=True, count=3)],
        66: chain("gap-in", "g", START + 13 * HOUR, 120, output=1),
        88: [Call(START - 12 * DAY + n * HOUR, "u05", input=10**6, output=1) for n in range(21)],  # a flag for the past
        120: [Call(START, "sick", output=1)],  # the Monday that was missing
        150: [Call(START - 20 * DAY, "usual", output=1, input=1), Call(START - 21 * DAY, "usual", output=1, input=1)],
        180: [Call(at - 60 * HOUR, "expert", f"x{n}", "p9", output=1, count=10) for n in range(12, 20)],
    }.get(hour, [])


def change(story, hour):
    """What administrators and people decide, by the hour before whose run they do."""
    oracle, sql = story.oracle, story.sql
    if hour == 2:
        sql("SELECT set_person('robot', kind => 'service')")
        oracle.service.add("robot")
    elif hour == 40:
        sql("SELECT set_person('shy', titles => false)")
        oracle.out.add("shy")
    elif hour == 75:
        sql("SELECT set_alias('ann2', 'ann')")
        oracle.main["ann2"] = "ann"
    elif hour == 100:
        sql("SELECT clear_flag('nightly', 'always active', '2026-03-17', 'a migration, known to us')")
        oracle.flags["nightly", "always active", START // DAY + 1] = True
    elif hour == 130:
        sql("UPDATE title_rule SET tiers = '{\"bronze\": 4, \"silver\": 6}' WHERE name = 'Polyglot'")
        oracle.rules["Polyglot"].update(tiers={"silver": 6, "bronze": 4}, version=2)
    elif hour == 160:
        sql("INSERT INTO title_rule (name, description, metric, window_name) VALUES ('Busy Bee', 'Most calls', 'calls', '7d')")
        oracle.rules["Busy Bee"] = {**rank_rule("calls"), "days": 7}
    elif hour == 200:
        sql("SELECT set_alias('ann2', NULL)")
        del oracle.main["ann2"]
    elif hour == 210:
        sql("UPDATE title_rule SET enabled = false WHERE name = 'Token Legend'")
        del oracle.rules["Token Legend"]


def tell(story, calls):
    calls.sort(key=lambda call: call.time)
    fed, good, most = 0, 0, 0
    for hour in range(1, HOURS + 1):
        as_of = START + hour * HOUR
        until = fed
        while until < len(calls) and calls[until].time < as_of + 20 * MINUTE:  # the open hour has begun
            until += 1
        story.add(calls[fed:until])
        fed = until
        change(story, hour)
        while story.sql("SELECT fold_days(to_timestamp(%s))", as_of / 10**6)[0][0]:
            pass
        ok, holders = story.check(as_of, f"hour {hour}")
        late = late_calls(hour)
        if late or hour % 9 == 0:
            story.add(late)
            again, holders = story.check(as_of, f"hour {hour} again, {len(late)} late calls")
            ok = ok and again
        good, most = good + ok, max(most, holders)
    return good, most


def flags_of(story):
    rows = story.sql("SELECT user_key, rule, day - '1970-01-01'::date, cleared_at IS NOT NULL FROM title_flag")
    return {row[:3]: row[3] for row in rows}


def main():
    directory = tempfile.mkdtemp(prefix="tokentally-titles-")
    os.chmod(directory, 0o755)
    with Checks("titles against the oracle") as checks:
        database = Database(f"{directory}/pg").start()
        try:
            database.query(subprocess.run(["sh", SQL], stdout=subprocess.PIPE, check=True, text=True).stdout)
            story = Company(checks, database)
            good, most = tell(story, company(random.Random(seed_from_environment())))
            checks.equal(good, HOURS, f"holders of all titles equal the oracle's in every hour (up to {most} holders)")
            flags = flags_of(story)
            checks.ok(flags == story.oracle.flags, f"so do the {len(flags)} flags", [f"{flags}", f"{story.oracle.flags}"])
            checks.equal(len({rule for _, rule, _ in flags}), 4, "every kind of flag was opened")
            given = story.sql("SELECT DISTINCT title FROM title_award")
            checks.equal(len(given), 10, "every title was held by somebody")
            reasons = {reason for (reason,) in story.sql("SELECT DISTINCT reason FROM title_award WHERE reason IS NOT NULL")}
            checks.equal(
                sorted(reasons),
                ["flag", "late data", "moved down", "moved up", "no longer ranked", "not eligible", "rule changed",
                 "rule disabled", "tier not given"],
                "every reason for an end occurs",
            )
        finally:
            database.stop("immediate")
            shutil.rmtree(directory, ignore_errors=True)


main()
