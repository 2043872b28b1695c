#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""schemas/model-call.schema.json and the decoder agree, with Python's jsonschema as judge; and every mapping file and sample of
docs/FORMATS.md is valid under schemas/mapping.schema.json.

Generated messages, most of them with something changed, go to both. What schemas/README.md says a schema cannot say is
known here: bytes of UTF-8, parts above wholes, totals, keys that stand twice, half surrogates.
"""

import copy
import decimal
import glob
import json
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import jsonschema
from oracle_decode import Dead, rfc3339

SOURCE = os.environ.get("srcdir", ".")
MESSAGES = int(os.environ.get("TOKENTALLY_TEST_MESSAGES", 15000))
SEED = int(os.environ.get("TOKENTALLY_TEST_SEED", random.SystemRandom().randrange(1 << 30)))
TEXTS = ("user", "model", "event_id", "team", "app", "session", "provider")
COUNTS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
PARTS = (("cache_write_1h_tokens", "cache_write_tokens"), ("reasoning_tokens", "output_tokens"))
NUMBERS = ("cost_usd", "duration_ms", "ttft_ms")
KEYS = ("time", *TEXTS, "status", "service_tier", *COUNTS, *(part for part, _ in PARTS), *NUMBERS)

VALUES = """null true false 0 -1 1 -0 0.0 5.0 1e2 1.5 -1.5 1e400 -1e400 9007199254740992 9007199254740993 9007199254740992.0
9007199254740993.0 1000000 1000000.1 1000000000 1000000001 253402300799999 253402300800000 -62167219200000 -62167219200001 "" "a" "ok"
"error" "OK" "batch" "flex" "priority" "standard" "\\u0000" "a\\u0000b" "\\ud83d" "\\ude80x" "\\ud83d\\ude80" "\\u00e9" [] {} [1] {"user":"x"}
"2026-11-23T12:00:00Z" "2026-11-23T12:00:00" "2026-02-29T00:00:00Z" "2024-02-29t00:00:00z" "2026-11-23 12:00:00+01:00"
"2026-11-23T24:00:00Z" "2026-11-23T12:00:60Z" "2026-11-23T12:00:00.123456789-23:59" "2026-11-23T12:00:00+24:00" "0000-01-01T00:00:00Z"
"2026-13-01T00:00:00Z" "20261123T120000Z" "1795435200000" 1795435200000 1795435200000.5 1.7954352e12""".split()
VALUES = [value for value in VALUES if not value.startswith('"2026-11-23') or value.endswith('"')] + [
    json.dumps("x" * 256),
    json.dumps("x" * 257),
    json.dumps("é" * 128, ensure_ascii=False),
    json.dumps("é" * 129, ensure_ascii=False),
    json.dumps("é" * 256),
    '"2026-11-23 12:00:00+01:00"',
]


def generated(rng):
    """[key, JSON text] of a message that both should take."""
    output, written = rng.randrange(5000), rng.randrange(5000)
    fields = {
        "time": rng.choice(['"2026-11-23T11:59:30.123Z"', "1795435170000", '"2026-11-23T12:59:30+01:00"']),
        "user": json.dumps(rng.choice(["alice", "Zoë", "🦊", "x" * 256])),
        "model": '"gpt-5"',
        "input_tokens": str(rng.randrange(10**6)),
        "cache_read_tokens": str(rng.randrange(10**6)),
        "cache_write_tokens": str(written),
        "cache_write_1h_tokens": str(rng.randint(0, written)),
        "output_tokens": str(output),
        "reasoning_tokens": str(rng.randint(0, output)),
        "cost_usd": repr(rng.random()),
        "duration_ms": repr(rng.random() * 1e4),
        "ttft_ms": str(rng.randrange(1000)),
        "status": rng.choice(['"ok"', '"error"']),
        "service_tier": rng.choice(['"standard"', '"batch"', '"flex"', '"priority"']),
        **{key: json.dumps(rng.choice(["", "x", "größe"])) for key in ("team", "app", "session", "provider")},
        "event_id": json.dumps(f"id-{rng.random()}"),
    }
    kept = [[key, text] for key, text in fields.items() if key in ("time", "user", "model") or rng.random() < 0.6]
    rng.shuffle(kept)
    return kept


def changed(rng, fields):
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        luck = rng.random()
        if luck < 0.7:
            key = rng.choice(KEYS)
            fields = [pair for pair in fields if pair[0] != key] + [[key, rng.choice(VALUES)]]
        elif luck < 0.8 and fields:
            fields.pop(rng.randrange(len(fields)))
        elif luck < 0.9:
            fields.append([rng.choice(("Time", "prompt", "x\\u0041", "\\u0075ser", "")), rng.choice(VALUES)])
        elif fields:
            fields.append(list(rng.choice(fields)))
    text = "{" + ",".join(f'"{key}":{value}' for key, value in fields) + "}"
    data = bytearray(text.encode())
    if rng.random() < 0.25:
        for _ in range(rng.randint(1, 3)):
            where = rng.randrange(len(data))
            luck = rng.random()
            if luck < 0.4:
                data[where] = rng.choice(b'{}[],:"\\ue0123456789-.+tfn \xff\xc3')
            elif luck < 0.7:
                del data[where]
            else:
                data.insert(where, rng.choice(b'{}[],:"\\0e \xe9'))
    return bytes(data)


class Twice(Exception):
    pass


def members(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys) and any(keys.count(key) > 1 and key in KEYS for key in keys):
        found = dict(pairs)
        found["\0twice"] = True
        return found
    return dict(pairs)


def refuse(word):
    raise ValueError(word)


def parsed(message):
    text = message.decode("utf-8")
    return json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal, parse_constant=refuse, object_pairs_hook=members)


def has_surrogate(text):
    return any(0xD800 <= ord(letter) < 0xE000 for letter in text)


def beyond_schema(event):
    """What a schema cannot say; the message is valid under it."""
    if "\0twice" in event:
        return False
    for key in (*TEXTS, "time"):
        text = event.get(key, "")
        if isinstance(text, str) and (has_surrogate(text) or len(text.encode("utf-8", "surrogatepass")) > 256 and key != "time"):
            return False
    if any(event.get(part, 0) > event.get(whole, 0) for part, whole in PARTS):
        return False
    return sum(event.get(key, 0) for key in COUNTS) <= 2**53


def judge_of():
    formats = jsonschema.FormatChecker(formats=())

    @formats.checks("date-time", raises=Dead)
    def is_time(text):
        return not isinstance(text, str) or rfc3339(text) is not None

    types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: isinstance(value, decimal.Decimal) and value == value.to_integral_value(),
            "number": lambda _, value: isinstance(value, decimal.Decimal),
        }
    )
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=types)
    with open(f"{SOURCE}/schemas/model-call.schema.json") as file:
        return validator(json.load(file), format_checker=formats)


def expectation(judge, message):
    """True, False, or None where a message is several records."""
    try:
        event = parsed(message)
    except (ValueError, RecursionError, decimal.InvalidOperation):
        return False
    if isinstance(event, list):
        return None
    plain = {key: value for key, value in event.items() if key != "\0twice"} if isinstance(event, dict) else event
    return bool(isinstance(event, dict) and judge.is_valid(plain) and beyond_schema(event))


def check_messages():
    rng = random.Random(SEED)
    messages = []
    while len(messages) < MESSAGES:
        message = changed(rng, generated(rng))
        if message and message.count(b"\n") == 0 and not message.startswith(b"\xef\xbb\xbf"):
            messages.append(message)
    wire = b"".join(b"%d\n%s" % (len(message), message) for message in messages)
    told = subprocess.run(["tests/tools/verdicts"], input=wire, capture_output=True, check=True).stdout.decode().split("\n")
    judge, wrong, taken = judge_of(), [], 0
    for message, verdict in zip(messages, told):
        expected = expectation(judge, message)
        taken += expected is True
        if expected is not None and expected != (verdict == "event"):
            wrong.append((expected, verdict, message[:400]))
    for expected, verdict, message in wrong[:5]:
        print(f"# schema {'takes' if expected else 'refuses'} it, decoder: {verdict}: {message}")
    ok = not wrong and len(told) == len(messages) + 1 and MESSAGES * 0.1 < taken < MESSAGES * 0.9
    report(ok, f"schema and decoder agree on {len(messages)} messages, {taken} of them valid (seed {SEED})")


def mutated_mapping(rng, mapping):
    """The same with one thing changed somewhere."""
    mapping = copy.deepcopy(mapping)
    places, stack = [], [mapping]
    while stack:
        at = stack.pop()
        for key in at if isinstance(at, dict) else range(len(at)):
            places.append((at, key))
            if isinstance(at[key], (dict, list)):
                stack.append(at[key])
    at, key = rng.choice(places)
    at[key] = rng.choice([None, 1, "x", [], {}, True, {"path": "/x"}, {"x": "/x"}])
    return mapping


def check_mappings():
    with open(f"{SOURCE}/schemas/mapping.schema.json") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    with open(f"{SOURCE}/docs/FORMATS.md") as file:
        samples = re.findall(r"^```json mapping \w+\n(.*?)^```", file.read(), re.M | re.S)
    texts = samples + [
        open(path).read() for path in sorted(glob.glob(f"{SOURCE}/schemas/*.json")) if not path.endswith(".schema.json")
    ]
    wrong = [error.message[:200] for text in texts for error in judge.iter_errors(json.loads(text))]
    report(not wrong and len(texts) >= 10, f"{len(texts)} mapping files are valid under their schema", wrong[:3])
    rng, strict, mappings = random.Random(SEED), [], [json.loads(text) for text in texts]
    cases = [mutated_mapping(rng, rng.choice(mappings)) for _ in range(1500)]
    wire = b"".join(b"%d\n%s" % (len(text), text) for text in (json.dumps(case).encode() for case in cases))
    told = subprocess.run(["tests/tools/verdicts", "--mappings"], input=wire, capture_output=True, check=True)
    for case, verdict in zip(cases, told.stdout.decode().split("\n")):
        # The reader knows more (which units a field has, that fields are not missing), never less.
        if verdict == "mapping" and not judge.is_valid(case):
            strict.append(f"{next(judge.iter_errors(case)).message[:200]}: {json.dumps(case)[:300]}")
    report(not strict, f"what the schema refuses, the reader of mapping files refuses ({len(cases)} changed ones)", strict[:3])


FAILED = []
DONE = []


def report(ok, what, details=()):
    DONE.append(what)
    print(f"{'ok' if ok else 'not ok'} {len(DONE)} - {what}")
    for detail in details if not ok else ():
        print(f"# {detail}")
    if not ok:
        FAILED.append(what)


check_messages()
check_mappings()
print(f"1..{len(DONE)}")
sys.exit(1 if FAILED else 0)
