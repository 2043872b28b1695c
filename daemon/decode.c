/* SPDX-License-Identifier: Apache-2.0
 *
 * decode: see decode.h. This file knows messages and records: what format one is of, where one ends
 * and the next begins. What a record means is a format's business (decode_native, mapping,
 * decode_otlp), what its bytes are decode_scan's, where its values are decode_paths', how they are
 * read decode_value's, what counts decode_call's.
 *
 * A record is looked at when its turn comes and forgotten after it was told, so an array of a
 * million elements needs the memory of one.
 */
#include "autoconf.h"

#include "decode.h"

#include <stdlib.h>
#include <string.h>

#include "decode_call.h"
#include "decode_native.h"
#include "decode_otlp.h"
#include "decode_record.h"
#include "decode_scan.h"
#include "mapping.h"
#include "mem.h"

#define ARENA_CHUNK_BYTES 65536
#define BOM "\xef\xbb\xbf"
#define CONFLUENT_BYTES 5

static const char *const format_names[FORMATS] = {
	[FORMAT_AUTO] = "auto",
	[FORMAT_NATIVE] = "native",
	[FORMAT_OTLP_JSON] = "otlp_json",
	[FORMAT_OTLP_PROTO] = "otlp_proto",
};

bool format_from_name(struct span name, enum format *out)
{
	for (int i = 0; i < FORMATS; i++) {
		if (span_is(name, format_names[i])) {
			*out = (enum format)i;
			return true;
		}
	}
	return false;
}

struct decoder *decoder_new(const struct decode_limits *limits)
{
	struct decoder *decoder = xcalloc(1, sizeof(*decoder));

	decoder->limits = *limits;
	decoder->arena = arena_new(ARENA_CHUNK_BYTES);
	decoder->outer_arena = arena_new(ARENA_CHUNK_BYTES);
	decoder->own = mappings_new();
	decoder_use(decoder, decoder->own);
	return decoder;
}

void decoder_use(struct decoder *decoder, const struct mappings *mappings)
{
	values_release(&decoder->values);
	decoder->mappings = mappings;
	values_init(&decoder->values, paths_slots(mappings->paths));
}

void decoder_free(struct decoder *decoder)
{
	if (decoder == NULL)
		return;
	values_release(&decoder->values);
	mappings_free(decoder->own);
	arena_free(decoder->outer_arena);
	arena_free(decoder->arena);
	free(decoder);
}

size_t decoder_bytes(const struct decoder *decoder)
{
	return sizeof(*decoder) + arena_bytes(decoder->arena) + arena_bytes(decoder->outer_arena) +
	       decoder->values.slots * (sizeof(struct value) + sizeof(uint16_t));
}

static void tell_fault(struct message *message, struct span raw, const struct scan *scan)
{
	record_dead(&message->record, scan->reason, "%s at byte %zu", scan->what, scan->at);
	message_tell(message, raw);
}

static void tell_native(struct message *message, struct span raw)
{
	struct decoder *decoder = message->decoder;
	const uint16_t *slots = decoder->mappings->native;
	struct call call;
	bool read;

	message->record.origin = ORIGIN_NATIVE;
	message->record.source = format_names[FORMAT_NATIVE];
	read = native_read(&decoder->values, slots, decoder->arena, &call, &message->record);
	message_tell_call(message, &call, read, raw);
}

static void tell_element(struct message *message, const struct mapping *mapping, struct span raw)
{
	struct values *values = &message->decoder->values;
	size_t mark = values->touched_count;

	if (raw.data[0] != '{') {
		message_tell_dead(message, raw, DEAD_BAD_TYPE, "record is not an object");
		return;
	}
	paths_walk(message->decoder->mappings->paths, mapping->root, raw, values);
	message_tell_mapped(message, mapping, raw);
	values_back(values, mark);
}

/* The records of a document that has them somewhere inside: elements of an array, or members of an
 * object. */
static void tell_many(struct message *message, const struct mapping *mapping, struct span raw)
{
	struct value list = message->decoder->values.items[mapping->records_slot];
	int32_t before = message->record.index;
	struct span rest, key, element;

	if (list.kind == VALUE_OTHER) {
		rest = (struct span){ list.text.data + 1, list.text.len - 1 };
		if (list.text.data[0] == '[')
			while (scan_element(&rest, &element))
				tell_element(message, mapping, element);
		else
			while (scan_member(&rest, &key, &element))
				tell_element(message, mapping, element);
	}
	if (message->record.index == before)
		message_tell_skipped(message, raw, "no records in it");
}

/* Whether a message of the topic may be a batch of OTLP: any may, unless the format says otherwise. */
static bool may_be_otlp(const struct message *message, enum format otlp)
{
	enum format format = message->format;

	if ((int)format >= FORMAT_MAPPING)
		return message->decoder->mappings->items[format - FORMAT_MAPPING].shape != SHAPE_RECORD;
	return format == FORMAT_AUTO || format == otlp;
}

/* False: it is no batch of OTLP. */
static bool tell_otlp(struct message *message, struct span raw)
{
	const struct decoder *decoder = message->decoder;
	int32_t before = message->record.index;
	bool found = false;

	if (!may_be_otlp(message, FORMAT_OTLP_JSON))
		return false;
	for (int kind = 0; kind < OTLP_KINDS; kind++) {
		struct value list = decoder->values.items[decoder->mappings->otlp[kind]];

		if (list.kind != VALUE_OTHER || list.text.data[0] != '[')
			continue;
		found = true;
		otlp_mark(message, ORIGIN_OTLP_JSON);
		otlp_json_decode(message, (enum otlp_kind)kind, list.text);
	}
	if (found && message->record.index == before)
		message_tell_skipped(message, raw, "no records in it");
	/* More batches may follow in lines of their own, and other things between them. */
	if (found)
		otlp_mark(message, ORIGIN_UNKNOWN);
	return found;
}

