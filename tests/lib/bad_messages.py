# SPDX-License-Identifier: Apache-2.0
"""Every kind of bad input, with the dead letters that the contract wants for it, written down by hand.

(name, bytes or None for a tombstone, [(record, reason)]). A message with fewer dead letters than records has good
neighbours in it, which must count.
"""

import json


def bad_messages(now_ms):
    def event(without=(), **fields):
        """A good event with some fields set to raw JSON text and some left out."""
        good = {"time": str(now_ms - 60000), "user": '"neighbour"', "model": '"gpt-5"', "input_tokens": "10", **fields}
        return "{" + ",".join(f'"{key}":{value}' for key, value in good.items() if key not in without) + "}"

    good = event()
    deep = "[" * 1000 + "]" * 1000

    def one(name, text, reason):
        return name, text if isinstance(text, bytes) or text is None else text.encode(), [(0, reason)]

    found = [
        one("tombstone", None, "empty"),
        one("empty message", b"", "empty"),
        one("only blanks", b" \r\n\t ", "empty"),
        one("empty array", b"[]", "empty"),
        one("not JSON", "user=alice tokens=5", "not_json"),
        one("half an object", good[:-1], "not_json"),
        one("comma at the end", good[:-1] + ",}", "not_json"),
        one("single quotes", good.replace('"', "'"), "not_json"),
        one("NaN", event(cost_usd="NaN"), "not_json"),
        one("Infinity", event(duration_ms="-Infinity"), "not_json"),
        one("leading zero", event(input_tokens="01"), "not_json"),
        one("bare point", event(cost_usd="1."), "not_json"),
        one("plus sign", event(input_tokens="+1"), "not_json"),
        one("raw newline in a string", event(user='"a\nb"'), "not_json"),
        one("syntax error inside an array", f"[{good},{good},{{]", "not_json"),
        one("two documents on one line", good + good, "not_json"),
        one("a number", "42", "bad_type"),
        one("a string", '"alice"', "bad_type"),
        one("null", "null", "bad_type"),
        one("raw NUL", event(user='"ali\0ce"'), "nul_byte"),
        one("raw NUL after the document", good + "\0", "nul_byte"),
        one("\\u0000 in the user", event(user='"alice\\u0000bob"'), "nul_byte"),
        one("\\u0000 in the session", event(session='"\\u0000"'), "nul_byte"),
        one("bad UTF-8", event(user='"al').encode()[:-2] + b'\xff"}', "not_utf8"),
        one("overlong UTF-8", b'{"x":"\xc0\xaf",' + good[1:].encode(), "not_utf8"),
        one("surrogate in UTF-8", b'{"x":"\xed\xa0\x80",' + good[1:].encode(), "not_utf8"),
        one("half a surrogate pair", event(user='"\\ud83e"'), "not_utf8"),
        one("Latin-1", event(team='"M\u00fcnchen"').encode("latin-1"), "not_utf8"),
        one("1,000 levels", event(x=deep), "too_deep"),
        one("33 levels", event(x="[" * 32 + "]" * 32), "too_deep"),
        one("no user", event(without=("user",)), "missing_field"),
        one("no model", event(without=("model",)), "missing_field"),
        one("no time", event(without=("time",)), "missing_field"),
        one("only tokens", '{"user":"mallory","input_tokens":1}', "missing_field"),
        one("duplicate user", event()[:-1] + ',"user":"mallory"}', "bad_type"),
        one("duplicate key, escaped", event()[:-1] + ',"\\u0075ser":"mallory"}', "bad_type"),
        one("user is a number", event(user="7"), "bad_type"),
        one("user is null", event(user="null"), "bad_type"),
        one("team is null", event(team="null"), "bad_type"),
        one("time is a boolean", event(time="true"), "bad_type"),
        one("tokens as a string", event(input_tokens='"10"'), "bad_type"),
        one("half a token", event(output_tokens="1.5"), "bad_type"),
        one("tokens null", event(output_tokens="null"), "bad_type"),
        one("cost as a string", event(cost_usd='"0.1"'), "bad_type"),
        one("status a boolean", event(status="true"), "bad_type"),
        one("2^53+1", event(input_tokens="9007199254740993"), "out_of_range"),
        one("2^64", event(input_tokens="18446744073709551616"), "out_of_range"),
        one("total above 2^53", event(input_tokens="9007199254740992", output_tokens="1"), "out_of_range"),
        one("negative", event(output_tokens="-1"), "out_of_range"),
        one("1e400 tokens", event(input_tokens="1e400"), "out_of_range"),
        one("1e400 dollars", event(cost_usd="1e400"), "out_of_range"),
        one("negative cost", event(cost_usd="-0.01"), "out_of_range"),
        one("a million and one dollars", event(cost_usd="1000001"), "out_of_range"),
        one("endless duration", event(duration_ms="1000000001"), "out_of_range"),
        one("negative ttft", event(ttft_ms="-1"), "out_of_range"),
        one("empty user", event(user='""'), "out_of_range"),
        one("empty event_id", event(event_id='""'), "out_of_range"),
        one("user of 257 bytes", event(user=json.dumps("x" * 257)), "out_of_range"),
        one("user of 129 two-byte letters", event(user=json.dumps("ü" * 129)), "out_of_range"),
        one("team of 257 bytes", event(team=json.dumps("x" * 257)), "out_of_range"),
        one("unknown status", event(status='"OK"'), "out_of_range"),
        one("unknown tier", event(service_tier='"turbo"'), "out_of_range"),
        one("more 1h writes than writes", event(cache_write_tokens="5", cache_write_1h_tokens="6"), "out_of_range"),
        one("more reasoning than output", event(output_tokens="5", reasoning_tokens="6"), "out_of_range"),
        one("time is a word", event(time='"yesterday"'), "bad_time"),
        one("time without offset", event(time='"2026-11-23T10:00:00"'), "bad_time"),
        one("a date", event(time='"2026-11-23"'), "bad_time"),
        one("30 February", event(time='"2026-02-30T10:00:00Z"'), "bad_time"),
        one("24 o'clock", event(time='"2026-11-23T24:00:00Z"'), "bad_time"),
        one("offset of 24 hours", event(time='"2026-11-23T10:00:00+24:00"'), "bad_time"),
        one("empty time", event(time='""'), "bad_time"),
        one("epoch", event(time="0"), "too_old"),
        one("epoch seconds", event(time=str(now_ms // 1000)), "too_old"),
        one("36 days ago", event(time=str(now_ms - 36 * 86400000)), "too_old"),
        one("year 1", event(time='"0001-01-01T00:00:00Z"'), "too_old"),
        one("in an hour", event(time=str(now_ms + 3600000)), "in_future"),
        one("microseconds", event(time=str(now_ms * 1000)), "bad_time"),
        one("half a millisecond", event(time=f"{now_ms}.5"), "bad_time"),
        one("year 9999", event(time='"9999-12-31T23:59:59Z"'), "in_future"),
    ]
    return (
        found
        + mixed_messages(event, good)
        + [
            one("20 MB", '{"x":"' + "y" * (20 << 20) + '",' + good[1:], "too_large"),
            ("15 MB in a field nobody reads", ('{"x":"' + "y" * (15 << 20) + '",' + good[1:]).encode(), []),
        ]
    )


def mixed_messages(event, good):
    """Bad records between good ones in one message."""
    bad = event(user="null")
    return [
        (
            "array with bad elements",
            f'[{good},{bad},7,[],null,"x",{event(without=("user",))},{good}]'.encode(),
            [(1, "bad_type"), (2, "bad_type"), (3, "bad_type"), (4, "bad_type"), (5, "bad_type"), (6, "missing_field")],
        ),
        ("lines with a broken one", f"{good}\n{good[:-1]}\n\n{good}\n".encode(), [(1, "not_json")]),
        ("lines, the first one broken", f"{good[1:]}\n{good}\n{good}".encode(), [(0, "not_json")]),
        (
            "lines, one of bad UTF-8",
            f"{good}\n".encode() + b'{"user":"\xff"}' + f"\n{good}".encode(),
            [(1, "not_utf8")],
        ),
        ("lines, one with a NUL", f"{good}\n{good[:-1]}\0}}\n{good}".encode(), [(1, "nul_byte")]),
        (
            "lines, an array and a scalar among them",
            f"{good}\n[{good}]\n1".encode(),
            [(1, "bad_type"), (2, "bad_type")],
        ),
        ("lines, a second document on one", f"{good}\n{good} {good}\n{good}".encode(), [(1, "not_json")]),
        (
            "lines, one a thousand levels deep",
            f"{good}\n{event(x='[' * 1000 + ']' * 1000)}\n{good}".encode(),
            [(1, "too_deep")],
        ),
        ("\\u0000 in a field nobody reads", event(x='"\\u0000"').encode(), []),
        ("half a surrogate pair in a field nobody reads", event(x='"\\ud83e"').encode(), []),
        ("a key twice that nobody reads", event()[:-1].encode() + b',"x":1,"x":2}', []),
        ("32 levels", event(x="[" * 31 + "]" * 31).encode(), []),
        ("2^53", event(input_tokens="9007199254740992", session='"big"').encode(), []),
        ("whole numbers as floats", event(input_tokens="1e2", output_tokens="5.0").encode(), []),
        ("leap second", event(time='"2026-11-20T23:59:60Z"').encode(), []),
        ("blank and small letters in the time", event(time='"2026-11-20t10:00:00z"').encode(), []),
    ]
