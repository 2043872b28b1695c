# SPDX-License-Identifier: Apache-2.0
"""The titles of the contract, computed from single events in another language than the database's, and shaped for
plainness: every hour everything is computed from all events again. Only what has a memory is kept from hour to hour:
flags that were opened, and tiers that are held.
"""

import math
import statistics
from collections import Counter, defaultdict
from fractions import Fraction

HOUR = 3600 * 10**6
DAY = 24 * HOUR
GAP = 30 * 60 * 10**6
RANKS = (("emerald", 1), ("jade", 3), ("gold", 10), ("silver", 50), ("bronze", 250))
TIERS = [name for name, _ in RANKS]


def rank_rule(metric, ascending=False, floors=None):
    return {"metric": metric, "kind": "rank", "ascending": ascending, "floors": floors or {}, "days": 30, "version": 1}


def milestone(metric, thresholds, days=30):
    """thresholds: bronze to emerald."""
    tiers = dict(zip(TIERS, reversed(thresholds)))
    return {"metric": metric, "kind": "milestone", "tiers": tiers, "floors": {}, "days": days, "version": 1}


def contract_rules():
    return {
        "Token Legend": rank_rule("total_tokens", floors={"total_tokens": 1}),
        "Cache Wizard": rank_rule("cache_hit_ratio", floors={"cache_known_tokens": 1000000, "calls": 100}),
        "Session Immortal": rank_rule("longest_session_hours"),
        "Model Connoisseur": milestone("models_used", (3, 5, 8, 12, 20)),
        "Thrift Master": rank_rule("cost_per_1k_output", ascending=True, floors={"output_tokens": 100000}),
        "Marathoner": milestone("streak_days", (5, 10, 20, 40, 80), days=120),
        "Polyglot": milestone("providers_used", (2, 3, 4, 5, 6)),
        "Steady Hand": rank_rule("error_bound", ascending=True, floors={"calls": 500}),
        "Open Champion": rank_rule("open_weight_share", floors={"total_tokens": 1000000}),
    }


class Call:
    """One event: who, when, and what the metrics need."""

    def __init__(self, time, user, model="m", provider="acme", session="", error=False, **tokens):
        self.time, self.user, self.model, self.provider = time, user, model, provider
        self.session, self.error = session, error
        self.input = tokens.get("input", 0)
        self.cache_read = tokens.get("cache_read", 0)
        self.output = tokens.get("output", 0)
        self.known = tokens.get("known", True)
        self.cost_nano = tokens.get("cost_nano")  # None: no price
        self.count = tokens.get("count", 1)  # so many equal calls at the same time

    @property
    def tokens(self):
        return self.input + self.cache_read + self.output

    @property
    def silent(self):
        return not self.error and self.output == 0


