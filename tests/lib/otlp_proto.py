# SPDX-License-Identifier: Apache-2.0
"""OTLP/JSON to OTLP/Protobuf, by hand: what the Collector's kafka exporter does by default. Independent of the daemon's
schemas/otlp.proto: field numbers are those of opentelemetry-proto."""

import struct


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def text(number, value):
    return field(number, value.encode()) if value else b""


def integer(number, value):
    return varint(number << 3) + varint(int(value)) if value else b""


def fixed64(number, value):
    return varint(number << 3 | 1) + struct.pack("<Q", int(value)) if int(value or 0) else b""


def any_value(value):
    ((kind, inner),) = value.items()
    if kind == "stringValue":
        return field(1, inner.encode())
    if kind == "boolValue":
        return varint(2 << 3) + varint(int(inner))
    if kind == "intValue":
        return varint(3 << 3) + varint(int(inner))
    if kind == "doubleValue":
        return varint(4 << 3 | 1) + struct.pack("<d", float(inner))
    if kind == "arrayValue":
        return field(5, b"".join(field(1, any_value(item)) for item in inner.get("values", [])))
    if kind == "kvlistValue":
        return field(6, attributes(1, inner.get("values", [])))
    return field(7, bytes(inner))


def attributes(number, pairs):
    return b"".join(
        field(number, text(1, pair["key"]) + field(2, any_value(pair["value"]))) for pair in pairs or []
    )


def span(one):
    status = one.get("status") or {}
    return (
        field(1, bytes.fromhex(one.get("traceId", "")))
        + field(2, bytes.fromhex(one.get("spanId", "")))
        + text(3, one.get("traceState", ""))
        + field(4, bytes.fromhex(one.get("parentSpanId", "")))
        + text(5, one.get("name", ""))
        + integer(6, one.get("kind", 0))
        + fixed64(7, one.get("startTimeUnixNano", 0))
        + fixed64(8, one.get("endTimeUnixNano", 0))
        + attributes(9, one.get("attributes"))
        + b"".join(
            field(11, fixed64(1, event.get("timeUnixNano", 0)) + text(2, event.get("name", "")) + attributes(3, event.get("attributes")))
            for event in one.get("events", [])
        )
        + field(15, text(2, status.get("message", "")) + integer(3, status.get("code", 0)))
    )


def log(one):
    body = one.get("body")
    return (
        fixed64(1, one.get("timeUnixNano", 0))
        + integer(2, one.get("severityNumber", 0))
        + text(3, one.get("severityText", ""))
        + (field(5, any_value(body)) if body else b"")
        + attributes(6, one.get("attributes"))
        + field(9, bytes.fromhex(one.get("traceId", "")))
        + field(10, bytes.fromhex(one.get("spanId", "")))
        + fixed64(11, one.get("observedTimeUnixNano", 0))
        + text(12, one.get("eventName", ""))
    )


def metric(one):
    return text(1, one.get("name", "")) + text(3, one.get("unit", "")) + field(9, b"")


KINDS = (
    ("resourceSpans", "scopeSpans", "spans", span),
    ("resourceLogs", "scopeLogs", "logRecords", log),
    ("resourceMetrics", "scopeMetrics", "metrics", metric),
)


def to_proto(batch):
    """An Export*ServiceRequest as JSON (a dict) -> its bytes in Protobuf."""
    out = b""
    for outer, scopes, records, record in KINDS:
        for resource in batch.get(outer, []):
            inside = field(1, attributes(1, (resource.get("resource") or {}).get("attributes")))
            for scope in resource.get(scopes, []):
                about = scope.get("scope") or {}
                inside += field(
                    2,
                    field(1, text(1, about.get("name", "")) + text(2, about.get("version", "")))
                    + b"".join(field(2, record(one)) for one in scope.get(records, [])),
                )
            out += field(1, inside)
    return out
