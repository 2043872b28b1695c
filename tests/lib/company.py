# SPDX-License-Identifier: Apache-2.0
"""A made-up company whose people call models: seeded native events, as hard to count as a real sender's.

Names that look alike, decimals that fall between, ties of .5, times in every notation, out of order, duplicates.
Everything comes from one random.Random(seed), so a seed is a run. No person is made suspicious in the sense of the
contract's title flags: people work at most 14 hours a day.
"""

import bisect
import itertools
import json
import random

HOUR_US = 3600 * 10**6

ODD_NAMES = [
    "alice",
    "Alice",
    "ALICE",
    "bob",
    "bob ",
    "bob  ",
    " bob",
    "Zoë",
    "Zoe\u0308",
    "山田太郎",
    "🦊",
    "🦊🦊",
    "👩‍🚀",
    "x" * 256,
    "x" * 255,
    "ü" * 128,
    "🦊" * 64,
    "O'Brien; DROP TABLE person --",
    'quote"back\\slash',
    "{curly,braces}",
    "NULL",
    "null",
    "\\N",
    "tab\there",
    "line\nbreak",
    "ctrl\u0001\u007f",
    "a\u2028b",
    "\u202ertl",
    "0",
    "-",
    "%s%n",
    "(hidden)",
    "search",
    "a,b",
    "\ufeffbom",
    "ﬁ",
    "fi",
    "İ",
    "i\u0307",
]
TEAMS = ["", "search", "Search", "ads", "платформа", "data & ml", "core", "t\t", "x" * 256, "(other)", "small"]
APPS = ["", "ide", "chat", "IDE", "batch-job", "🦊", "ci\\cd"]
MODELS = [
    ("openai", "gpt-5"),
    ("azure", "gpt-5"),
    ("openai", "gpt-5-mini"),
    ("anthropic", "claude-opus"),
    ("anthropic", "claude-haiku"),
    ("", "gpt-5"),
    ("local", "llama-4"),
    ("local", "Llama-4"),
    ("mistral", "größe"),
    ("openai", "text-embedding-3"),
    ("voyage", "EMBED-large"),
    ("x" * 256, "y" * 256),
]
COSTS = [
    "0",
    "0.0",
    "1e-9",
    "5e-10",
    "1.5e-9",
    "2.5e-9",
    "4.9e-10",
    "0.0009765625",
    "0.0029296875",
    "0.1",
    "0.3",
    "1E-2",
    "0.30000000000000004",
    "123.456789012345678901234567890",
    "0.000000001",
    "1.0000000005",
    "7e-12",
    "99.999999999499",
    "3.0517578125e-05",
    "0.07",
    "1.1e1",
]
DURATIONS = [
    "0",
    "0.5",
    "1",
    "1.5",
    "2.5",
    "3.5",
    "0.49999999999999994",
    "1.05",
    "1.1025",
    "1e3",
    "2500.5",
    "2501.5",
    "3600000",
    "3600000.5",
    "3704400",
    "1000000000",
    "17.25",
    "12345.678",
]
FRACTIONS = ["", ".5", ".25", ".123", ".123456", ".1234567", ".999999999", ".000001", ".0"]


