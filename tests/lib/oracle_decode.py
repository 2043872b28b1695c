# SPDX-License-Identifier: Apache-2.0
"""The oracle's first half: the bytes of one Kafka message -> records, by the contract and nothing else.

Written without a look at the C decoder, on Python's own json, made strict: no NaN, no Infinity, numbers kept as their
text (Decimal), keys that stand twice seen. Slow on purpose where slow is plainly right.
"""

import calendar
import json
import re
import sys
from collections import namedtuple
from decimal import Decimal
from fractions import Fraction

sys.set_int_max_str_digits(0)

TOKENS_MAX = 2**53
MESSAGE_MAX = 16 << 20
DEPTH_MAX = 32
FUTURE_US = 5 * 60 * 10**6
AGE_US = 35 * 86400 * 10**6
YEAR_0_MS, YEAR_10000_MS = -62167219200000, 253402300800000

BLANK = " \t\r\n"
STRINGS = {"user": 1, "model": 1, "event_id": 1, "team": 0, "app": 0, "session": 0, "provider": 0}
COUNTERS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)
WORDS = {"status": ("ok", "error"), "service_tier": ("standard", "batch", "flex", "priority")}
NUMBERS = {"cost_usd": 10**6, "duration_ms": 10**9, "ttft_ms": 10**9}
READ = {"time", *STRINGS, *COUNTERS, *WORDS, *NUMBERS}
REQUIRED = ("time", "user", "model")

Record = namedtuple("Record", "index reason event detail", defaults=(None,))  # reason None: a valid event


class Dead(Exception):
    def __init__(self, reason, detail=""):
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Number(str):
    """The text of a JSON number."""

    def exact(self):
        return Decimal(self)

    def double(self):
        return float(self)


class Document(dict):
    """An object, with the keys that stood in it twice."""

    twice = frozenset()