/* Under FORMAT_AUTO a record is read by what knows it: its marks first, the canonical fields last,
 * since a sender may well call its user "user". */
static void tell_known(struct message *message, struct span raw)
{
	const struct decoder *decoder = message->decoder;
	const struct mapping *mapping = NULL;

	if (message->format == FORMAT_NATIVE) {
		tell_native(message, raw);
		return;
	}
	if (tell_otlp(message, raw))
		return;
	if (message->format != FORMAT_OTLP_JSON && message->format != FORMAT_OTLP_PROTO)
		mapping = mappings_find(decoder->mappings, message->format, SHAPE_RECORD,
					&decoder->values);
	if (mapping != NULL && mapping->many)
		tell_many(message, mapping, raw);
	else if (mapping != NULL)
		message_tell_mapped(message, mapping, raw);
	else if (message->format == FORMAT_AUTO &&
		 native_knows(&decoder->values, decoder->mappings->native))
		tell_native(message, raw);
	else
		message_tell_dead(message, raw, DEAD_UNKNOWN_FORMAT,
				  message->format == FORMAT_AUTO
				      ? "no known format has these fields"
				      : "it has not the marks of the topic's format");
}

static void decode_record(struct message *message, struct span raw)
{
	struct decoder *decoder = message->decoder;

	if (raw.data[0] != '{') {
		message_tell_dead(message, raw, DEAD_BAD_TYPE, "record is not an object");
		return;
	}
	values_back(&decoder->values, 0);
	paths_walk(decoder->mappings->paths, decoder->mappings->roots[SHAPE_RECORD], raw,
		   &decoder->values);
	tell_known(message, raw);
	values_back(&decoder->values, 0);
}

static void decode_array(struct message *message, struct span array)
{
	struct span rest = { array.data + 1, array.len - 1 }, element;

	while (scan_element(&rest, &element))
		decode_record(message, element);
	if (message->record.index == 0)
		message_tell_dead(message, array, DEAD_EMPTY, "empty array");
}

static void decode_lines(struct message *message, struct span text)
{
	int depth_max = message->decoder->limits.depth_max;
	struct span line;
	struct scan scan;

	while (scan_line(&text, &line)) {
		if (scan_whole(line, depth_max, &scan))
			decode_record(message, line);
		else
			tell_fault(message, line, &scan);
	}
}

/* The first document of text is broken. Is it a bad line among lines, or is the whole one broken
 * document? */
static bool is_lines(struct span text, int depth_max)
{
	struct span line;
	struct scan scan;
	int lines = 0;
	bool object = false;

	if (text.data[0] == '[')
		return false;
	for (; scan_line(&text, &line) && !(object && lines >= 2); lines++)
		object |= line.data[0] == '{' && scan_whole(line, depth_max, &scan);
	return object && lines >= 2;
}

/* Without the byte order mark that some senders put first, and white space around. */
static struct span strip(struct span payload)
{
	size_t len = sizeof(BOM) - 1;

	if (payload.len >= len && memcmp(payload.data, BOM, len) == 0) {
		payload.data += len;
		payload.len -= len;
	}
	return scan_trim(payload);
}

/* Protobuf begins with the byte of a line feed, so only what is no JSON is asked about. */
static bool may_be_proto(const struct message *message, struct span text)
{
	return may_be_otlp(message, FORMAT_OTLP_PROTO) && otlp_proto_knows(text);
}

/* Schema registries put a zero byte and the four bytes of a schema's id first; before Protobuf also
 * the index of the message type, a zero byte again. */
static struct span unwrap(struct span payload)
{
	size_t cut = CONFLUENT_BYTES;
	char first;

	if (payload.len <= cut + 1 || payload.data[0] != '\0')
		return payload;
	cut += payload.data[cut] == '\0';
	first = payload.data[cut];
	if (first != '{' && first != '[' && first != '\n')
		return payload;
	return (struct span){ payload.data + cut, payload.len - cut };
}

static void decode_text(struct message *message, struct span text, struct span payload)
{
	int depth_max = message->decoder->limits.depth_max;
	struct scan scan;
	bool ok = scan_document(text, depth_max, &scan);

	if (ok && scan.end == text.len) {
		if (text.data[0] == '[')
			decode_array(message, text);
		else
			decode_record(message, text);
	} else if (ok || is_lines(text, depth_max)) {
		decode_lines(message, text);
	} else if (may_be_proto(message, payload)) {
		otlp_proto_decode(message, payload);
	} else {
		tell_fault(message, text, &scan);
	}
}

void decode_message(struct decoder *decoder, enum format format, struct span payload,
		    int64_t now_us, record_fn *fn, void *ctx)
{
	struct message message = {
		.decoder = decoder,
		.format = format,
		.now_us = now_us,
		.fn = fn,
		.ctx = ctx,
	};
	struct span text;

	if (payload.len == 0) {
		message_tell_dead(&message, payload, DEAD_EMPTY,
				  payload.data == NULL ? "tombstone" : "empty message");
		return;
	}
	if (payload.len > decoder->limits.message_bytes_max) {
		message_tell_dead(&message, payload, DEAD_TOO_LARGE,
				  "message is above ingest.max_message");
		return;
	}
	payload = unwrap(payload);
	if (format == FORMAT_OTLP_PROTO) {
		otlp_proto_decode(&message, payload);
		return;
	}
	text = strip(payload);
	if (text.len == 0)
		message_tell_dead(&message, payload, DEAD_EMPTY, "nothing but white space");
	else
		decode_text(&message, text, payload);
}
