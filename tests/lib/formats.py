# SPDX-License-Identifier: Apache-2.0
"""One call in the words of the canonical event, written as each sender would write it."""

import json

from company import civil
from otlp_proto import to_proto

PROMPT_MARKER = "MARKER-of-a-prompt-that-must-not-stay"


class Raw(float):
    """A number that is written into JSON as it was in the text it comes from."""

    def __new__(cls, text):
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __repr__(self):
        return self.text


def dumps(value):
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{dumps(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dumps(inner) for inner in value) + "]"
    return json.dumps(value)


def filled(pairs):
    return {key: value for key, value in pairs.items() if value not in (None, "")}


def native(call):
    fields = {key: value for key, value in call.items() if key != "time_us"}
    days, rest = divmod(call["time_us"], 86400 * 10**6)
    seconds, micros = divmod(rest, 10**6)
    date = "%04d-%02d-%02d" % civil(days)
    fields["time"] = f"{date}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{micros:06}Z"
    fields["prompt"] = PROMPT_MARKER
    return filled(fields)


def seconds(time_us):
    return Raw(f"{time_us // 10**6}.{time_us % 10**6:06}")


def prompt_of(call):
    return call["input_tokens"] + call["cache_read_tokens"] + call["cache_write_tokens"]


def litellm(call):
    prompt, end = prompt_of(call), call["time_us"]
    start = end - call["duration_ms"] * 1000
    return {
        "id": call.get("event_id"),
        "trace_id": call.get("session"),
        "call_type": "acompletion",
        "stream": call["ttft_ms"] is not None,
        "status": "failure" if call["status"] == "error" else "success",
        "custom_llm_provider": call.get("provider"),
        "model": call["model"],
        "startTime": seconds(start),
        "endTime": seconds(end),
        "completionStartTime": seconds(end if call["ttft_ms"] is None else start + call["ttft_ms"] * 1000),
        "prompt_tokens": prompt,
        "completion_tokens": call["output_tokens"],
        "total_tokens": prompt + call["output_tokens"],
        "response_cost": call["cost_usd"],
        "cache_hit": None,
        "model_parameters": {"service_tier": call["service_tier"]},
        "metadata": {
            "user_api_key_hash": "f834",
            "user_api_key_user_id": call["user"],
            "user_api_key_team_alias": call.get("team"),
            "requester_metadata": {"app": call.get("app")},
            "usage_object": {
                "prompt_tokens_details": {"cached_tokens": call["cache_read_tokens"]},
                "cache_creation_input_tokens": call["cache_write_tokens"],
                "completion_tokens_details": {"reasoning_tokens": call["reasoning_tokens"]},
            },
        },
        "messages": [{"role": "user", "content": PROMPT_MARKER}],
        "response": {"choices": [{"message": {"content": PROMPT_MARKER}}]},
    }


def attribute(key, value):
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}
    if isinstance(value, float):
        return {"key": key, "value": {"doubleValue": value}}
    return {"key": key, "value": {"stringValue": value}}


def attributes(pairs):
    return [attribute(key, value) for key, value in pairs.items() if value not in (None, "")]


def span(call, number):
    end = call["time_us"] * 1000
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": str(end - call["duration_ms"] * 10**6),
        "endTimeUnixNano": str(end),
        "status": {"code": 2} if call["status"] == "error" else {},
        "events": [{"name": "gen_ai.content", "attributes": attributes({"gen_ai.prompt": PROMPT_MARKER})}],
        "attributes": attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": call.get("provider"),
                "gen_ai.response.model": call["model"],
                "gen_ai.response.id": call.get("event_id"),
                "gen_ai.conversation.id": call.get("session"),
                "gen_ai.input.messages": PROMPT_MARKER,
                "user.id": call["user"],
                "team.id": call.get("team"),
                "openai.response.service_tier": call["service_tier"],
                "gen_ai.usage.input_tokens": prompt_of(call),
                "gen_ai.usage.cache_read.input_tokens": call["cache_read_tokens"],
                "gen_ai.usage.cache_creation.input_tokens": call["cache_write_tokens"],
                "gen_ai.usage.output_tokens": call["output_tokens"],
                "gen_ai.usage.reasoning.output_tokens": call["reasoning_tokens"],
                "gen_ai.usage.cost": call["cost_usd"],
                "gen_ai.response.time_to_first_chunk": None if call["ttft_ms"] is None else call["ttft_ms"] / 1000,
            }
        ),
    }


def batch(calls, first):
    """One request of the Collector: a resource for each app."""
    apps = {}
    for number, call in enumerate(calls):
        apps.setdefault(call.get("app") or "", []).append(span(call, first + number))
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": attributes({"service.name": app, "host.name": "h"})},
                "scopeSpans": [{"scope": {"name": "x", "version": "1"}, "spans": spans}],
            }
            for app, spans in apps.items()
        ]
    }


def message(form, calls, first):
    """These calls as one Kafka message of a format; first: the number of the first of them."""
    if form == "otlp_proto":
        return to_proto(batch(calls, first))
    if form == "otlp_json":
        return dumps(batch(calls, first)).encode()
    records = [dumps({"native": native, "litellm": litellm}[form](call)) for call in calls]
    return ("[" + ",".join(records) + "]").encode() if first % 2 else "\n".join(records).encode()
