/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_otlp_proto: OTLP as Protobuf, unpacked by protobuf-c level by level (schemas/otlp.proto).
 * What a message needs in memory is bounded: two bytes of it can become sixty in a tree.
 */
#include "autoconf.h"

#include "decode_otlp.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otlp.pb-c.h"

#define OUTER_KEEP_BYTES (256 * 1024)
#define MEMORY_BYTES_MIN (4u * 1024 * 1024)
#define MEMORY_FACTOR 3 /* of the message: the levels copy it */

struct proto {
	struct otlp otlp;
	struct message *message;
	struct span payload; /* the dead letters' bytes: protobuf-c's are copies */
	struct arena *arena; /* of the values being put */
	size_t used, most;   /* bytes held by protobuf-c */
	bool refused;	     /* it wanted more */
	ProtobufCAllocator allocator;
};

static void *allocate(void *ctx, size_t bytes)
{
	struct proto *proto = ctx;
	void *memory;

	if (bytes > proto->most - proto->used) {
		proto->refused = true;
		return NULL;
	}
	memory = malloc(bytes > 0 ? bytes : 1);
	if (memory == NULL)
		return NULL;
	proto->used += malloc_usable_size(memory);
	if (proto->used > proto->most)
		proto->used = proto->most;
	return memory;
}

/* What was unpacked may hold prompts: it does not stay. */
static void release(void *ctx, void *memory)
{
	struct proto *proto = ctx;
	size_t bytes = malloc_usable_size(memory);

	explicit_bzero(memory, bytes);
	proto->used -= bytes < proto->used ? bytes : proto->used;
	free(memory);
}

static bool take_varint(struct span *rest, uint64_t *out)
{
	*out = 0;
	for (unsigned shift = 0; shift < 64 && rest->len > 0; shift += 7) {
		uint8_t byte = (uint8_t)*rest->data;

		rest->data++;
		rest->len--;
		*out |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct field {
	uint64_t number;
	enum wire wire;
	struct span bytes; /* WIRE_BYTES */
};

/* Takes a field off *rest. */
static bool take_field(struct span *rest, struct field *field)
{
	uint64_t tag, len = 0;

	if (!take_varint(rest, &tag))
		return false;
	field->number = tag >> 3;
	field->wire = (enum wire)(tag & 7);
	if (field->wire == WIRE_VARINT)
		return take_varint(rest, &len);
	if (field->wire == WIRE_BYTES && !take_varint(rest, &len))
		return false;
	if (field->wire == WIRE_64)
		len = 8;
	else if (field->wire == WIRE_32)
		len = 4;
	else if (field->wire != WIRE_BYTES)
		return false;
	if (len > rest->len)
		return false;
	field->bytes = (struct span){ rest->data, len };
	rest->data += len;
	rest->len -= len;
	return true;
}

bool otlp_proto_knows(struct span payload)
{
	struct span rest = payload;
	struct field field;

	if (payload.len < 2 || payload.data[0] != '\n')
		return false;
	while (rest.len > 0)
		if (!take_field(&rest, &field) || field.number != 1 || field.wire != WIRE_BYTES)
			return false;
	return true;
}

/* Requests of spans, logs and metrics look alike from outside. Spans have their times at 7 and 8,
 * logs at 1 and 11, both as 64 bits, and attributes at 6; a metric has a text at 1 and its data at
 * 5 to
 * 11. OTLP_KINDS: nothing that can be told. */
static enum otlp_kind kind_of(struct span record)
{
	enum otlp_kind kind = OTLP_METRICS;
	struct field field;

	while (record.len > 0) {
		if (!take_field(&record, &field))
			return OTLP_KINDS;
		if (field.wire == WIRE_64 && (field.number == 7 || field.number == 8))
			return OTLP_SPANS;
		if ((field.wire == WIRE_64 && (field.number == 1 || field.number == 11)) ||
		    (field.wire == WIRE_BYTES && field.number == 6))
			kind = OTLP_LOGS;
	}
	return kind;
}

/* Of the first record of a scope that can be told; broken ones are read as spans, and are dead
 * letters. */
static enum otlp_kind kind_within(struct span scope)
{
	enum otlp_kind kind = OTLP_KINDS;
	struct field field;

	while (kind == OTLP_KINDS && scope.len > 0 && take_field(&scope, &field))
		if (field.number == 2 && field.wire == WIRE_BYTES)
			kind = kind_of(field.bytes);
	return kind == OTLP_KINDS ? OTLP_SPANS : kind;
}

static struct span span_from(ProtobufCBinaryData bytes)
{
	return (struct span){ (const char *)bytes.data, bytes.len };
}

static struct value number_value(struct proto *proto, const char *text)
{
	size_t len = strlen(text);
	char *copy = arena_alloc(proto->arena, len);

	memcpy(copy, text, len);
	return (struct value){ .kind = VALUE_NUMBER, .text = { copy, len } };
}

static struct value integer_value(struct proto *proto, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, number);
	return number_value(proto, text);
}

/* The shortest text that is the same double: a sender's 0.1 stays 0.1. */
static struct value double_value(struct proto *proto, double number)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	if (!text_is_number(span_of(text))) /* infinite, or no number */
		return (struct value){ .kind = VALUE_OTHER };
	return number_value(proto, text);
}

