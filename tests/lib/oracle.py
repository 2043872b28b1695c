# SPDX-License-Identifier: Apache-2.0
"""The oracle's second half: a truth file of raw messages -> every row of every view, in plain dictionaries.

Rows are {key tuple: value tuple}. Times are microseconds since 1970 UTC; cost is integer nano-dollars. The layout of
a key and a value is that of the queries in compare.py.
"""

import base64
import json
from collections import Counter, defaultdict
from fractions import Fraction

from oracle_decode import COUNTERS, records_of

MINUTE = 60 * 10**6
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WINDOW_MS = 3600 * 1000  # ingest.dedupe_window
RETENTION_MINUTE = 14 * DAY

# The measures of a row, in the order of the contract's M.
MEASURES = (
    "calls",
    "errors",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    "cost_nano",
    "unpriced_calls",
    "zero_output_calls",
    "cache_known_tokens",
    "duration_ms_sum",
    "duration_ms_max",
)
ADDED = len(MEASURES) - 1  # all but the last are sums
SESSION_MEASURES = len(MEASURES) - 2

BOUNDS = [1.05**k for k in range(311)]  # classes of latency; the last one is above all of them
RANK_TIERS = (("emerald", 1), ("jade", 3), ("gold", 10), ("silver", 50), ("bronze", 250))


def measures_of(event):
    output = event["output_tokens"]
    prompt = event["input_tokens"] + event["cache_read_tokens"] + event["cache_write_tokens"]
    failed = event["status"] == "error"
    embedding = "embed" in event["model"].lower()
    duration = round(event["duration_ms"]) if event["duration_ms"] is not None else 0  # half to even
    priced = event["cost_usd"] is not None
    return [
        1,
        int(failed),
        *(event[key] for key in COUNTERS),
        prompt + output,
        event["cost_nano"] if priced else 0,
        int(not priced),
        int(not failed and output == 0 and not embedding),
        prompt,
        duration,
        duration,
    ]


def class_bound(milliseconds):
    """le_ms of the class a duration falls into: the first bound that is not below it."""
    low, high = 0, len(BOUNDS)
    while low < high:
        middle = (low + high) // 2
        if milliseconds <= BOUNDS[middle]:
            high = middle
        else:
            low = middle + 1
    return BOUNDS[low] if low < len(BOUNDS) else float("inf")


def add(rows, key, measures):
    row = rows.get(key)
    if row is None:
        rows[key] = list(measures)
        return
    for index in range(ADDED):
        row[index] += measures[index]
    row[ADDED] = max(row[ADDED], measures[ADDED])


class Rules:
    """What is looked up before a call counts. moves: (user, team, from_us); sources: (provider, team, source), "*" is any."""

    def __init__(self, moves=(), sources=()):
        self.moves, self.sources = defaultdict(list), defaultdict(set)
        for user, team, from_us in moves:
            self.moves[user].append((from_us, team))
        for provider, team, source in sources:
            self.sources[provider, team].add(source)

    def team(self, event):
        past = [move for move in self.moves.get(event["user"], ()) if move[0] <= event["time_us"]]
        return event["team"] or (max(past)[1] if past else "")

    def counts(self, event, source):
        provider, team = event["provider"], event["team"]
        for pair in ((provider, team), ("*", team), (provider, "*"), ("*", "*")):
            if pair in self.sources:
                return source in self.sources[pair]
        return True


