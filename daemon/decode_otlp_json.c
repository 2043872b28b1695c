/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_otlp_json: OTLP/JSON: lowerCamelCase keys, ids in hexadecimal, 64-bit integers as decimal
 * strings or as numbers, enums as numbers or names. All of it has passed the scan.
 */
#include "autoconf.h"

#include "decode_otlp.h"
#include "decode_scan.h"

#define KEY_BYTES_MAX 120

static const struct {
	const char *scopes, *records;
} names[OTLP_KINDS] = {
	[OTLP_SPANS] = { "scopeSpans", "spans" },
	[OTLP_LOGS] = { "scopeLogs", "logRecords" },
	[OTLP_METRICS] = { "scopeMetrics", "metrics" },
};

struct member_place {
	const char *key, *place;
};
static const struct member_place span_members[] = {
	{ "name", "name" },
	{ "kind", "kind" },
	{ "startTimeUnixNano", "start" },
	{ "endTimeUnixNano", "end" },
	{ "traceId", "trace_id" },
	{ "spanId", "span_id" },
	{ "parentSpanId", "parent_span_id" },
	{ NULL, NULL },
};
static const struct member_place log_members[] = {
	{ "timeUnixNano", "time" },    { "observedTimeUnixNano", "observed_time" },
	{ "eventName", "event_name" }, { "traceId", "trace_id" },
	{ "spanId", "span_id" },       { NULL, NULL },
};

/* Behind the bracket or brace of a container; of nothing, nothing. */
static struct span inside(struct span container)
{
	if (container.len == 0)
		return SPAN("");
	return (struct span){ container.data + 1, container.len - 1 };
}

/* The first member of this key; data NULL: none. */
static struct span member_of(struct span object, const char *key)
{
	struct span rest = inside(object), name, json;

	if (object.len > 0 && object.data[0] == '{')
		while (scan_member(&rest, &name, &json))
			if (span_is(name, key))
				return json;
	return (struct span){ NULL, 0 };
}

static bool is_kind(struct span json, char open)
{
	return json.len > 0 && json.data[0] == open;
}

/* {"stringValue": ...} and its kin: the value inside. */
static struct value any_value(struct span json)
{
	struct value other = { .kind = VALUE_OTHER, .text = json };
	struct span rest = inside(json), name, inner;

	if (!is_kind(json, '{') || !scan_member(&rest, &name, &inner))
		return other;
	if (span_is(name, "stringValue") || span_is(name, "intValue") ||
	    span_is(name, "doubleValue") || span_is(name, "boolValue"))
		return value_of_json(inner);
	return other;
}

static void put_attribute(struct otlp *otlp, uint32_t node, struct span attribute)
{
	struct span key = member_of(attribute, "key"), json = member_of(attribute, "value");
	char plain[KEY_BYTES_MAX];
	struct value value;
	size_t len;

	if (!is_kind(key, '"') || json.data == NULL ||
	    !scan_key((struct span){ key.data + 1, key.len - 2 }, plain, sizeof(plain), &len))
		return;
	value = any_value(json);
	otlp_put_attribute(otlp, node, (struct span){ plain, len }, &value);
}

static void put_attributes(struct otlp *otlp, uint32_t node, struct span list)
{
	struct span rest = inside(list), attribute;

	if (node != 0 && is_kind(list, '['))
		while (scan_element(&rest, &attribute))
			put_attribute(otlp, node, attribute);
}

/* A time of 0 is one that was not set. */
static bool is_unset(struct span json)
{
	return span_is(json, "0") || span_is(json, "\"0\"") || span_is(json, "\"\"");
}

static void put_member(struct otlp *otlp, struct span name, struct span json)
{
	const struct member_place *places = otlp->shape == SHAPE_SPAN ? span_members : log_members;
	struct value value;

	if (span_is(name, "attributes")) {
		put_attributes(otlp, otlp->attributes, json);
		return;
	}
	if (span_is(name, "status") && is_kind(json, '{')) {
		json = member_of(json, "code");
		if (json.data == NULL)
			return;
		value = value_of_json(json);
		otlp_put(otlp, "status", &value);
		return;
	}
	if (span_is(name, "body") && is_kind(json, '{')) {
		value = any_value(json);
		otlp_put(otlp, "body", &value);
		return;
	}
	for (; places->key != NULL; places++) {
		if (!span_is(name, places->key) || is_unset(json))
			continue;
		value = value_of_json(json);
		otlp_put(otlp, places->place, &value);
	}
}

static void decode_record(struct otlp *otlp, enum otlp_kind kind, struct span record)
{
	struct values *values = &otlp->message->decoder->values;
	size_t mark = values->touched_count;
	struct span rest = inside(record), name, json;

	if (!is_kind(record, '{')) {
		message_tell_dead(otlp->message, record, DEAD_BAD_TYPE, "record is not an object");
		return;
	}
	if (kind == OTLP_METRICS) {
		message_tell_skipped(otlp->message, record, "metrics repeat spans and logs");
		return;
	}
	while (scan_member(&rest, &name, &json))
		put_member(otlp, name, json);
	otlp_tell(otlp, record);
	values_back(values, mark);
}

/* The elements of a list that each must be an object; a list that is not there has none. */
static bool next_object(struct message *message, struct span *rest, struct span *object)
{
	while (scan_element(rest, object)) {
		if (is_kind(*object, '{'))
			return true;
		message_tell_dead(message, *object, DEAD_BAD_TYPE,
				  "an element of OTLP's lists is not an object");
	}
	return false;
}

/* What follows the bracket of the list of this key; empty when there is none. */
static struct span list_of(struct message *message, struct span object, const char *key)
{
	struct span list = member_of(object, key);

	if (is_kind(list, '['))
		return inside(list);
	if (list.data != NULL && !is_kind(list, 'n'))
		message_tell_dead(message, object, DEAD_BAD_TYPE, "a list of OTLP is no list");
	return (struct span){ "", 0 };
}

static void decode_scope(struct otlp *otlp, enum otlp_kind kind, struct span scope)
{
	struct message *message = otlp->message;
	struct values *values = &message->decoder->values;
	size_t mark = values->touched_count;
	struct span name = member_of(member_of(scope, "scope"), "name"), rest, record;

	if (name.data != NULL) {
		struct value value = value_of_json(name);

		otlp_put_scope(otlp, &value);
	}
	rest = list_of(message, scope, names[kind].records);
	while (scan_element(&rest, &record))
		decode_record(otlp, kind, record);
	values_back(values, mark);
}

void otlp_json_decode(struct message *message, enum otlp_kind kind, struct span list)
{
	struct values *values = &message->decoder->values;
	size_t mark = values->touched_count;
	struct span rest = inside(list), resource, scopes, scope;
	struct otlp otlp;

	otlp_init(&otlp, message, kind == OTLP_LOGS ? SHAPE_LOG : SHAPE_SPAN);
	while (next_object(message, &rest, &resource)) {
		put_attributes(&otlp, otlp.resource,
			       member_of(member_of(resource, "resource"), "attributes"));
		scopes = list_of(message, resource, names[kind].scopes);
		while (next_object(message, &scopes, &scope))
			decode_scope(&otlp, kind, scope);
		values_back(values, mark);
	}
}