static struct value any_value(struct proto *proto, const Otlp__AnyValue *any)
{
	struct value value = { .kind = VALUE_OTHER };

	if (any == NULL)
		return value;
	if (any->has_string_value)
		return value_of_text(span_from(any->string_value));
	if (any->has_int_value)
		return integer_value(proto, any->int_value);
	if (any->has_double_value)
		return double_value(proto, any->double_value);
	if (any->has_bool_value) {
		value.kind = VALUE_BOOL;
		value.text = any->bool_value ? SPAN("true") : SPAN("false");
	}
	return value;
}

static void put_attributes(struct proto *proto, uint32_t node, size_t count,
			   Otlp__KeyValue *const *attributes)
{
	for (size_t i = 0; i < count; i++) {
		struct value value = any_value(proto, attributes[i]->value);

		otlp_put_attribute(&proto->otlp, node, span_from(attributes[i]->key), &value);
	}
}

static void put_text(struct proto *proto, const char *key, ProtobufCBinaryData bytes)
{
	struct value value = value_of_text(span_from(bytes));

	if (bytes.len > 0)
		otlp_put(&proto->otlp, key, &value);
}

static void put_id(struct proto *proto, const char *key, ProtobufCBinaryData bytes)
{
	static const char digits[] = "0123456789abcdef";
	struct value value = { .kind = VALUE_TEXT };
	char *hex;

	if (bytes.len == 0 || bytes.len > 64)
		return;
	hex = arena_alloc(proto->arena, bytes.len * 2);
	for (size_t i = 0; i < bytes.len; i++) {
		hex[2 * i] = digits[bytes.data[i] >> 4];
		hex[2 * i + 1] = digits[bytes.data[i] & 15];
	}
	value.text = (struct span){ hex, bytes.len * 2 };
	otlp_put(&proto->otlp, key, &value);
}

static void put_time(struct proto *proto, const char *key, uint64_t ns)
{
	char text[32];
	struct value value;

	if (ns == 0)
		return;
	snprintf(text, sizeof(text), "%" PRIu64, ns);
	value = number_value(proto, text);
	otlp_put(&proto->otlp, key, &value);
}

static void put_integer(struct proto *proto, const char *key, int64_t number)
{
	struct value value = integer_value(proto, number);

	otlp_put(&proto->otlp, key, &value);
}

static void tell_broken(struct proto *proto)
{
	bool memory = proto->refused;

	proto->refused = false;
	message_tell_dead(proto->message, proto->payload, memory ? DEAD_TOO_LARGE : DEAD_BAD_TYPE,
			  memory ? "too many parts in an OTLP record"
				 : "a record is no Protobuf of OTLP");
}

static void decode_span(struct proto *proto, ProtobufCBinaryData record)
{
	Otlp__Span *span = otlp__span__unpack(&proto->allocator, record.len, record.data);

	if (span == NULL) {
		tell_broken(proto);
		return;
	}
	put_id(proto, "trace_id", span->trace_id);
	put_id(proto, "span_id", span->span_id);
	put_id(proto, "parent_span_id", span->parent_span_id);
	put_text(proto, "name", span->name);
	put_time(proto, "start", span->start);
	put_time(proto, "end", span->end);
	put_integer(proto, "kind", span->kind);
	if (span->status != NULL)
		put_integer(proto, "status", span->status->code);
	put_attributes(proto, proto->otlp.attributes, span->n_attributes, span->attributes);
	otlp_tell(&proto->otlp, proto->payload);
	otlp__span__free_unpacked(span, &proto->allocator);
}