class TitleOracle:
    def __init__(self, open_models=()):
        self.open_models = set(open_models)
        self.rules = contract_rules()
        self.calls = []
        self.main, self.service, self.out = {}, set(), set()
        self.flags = {}  # (user, rule, day): cleared
        self.held = {}  # (title, user): (tier, since, version), after the newest run
        self.before = {}  # the same before it
        self.as_of = None

    def person(self, user):
        return self.main.get(user, user)

    # --- flags

    def find_flags(self, as_of):
        first = (as_of - 30 * DAY) // DAY * DAY
        tokens, hours, sessions, rolling = Counter(), defaultdict(set), defaultdict(set), defaultdict(lambda: [0, 0])
        for call in self.calls:
            if call.time >= as_of:
                continue
            who, day = self.person(call.user), call.time // DAY
            tokens[who, day] += call.tokens * call.count
            hours[who, day].add(call.time // HOUR)
            if call.session:
                sessions[who, call.time // HOUR].add(call.session)
            if call.time >= as_of - DAY:
                rolling[who][0] += call.silent * call.count
                rolling[who][1] += (not call.error) * call.count
        found = {(who, "always active", day) for (who, day), seen in hours.items() if len(seen) > 20}
        found |= {(who, "many sessions", hour // 24) for (who, hour), seen in sessions.items() if len(seen) > 50}
        for (who, day), used in tokens.items():
            month = [tokens[who, other] for other in range(day - 29, day + 1) if (who, other) in tokens]
            if used > 1000000 and len(month) >= 5 and used > 100 * statistics.median(month):
                found.add((who, "sudden day", day))
        for who, (silent, ok) in rolling.items():
            if ok >= 100 and silent * 10 > ok * 9:
                found.add((who, "no output", (as_of - HOUR) // DAY))
        for key in found:
            if key[0] not in self.service and key[2] * DAY >= first:
                self.flags.setdefault(key, False)

    def flagged(self, as_of):
        return {
            self.person(who)
            for (who, _, day), cleared in self.flags.items()
            if not cleared and day * DAY < as_of and (day + 1) * DAY > as_of - 30 * DAY
        }

    # --- metrics

    def window(self, days, as_of, allowed):
        by_person = defaultdict(list)
        for call in self.calls:
            who = self.person(call.user)
            if who in allowed and as_of - days * DAY <= call.time < as_of:
                by_person[who].append(call)
        return by_person

    def entrants(self, rule, window):
        found = {}
        for who, calls in window.items():
            value = self.metric(rule["metric"], calls)
            floors = [(self.metric(name, calls), least) for name, least in rule["floors"].items()]
            if value is not None and all(got is not None and got >= least for got, least in floors):
                found[who] = value
        return found

    def metric(self, name, calls):
        return self.number(calls) if name == "calls" else getattr(self, name)(calls)

    def total_tokens(self, calls):
        return sum(call.tokens * call.count for call in calls)

    def output_tokens(self, calls):
        return sum(call.output * call.count for call in calls)

    def cache_known_tokens(self, calls):
        return sum((call.input + call.cache_read) * call.count for call in calls if call.known)

    def number(self, calls):
        return sum(call.count for call in calls)

    def cache_hit_ratio(self, calls):
        known = self.cache_known_tokens(calls)
        return Fraction(sum(call.cache_read * call.count for call in calls), known) if known else None

    def open_weight_share(self, calls):
        total = self.total_tokens(calls)
        return Fraction(self.total_tokens(c for c in calls if c.model in self.open_models), total) if total else None

    def cost_per_1k_output(self, calls):
        output = self.output_tokens(calls)
        if not output or any(call.cost_nano is None for call in calls):
            return None
        return Fraction(sum(call.cost_nano * call.count for call in calls), output * 10**6) or None

    def error_bound(self, calls):
        n = float(self.number(calls))
        p = float(sum(call.count for call in calls if call.error)) / n
        z = 1.959963984540054
        bound = (p + z * z / (2 * n) + z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)
        return float(f"{bound:.15g}")

    def models_used(self, calls):
        used = Counter()
        for call in calls:
            used[call.model] += call.count
        return sum(n >= 10 and n * 100 >= self.number(calls) for n in used.values()) or None

    def providers_used(self, calls):
        used = Counter()
        for call in calls:
            used[call.provider] += call.count
        return sum(n >= 10 and provider != "" for provider, n in used.items()) or None

    def streak_days(self, calls):
        days = {call.time // DAY for call in calls}
        longest = run = 0
        for day in range(min(days), max(days) + 1):
            if (day + 3) % 7 >= 5:  # day 0 was a Thursday
                continue
            run = run + 1 if day in days else 0
            longest = max(longest, run)
        return longest or None

    def longest_session_hours(self, calls):
        longest = 0
        sessions = defaultdict(list)
        for call in calls:
            if call.session:
                sessions[call.session].append(call.time)
        for times in sessions.values():
            first = last = None
            for time in sorted(times):
                if last is None or time - last >= GAP:
                    first = time
                last = time
                longest = max(longest, last - first)
        return Fraction(longest, HOUR) or None

    # --- awards

    def run(self, as_of):
        """{(title, user): (tier, rank, value, held since)}; the same hour may come again."""
        if as_of != self.as_of:
            self.before, self.as_of = self.held, as_of
        self.find_flags(as_of)
        people = {self.person(call.user) for call in self.calls if call.time < as_of}
        allowed = people - self.service - self.out - self.flagged(as_of)
        windows = {days: self.window(days, as_of, allowed) for days in {rule["days"] for rule in self.rules.values()}}
        self.held, result = {}, {}
        for title, rule in self.rules.items():
            values = self.entrants(rule, windows[rule["days"]])
            order = sorted(values.values(), reverse=not rule.get("ascending"))
            first = {}
            for place, value in enumerate(order, 1):
                first.setdefault(value, place)
            ranks = {who: first[value] for who, value in values.items()}
            give = self.by_rank if rule["kind"] == "rank" else self.by_value
            for who, tier in give(title, rule, values, ranks, allowed, as_of).items():
                was = self.before.get((title, who))
                since = was[1] if was and was[0] == tier else as_of
                self.held[title, who] = (tier, since, rule["version"])
                result[title, who] = (tier, ranks.get(who), values.get(who), since)
        return result

    def by_rank(self, title, rule, values, ranks, allowed, as_of):
        sharing = Counter(ranks.values())
        tiers = []
        for tier, limit in RANKS:
            border = max((rank for rank in sharing if rank <= limit), default=0)
            if sharing[border] <= 2 * limit:
                tiers.append((tier, limit))
        best = {who: next((tier for tier, limit in tiers if rank <= limit), None) for who, rank in ranks.items()}
        return {who: tier for who, tier in best.items() if tier}

    def by_value(self, title, rule, values, ranks, allowed, as_of):
        given = {}
        for who in allowed:
            was = self.before.get((title, who))
            if was and was[2] != rule["version"]:
                was = None
            for tier in TIERS:
                if tier not in rule["tiers"]:
                    continue
                threshold, value = rule["tiers"][tier], values.get(who, 0)
                kept = was and TIERS.index(was[0]) <= TIERS.index(tier) and value >= math.ceil(Fraction(9, 10) * threshold)
                fresh = was and was[0] == tier and was[1] > as_of - DAY
                if value >= threshold or kept or fresh:
                    given[who] = tier
                    break
        return given