def document_of(pairs):
    found = Document(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        found.twice = frozenset(key for key in keys if keys.count(key) > 1)
    return found


def refuse_constant(name):
    raise ValueError(name)


DECODER = json.JSONDecoder(
    object_pairs_hook=document_of, parse_float=Number, parse_int=Number, parse_constant=refuse_constant, strict=True
)


def depth_of(text):
    """Deepest nesting of arrays and objects in the first document of text, strings left out."""
    deepest = depth = at = 0
    in_string = False
    while at < len(text):
        char = text[at]
        if in_string:
            if char == "\\":
                at += 1
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
            if depth <= 0:
                break
        at += 1
    return deepest


def parse_first(text):
    """(value, rest after it) of the first document; ValueError when it is broken."""
    start = len(text) - len(text.lstrip(BLANK))
    if (text.count("[") + text.count("{")) > DEPTH_MAX and depth_of(text[start:]) > DEPTH_MAX:
        raise Dead("too_deep")
    value, end = DECODER.raw_decode(text, start)
    return value, text[end:]


def parse_only(text):
    """The only document in text, or Dead."""
    if "\0" in text:
        raise Dead("nul_byte")
    try:
        text.encode()
    except UnicodeEncodeError:  # surrogateescape: these bytes were not UTF-8
        raise Dead("not_utf8") from None
    try:
        value, rest = parse_first(text)
    except ValueError:
        raise Dead("not_json") from None
    if rest.strip(BLANK):
        raise Dead("not_json", "more text")
    return value


def parses_as_object(line):
    try:
        return isinstance(parse_only(line), dict)
    except Dead:
        return False


def is_lines(text):
    """Whether each non-blank line is a record of its own."""
    try:
        _, rest = parse_first(text)
        text[: len(text) - len(rest)].encode()  # bytes that are not UTF-8 break a document too
        return bool(rest.strip(BLANK))
    except (Dead, ValueError):
        pass
    if text.lstrip(BLANK).startswith("["):
        return False
    lines = non_blank_lines(text)
    return len(lines) >= 2 and any(parses_as_object(line) for line in lines)


def non_blank_lines(text):
    return [line for line in text.split("\n") if line.strip(BLANK)]


def records_of(payload, now_us):
    """All records of one message, in order. payload None: a tombstone."""
    if payload is None or not payload:
        return [Record(0, "empty", None)]
    if len(payload) > MESSAGE_MAX:
        return [Record(0, "too_large", None)]
    text = payload.decode("utf-8", "surrogateescape")
    if not text.strip(BLANK):
        return [Record(0, "empty", None)]
    if is_lines(text):
        return [
            record_of(index, lambda line=line: parse_only(line), now_us)
            for index, line in enumerate(non_blank_lines(text))
        ]
    try:
        value = parse_only(text)
    except Dead as dead:
        return [Record(0, dead.reason, None, dead.detail)]
    if isinstance(value, list):
        if not value:
            return [Record(0, "empty", None)]
        return [record_of(index, lambda element=element: element, now_us) for index, element in enumerate(value)]
    return [record_of(0, lambda: value, now_us)]


def record_of(index, parse, now_us):
    try:
        return Record(index, None, event_of(parse(), now_us))
    except Dead as dead:
        return Record(index, dead.reason, None, dead.detail)


def event_of(document, now_us):
    """A dict of checked fields, with time_us, cost_nano (or None), durations as doubles (or None)."""
    if not isinstance(document, dict):
        raise Dead("bad_type", "not an object")
    for key in document.twice & READ:
        raise Dead("bad_type", f"duplicate key {key}")
    for key in REQUIRED:
        if key not in document:
            raise Dead("missing_field", key)
    event = {"time_us": time_of(document["time"], now_us)}
    for key, shortest in STRINGS.items():
        event[key] = string_of(document, key, shortest)
    for key, words in WORDS.items():
        event[key] = word_of(document, key, words)
    for key in COUNTERS:
        event[key] = counter_of(document, key)
    for key, limit in NUMBERS.items():
        event[key] = number_of(document, key, limit)
    check_sums(event)
    if event["cost_usd"] is not None:
        event["cost_nano"] = round(Fraction(event["cost_usd"]) * 10**9)  # round() of a Fraction: half to even
    return event


def text_of(value, key):
    """A string that is text: half a surrogate pair is JSON, but no character and nothing UTF-8 can hold."""
    if not isinstance(value, str) or isinstance(value, Number):
        raise Dead("bad_type", key)
    if "\0" in value:
        raise Dead("nul_byte", key)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Dead("not_utf8", key) from None
    return value


def string_of(document, key, shortest):
    if key not in document:
        return ""
    value = document[key]
    if not shortest <= len(text_of(value, key).encode()) <= 256:
        raise Dead("out_of_range", key)
    return value


def word_of(document, key, words):
    if key not in document:
        return words[0]
    value = document[key]
    if text_of(value, key) not in words:
        raise Dead("out_of_range", key)
    return value


def counter_of(document, key):
    if key not in document:
        return 0
    value = document[key]
    if not isinstance(value, Number):
        raise Dead("bad_type", key)
    exact = value.exact()
    if exact != exact.to_integral_value():
        raise Dead("bad_type", key)
    if not 0 <= exact <= TOKENS_MAX:
        raise Dead("out_of_range", key)
    return int(exact)


def number_of(document, key, limit):
    if key not in document:
        return None
    value = document[key]
    if not isinstance(value, Number):
        raise Dead("bad_type", key)
    double = value.double()
    if not 0 <= double <= limit:
        raise Dead("out_of_range", key)
    return double


def check_sums(event):
    if event["cache_write_1h_tokens"] > event["cache_write_tokens"]:
        raise Dead("out_of_range", "cache_write_1h_tokens")
    if event["reasoning_tokens"] > event["output_tokens"]:
        raise Dead("out_of_range", "reasoning_tokens")
    total = sum(event[key] for key in ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens"))
    if total > TOKENS_MAX:
        raise Dead("out_of_range", "total_tokens")


RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)


def time_of(value, now_us):
    if isinstance(value, Number):
        exact = value.exact()
        if exact != exact.to_integral_value() or not YEAR_0_MS <= exact < YEAR_10000_MS:
            raise Dead("bad_time")
        time_us = int(exact) * 1000
    else:
        time_us = rfc3339(text_of(value, "time"))
    if time_us > now_us + FUTURE_US:
        raise Dead("in_future")
    if time_us < now_us - AGE_US:
        raise Dead("too_old")
    return time_us


def rfc3339(text):
    found = RFC3339.fullmatch(text)
    if not found:
        raise Dead("bad_time")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    fraction, sign, zone_hour, zone_minute = found.groups()[6:]
    if not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 60:
        raise Dead("bad_time")
    if not 1 <= day <= days_in_month(year, month):
        raise Dead("bad_time")
    if sign and (int(zone_hour) > 23 or int(zone_minute) > 59):
        raise Dead("bad_time")
    seconds = days_before(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
    if sign:
        offset = int(zone_hour) * 3600 + int(zone_minute) * 60
        seconds -= offset if sign == "+" else -offset
    return seconds * 10**6 + int(((fraction or "") + "000000")[:6])


def days_in_month(year, month):
    return 29 if month == 2 and calendar.isleap(year) else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def days_before(year, month, day):
    """Days from 1970-01-01 in the proleptic Gregorian calendar; year 0, which datetime lacks, included."""
    whole = year - 1
    days = whole * 365 + whole // 4 - whole // 100 + whole // 400 - 719162
    return days + sum(days_in_month(year, earlier) for earlier in range(1, month)) + day - 1