static void decode_log(struct proto *proto, ProtobufCBinaryData record)
{
	Otlp__LogRecord *log = otlp__log_record__unpack(&proto->allocator, record.len, record.data);
	struct value body;

	if (log == NULL) {
		tell_broken(proto);
		return;
	}
	put_time(proto, "time", log->time);
	put_time(proto, "observed_time", log->observed_time);
	put_id(proto, "trace_id", log->trace_id);
	put_id(proto, "span_id", log->span_id);
	put_text(proto, "event_name", log->event_name);
	if (log->body != NULL) {
		body = any_value(proto, log->body);
		otlp_put(&proto->otlp, "body", &body);
	}
	put_attributes(proto, proto->otlp.attributes, log->n_attributes, log->attributes);
	otlp_tell(&proto->otlp, proto->payload);
	otlp__log_record__free_unpacked(log, &proto->allocator);
}

static void decode_one(struct proto *proto, enum otlp_kind kind, ProtobufCBinaryData record)
{
	struct values *values = &proto->message->decoder->values;
	size_t mark = values->touched_count;

	if (kind == OTLP_SPANS)
		decode_span(proto, record);
	else if (kind == OTLP_LOGS)
		decode_log(proto, record);
	else
		message_tell_skipped(proto->message, proto->payload,
				     "metrics repeat spans and logs");
	values_back(values, mark);
}

static void decode_scopes(struct proto *proto, enum otlp_kind kind, ProtobufCBinaryData bytes)
{
	Otlp__Scopes *scopes = otlp__scopes__unpack(&proto->allocator, bytes.len, bytes.data);
	struct values *values = &proto->message->decoder->values;
	size_t mark = values->touched_count;
	Otlp__Scope *scope;
	struct value name;

	if (scopes == NULL) {
		tell_broken(proto);
		return;
	}
	scope = otlp__scope__unpack(&proto->allocator, scopes->scope.len, scopes->scope.data);
	if (scope != NULL) {
		name = value_of_text(span_from(scope->name));
		otlp_put_scope(&proto->otlp, &name);
	}
	proto->arena = proto->message->decoder->arena;
	for (size_t i = 0; i < scopes->n_records; i++)
		decode_one(proto, kind, scopes->records[i]);
	values_back(values, mark);
	if (scope != NULL)
		otlp__scope__free_unpacked(scope, &proto->allocator);
	otlp__scopes__free_unpacked(scopes, &proto->allocator);
}

static void decode_resources(struct proto *proto, ProtobufCBinaryData bytes)
{
	Otlp__Resources *resources =
	    otlp__resources__unpack(&proto->allocator, bytes.len, bytes.data);
	struct values *values = &proto->message->decoder->values;
	Otlp__Resource *resource;

	if (resources == NULL) {
		tell_broken(proto);
		return;
	}
	resource = otlp__resource__unpack(&proto->allocator, resources->resource.len,
					  resources->resource.data);
	if (resource == NULL) { /* whose records these are cannot be told */
		tell_broken(proto);
		otlp__resources__free_unpacked(resources, &proto->allocator);
		return;
	}
	arena_reset(proto->message->decoder->outer_arena, OUTER_KEEP_BYTES);
	for (size_t i = 0; i < resources->n_scopes; i++) {
		enum otlp_kind kind = kind_within(span_from(resources->scopes[i]));

		otlp_init(&proto->otlp, proto->message, kind == OTLP_LOGS ? SHAPE_LOG : SHAPE_SPAN);
		proto->arena = proto->message->decoder->outer_arena;
		put_attributes(proto, proto->otlp.resource, resource->n_attributes,
			       resource->attributes);
		decode_scopes(proto, kind, resources->scopes[i]);
		values_back(values, 0);
	}
	otlp__resource__free_unpacked(resource, &proto->allocator);
	otlp__resources__free_unpacked(resources, &proto->allocator);
}

void otlp_proto_decode(struct message *message, struct span payload)
{
	struct proto proto = { .message = message, .payload = payload };
	Otlp__Export *export;

	proto.most = MEMORY_BYTES_MIN + MEMORY_FACTOR * payload.len;
	proto.allocator = (ProtobufCAllocator){ allocate, release, &proto };
	export = otlp_proto_knows(payload) ? otlp__export__unpack(&proto.allocator, payload.len,
								  (const uint8_t *)payload.data)
					   : NULL;
	if (export == NULL) {
		message_tell_dead(message, payload, DEAD_UNKNOWN_FORMAT,
				  "it is no OTLP request of Protobuf");
		return;
	}
	otlp_mark(message, ORIGIN_OTLP_PROTO);
	for (size_t i = 0; i < export->n_resources; i++)
		decode_resources(&proto, export->resources[i]);
	otlp__export__free_unpacked(export, &proto.allocator);
	if (message->record.index == 0)
		message_tell_skipped(message, payload, "no records in it");
}