class Oracle:
    def __init__(self, now_us, minute_from_us=None, rules=None):
        self.now_us = now_us
        self.rules = rules or Rules()
        self.shadow = {}
        self.minute_from_us = now_us - RETENTION_MINUTE if minute_from_us is None else minute_from_us
        self.minute, self.team_hour, self.hour, self.day, self.session = {}, {}, {}, {}, {}
        self.latency_minute, self.latency_hour = defaultdict(int), defaultdict(int)
        self.dead = {}
        self.progress = defaultdict(lambda: {"accepted": 0, "dead": 0, "duplicate": 0, "skipped": 0})
        self.counted = {}  # (event_id, in the rollups or in the shadow) -> message times at which it was counted
        self.span = {}  # session key -> [first, last]
        self.events = 0

    def read(self, path):
        """All messages of a truth file, each partition in the order of its offsets."""
        with open(path) as truth:
            messages = [json.loads(line) for line in truth]
        messages.sort(key=lambda message: (message["topic"], message["partition"], message["offset"]))
        for message in messages:
            value = message["value"]
            payload = None if value is None else base64.b64decode(value)
            self.message(message["topic"], message["partition"], message["offset"], message["ts"], payload)
        return self

    def message(self, topic, partition, offset, time_ms, payload):
        progress = self.progress[(topic, partition)]
        for source, record in self.records(payload):
            if record.reason:
                progress["dead"] += 1
                self.dead[(topic, partition, offset, record.index)] = (record.reason, 1)
                continue
            record.event["team"] = self.rules.team(record.event)
            counts = self.rules.counts(record.event, source)
            if self.is_duplicate(record.event["event_id"], counts, time_ms):
                progress["duplicate"] += 1
            elif counts:
                progress["accepted"] += 1
                self.count(record.event)
            else:
                progress["skipped"] += 1
                self.count_apart(record.event, source)

    def records(self, payload):
        """(source, record) of each; another sender's format is the business of a test that has one."""
        return (("native", record) for record in records_of(payload, self.now_us))

    def is_duplicate(self, event_id, counts, time_ms):
        if not event_id:
            return False
        times = self.counted.setdefault((event_id, counts), [])
        if any(abs(time_ms - counted) <= WINDOW_MS for counted in times):
            return True
        times.append(time_ms)
        return False

    def count(self, event):
        self.events += 1
        time = event["time_us"]
        measures = measures_of(event)
        user, team, app = event["user"], event["team"], event["app"]
        provider, model, session = event["provider"], event["model"], event["session"]
        minute, hour, day = time // MINUTE * MINUTE, time // HOUR * HOUR, time // DAY * DAY
        recent = minute >= self.minute_from_us
        if recent:
            add(self.minute, (minute, team, provider, model, app), measures)
        add(self.team_hour, (hour, team, provider, model, app), measures)
        add(self.hour, (hour, user, team, provider, model), measures)
        add(self.day, (day, user, team, provider, model), measures)
        if session:
            add(self.session, (session, user), measures)
            span = self.span.setdefault((session, user), [time, time])
            span[0], span[1] = min(span[0], time), max(span[1], time)
        for kind in ("duration", "ttft"):
            if event[f"{kind}_ms"] is not None:
                bound = class_bound(event[f"{kind}_ms"])
                self.latency_hour[(hour, provider, model, kind, bound)] += 1
                if recent:
                    self.latency_minute[(minute, provider, model, kind, bound)] += 1

    def count_apart(self, event, source):
        hour = event["time_us"] // HOUR * HOUR
        add(self.shadow, (hour, event["team"], event["provider"], event["model"], source), measures_of(event))

    def views(self):
        """{view: rows}, as compare.py reads them from the database."""
        rows = {
            "usage_by_minute": self.minute,
            "usage_by_team_hour": self.team_hour,
            "usage_by_hour": self.hour,
            "usage_by_day": self.day,
        }
        rows = {view: {key: tuple(row) for key, row in found.items()} for view, found in rows.items()}
        rows["usage_by_session"] = {
            key: (*self.span[key], *row[:SESSION_MEASURES]) for key, row in self.session.items()
        }
        rows["latency_by_minute"] = {key: (calls,) for key, calls in self.latency_minute.items()}
        rows["latency_by_hour"] = {key: (calls,) for key, calls in self.latency_hour.items()}
        rows["dead_letter"] = dict(self.dead)
        if self.rules.sources:
            rows["usage_shadowed"] = {key: tuple(row[:SESSION_MEASURES]) for key, row in self.shadow.items()}
        return rows

    def totals(self):
        return {
            key: sum(progress[key] for progress in self.progress.values()) for key in ("accepted", "dead", "duplicate")
        }

    def titles(self, as_of_us):
        """{(title, user): (tier, rank, value)} of Token Legend and Cache Wizard at a full hour, 30 days back."""
        people = defaultdict(lambda: [0] * len(MEASURES))
        for (bucket, user, *_), row in self.hour.items():
            if as_of_us - 30 * DAY <= bucket < as_of_us:
                for index in range(ADDED):
                    people[user][index] += row[index]
        at = {name: index for index, name in enumerate(MEASURES)}
        legend = {user: row[at["total_tokens"]] for user, row in people.items() if row[at["total_tokens"]] > 0}
        wizard = {
            user: Fraction(row[at["cache_read_tokens"]], row[at["cache_known_tokens"]])
            for user, row in people.items()
            if row[at["cache_known_tokens"]] >= 1000000 and row[at["calls"]] >= 100
        }
        return {**ranked("Token Legend", legend), **ranked("Cache Wizard", wizard)}


def ranked(title, values):
    """Ranks are shared by ties. A tier is not given when more people than twice its limit share the last rank within
    it; each one has the best tier that is given and reaches as far as their rank."""
    first, given = {}, {}
    for place, value in enumerate(sorted(values.values(), reverse=True), 1):
        first.setdefault(value, place)
    ranks = {user: first[value] for user, value in values.items()}
    sharing = Counter(ranks.values())
    tiers = [
        (tier, limit)
        for tier, limit in RANK_TIERS
        if sharing[max((rank for rank in sharing if rank <= limit), default=0)] <= 2 * limit
    ]
    for user, rank in ranks.items():
        best = next((tier for tier, limit in tiers if rank <= limit), None)
        if best:
            given[(title, user)] = (best, rank, values[user])
    return given