class Person:
    def __init__(self, rng, name, weight):
        self.name = name
        self.weight = weight
        self.team = rng.choice(TEAMS)
        self.apps = rng.sample(APPS, 2)
        self.models = rng.sample(MODELS, rng.randint(1, 4))
        self.start_hour = rng.randrange(24)
        self.hours = rng.randint(8, 14)
        self.cache_share = rng.random()
        self.session = None

    def works_at(self, time_us):
        return (time_us // HOUR_US - self.start_hour) % 24 < self.hours


class Company:
    """events(): one native event after another, as JSON text. The clock goes from start to end, with latecomers."""

    def __init__(self, seed, people, start_us, end_us):
        self.rng = random.Random(seed)
        self.start_us, self.end_us = start_us, end_us
        names = ODD_NAMES[:people] + [f"user-{number:05}@example.org" for number in range(people - len(ODD_NAMES))]
        self.rng.shuffle(names)
        self.people = [Person(self.rng, name, 1 / (place + 8) ** 0.9) for place, name in enumerate(names)]
        self.weights = list(itertools.accumulate(person.weight for person in self.people))
        self.ids = itertools.count()

    def someone_at(self, time_us):
        while True:
            point = self.rng.random() * self.weights[-1]
            person = self.people[bisect.bisect(self.weights, point)]
            if person.works_at(time_us):
                return person

    def time_at(self, progress):
        """An event's time when `progress` (0..1) of the load is sent: mostly the newest, some late, a few very."""
        rng = self.rng
        time_us = self.start_us + int(progress * (self.end_us - self.start_us))
        luck = rng.random()
        late = 120 * 10**6 if luck < 0.9 else 2 * HOUR_US if luck < 0.99 else 48 * HOUR_US
        return max(self.start_us, time_us - rng.randrange(late))

    def event(self, progress, with_id=True):
        """(event_id or None, JSON text on one line)."""
        rng = self.rng
        time_us = self.time_at(progress)
        person = self.someone_at(time_us)
        provider, model = rng.choice(person.models)
        fields = [("time", time_text(rng, time_us)), ("user", quoted(rng, person.name)), ("model", quoted(rng, model))]
        event_id = f"{next(self.ids):x}-{rng.randrange(1 << 32):08x}" if with_id and rng.random() < 0.9 else None
        if event_id:
            fields.append(("event_id", quoted(rng, event_id)))
        for key, value in (
            ("team", person.team),
            ("app", rng.choice(person.apps)),
            ("provider", provider),
            ("session", self.session_of(person)),
        ):
            if value or rng.random() < 0.5:
                fields.append((key, quoted(rng, value)))
        fields += self.tokens(person) + self.figures()
        if rng.random() < 0.2:
            fields += unknown_fields(rng)
        rng.shuffle(fields)
        blank = rng.choice(["", "", " "])
        return event_id, "{" + ("," + blank).join(f'"{key}":{blank}{value}' for key, value in fields) + "}"

    def session_of(self, person):
        rng = self.rng
        if rng.random() < 0.15:
            return ""
        if rng.random() < 0.02:
            return "shared-session"  # one id, many people
        if person.session is None or rng.random() < 0.08:
            person.session = f"{person.start_hour}-{next(self.ids)}"
        return person.session

    def tokens(self, person):
        rng = self.rng
        prompt = int(rng.lognormvariate(9.5, 1.3))
        read = int(prompt * person.cache_share * rng.random())
        written = int((prompt - read) * rng.random() * 0.5)
        output = 0 if rng.random() < 0.05 else int(rng.lognormvariate(6, 1))
        if rng.random() < 0.0005:
            prompt += rng.choice([128000, 200000, 272000, 10**9, 2**40])
        counters = {
            "input_tokens": prompt - read - written,
            "cache_read_tokens": read,
            "cache_write_tokens": written,
            "cache_write_1h_tokens": rng.randint(0, written),
            "output_tokens": output,
            "reasoning_tokens": rng.randint(0, output),
        }
        return [(key, whole_number(rng, value)) for key, value in counters.items() if value or rng.random() < 0.5]

    def figures(self):
        rng = self.rng
        fields = []
        if rng.random() < 0.85:
            cost = rng.choice(COSTS) if rng.random() < 0.3 else repr(rng.lognormvariate(-4, 2))
            fields.append(("cost_usd", cost))
        for key, chance in (("duration_ms", 0.9), ("ttft_ms", 0.6)):
            if rng.random() < chance:
                usual = repr(round(rng.lognormvariate(7, 1.5), rng.randrange(4)))
                fields.append((key, rng.choice(DURATIONS) if rng.random() < 0.1 else usual))
        if rng.random() < 0.04:
            fields.append(("status", '"error"'))
        elif rng.random() < 0.3:
            fields.append(("status", '"ok"'))
        if rng.random() < 0.2:
            fields.append(("service_tier", rng.choice(['"standard"', '"batch"', '"flex"', '"priority"'])))
        return fields


def quoted(rng, text):
    return json.dumps(text, ensure_ascii=rng.random() < 0.3)


def whole_number(rng, value):
    """A whole number as senders write it: 12, 12.0, 1.2e1."""
    luck = rng.random()
    if luck < 0.97:
        return str(value)
    if luck < 0.985 or value >= 10**15:
        return f"{value}.0"
    digits = str(value)
    return f"{digits[0]}.{digits[1:] or '0'}e{len(digits) - 1}"


def time_text(rng, time_us):
    """time as epoch milliseconds or RFC 3339 with some offset. Sub-millisecond digits only in the latter."""
    if rng.random() < 0.5:
        return str(time_us // 1000)
    offset = rng.choice([0, 0, 60, -300, 330, 345, -570, 840, -720])
    seconds = time_us // 10**6 + offset * 60
    days, second = divmod(seconds, 86400)
    year, month, day = civil(days)
    zone = "Z" if offset == 0 else f"{'+' if offset > 0 else '-'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    fraction = rng.choice(FRACTIONS)
    return (
        f'"{year:04}-{month:02}-{day:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}'
        f'{fraction}{zone}"'
    )


def civil(days):
    """(year, month, day) of a day number since 1970-01-01."""
    days += 719468
    era, rest = divmod(days, 146097)
    year = (rest - rest // 1460 + rest // 36524 - rest // 146096) // 365
    rest -= 365 * year + year // 4 - year // 100
    month = (5 * rest + 2) // 153
    day = rest - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return year + era * 400 + (month <= 2), month, day


def unknown_fields(rng):
    """Fields nobody reads, with all that would be wrong in one that is read."""
    return rng.sample(
        [
            ("prompt", '"do not store me \\u0000 \\ud83e\\udd8a"'),
            ("Time", "null"),
            ("USER", "[1, {\"user\": 2}]"),
            ("metadata", '{"user": "mallory", "time": 0, "input_tokens": -1, "x": [[[[1]]]]}'),
            ("big", "1e400"),
            ("n", "9007199254740993"),
            ("", '""'),
            ("tags", '["a", "b", null, true]'),
        ],
        rng.randint(1, 3),
    )
