/* SPDX-License-Identifier: Apache-2.0
 *
 * decode: see decode.h. This file knows messages and records: where one ends and the next begins,
 * and that each of them is told exactly once. What a record means is a format's business
 * (decode_native), what its bytes are decode_scan's, how its members are read decode_json's, what
 * counts decode_call's.
 *
 * A record is parsed when its turn comes and forgotten after it was told, so an array of a million
 * elements needs the memory of one.
 */
#include "autoconf.h"

#include "decode.h"

#include <stdlib.h>
#include <string.h>

#include "decode_call.h"
#include "decode_json.h"
#include "decode_native.h"
#include "decode_scan.h"
#include "mem.h"

#define ARENA_CHUNK_BYTES 65536
#define ARENA_KEEP_BYTES (1024 * 1024)
#define BOM "\xef\xbb\xbf"

struct decoder {
	struct decode_limits limits;
	struct arena *arena;
};

/* One call of decode_message(). */
struct message {
	struct decoder *decoder;
	enum format format;
	int64_t now_us;
	record_fn *fn;
	void *ctx;
	struct record record; /* the one at hand */
};

/* What a format has to bring. Under FORMAT_AUTO a record is read by the format that knows it. */
struct format_def {
	const char *name;
	const struct json_keys *(*keys)(void);
	bool (*knows)(const struct json_record *in);
	bool (*read)(const struct json_record *in, struct call *call, struct record *record);
};

static const struct format_def formats[FORMATS] = {
	[FORMAT_AUTO] = { "auto", native_keys, native_knows, native_read },
	[FORMAT_NATIVE] = { "native", native_keys, native_knows, native_read },
};

bool format_from_name(struct span name, enum format *out)
{
	for (int i = 0; i < FORMATS; i++) {
		if (span_is(name, formats[i].name)) {
			*out = (enum format)i;
			return true;
		}
	}
	return false;
}

struct decoder *decoder_new(const struct decode_limits *limits)
{
	struct decoder *decoder = xmalloc(sizeof(*decoder));

	json_init();
	decoder->limits = *limits;
	decoder->arena = arena_new(ARENA_CHUNK_BYTES);
	return decoder;
}

void decoder_free(struct decoder *decoder)
{
	if (decoder == NULL)
		return;
	arena_free(decoder->arena);
	free(decoder);
}

size_t decoder_bytes(const struct decoder *decoder)
{
	return sizeof(*decoder) + arena_bytes(decoder->arena);
}

/* Tells the record at hand, and makes ready for the next one. */
static void tell(struct message *message, struct span raw)
{
	message->record.raw = raw;
	message->fn(message->ctx, &message->record);
	message->record.index++;
	arena_reset(message->decoder->arena, ARENA_KEEP_BYTES);
}

static void tell_dead(struct message *message, struct span raw, enum dead_reason reason,
		      const char *what)
{
	record_dead(&message->record, reason, "%s", what);
	tell(message, raw);
}

static void tell_fault(struct message *message, struct span raw, const struct scan *scan)
{
	record_dead(&message->record, scan->reason, "%s at byte %zu", scan->what, scan->at);
	tell(message, raw);
}

static bool check_age(const struct message *message, struct record *record)
{
	const struct decode_limits *limits = &message->decoder->limits;

	if (record->event.time_us > message->now_us + limits->future_us_max)
		return record_dead(record, DEAD_IN_FUTURE,
				   "time is further ahead than ingest.max_future");
	if (record->event.time_us < message->now_us - limits->age_us_max)
		return record_dead(record, DEAD_TOO_OLD,
				   "time is further back than ingest.max_age");
	return true;
}

static bool read_record(const struct message *message, struct span raw, bool odd_escapes,
			struct record *record)
{
	const struct format_def *format = &formats[message->format];
	struct json_record in;
	struct call call;

	if (raw.data[0] != '{')
		return record_dead(record, DEAD_BAD_TYPE, "record is not an object");
	if (!json_record_parse(&in, format->keys(), message->decoder->arena, raw, odd_escapes))
		return record_dead(record, DEAD_NOT_JSON, "cJSON refuses it");
	if (message->format == FORMAT_AUTO && !format->knows(&in))
		return record_dead(record, DEAD_UNKNOWN_FORMAT, "no known format has these fields");
	return format->read(&in, &call, record) && call_to_event(&call, record) &&
	       check_age(message, record);
}

static void decode_record(struct message *message, struct span raw, bool odd_escapes)
{
	message->record.kind = RECORD_EVENT;
	read_record(message, raw, odd_escapes, &message->record);
	tell(message, raw);
}

static void decode_array(struct message *message, struct span array, bool odd_escapes)
{
	struct span rest = { array.data + 1, array.len - 1 }, element;

	while (scan_element(&rest, &element))
		decode_record(message, element, odd_escapes);
	if (message->record.index == 0)
		tell_dead(message, array, DEAD_EMPTY, "empty array");
}

static void decode_lines(struct message *message, struct span text)
{
	int depth_max = message->decoder->limits.depth_max;
	struct span line;
	struct scan scan;

	while (scan_line(&text, &line)) {
		if (scan_whole(line, depth_max, &scan))
			decode_record(message, line, scan.odd_escapes);
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

static void decode_text(struct message *message, struct span text)
{
	int depth_max = message->decoder->limits.depth_max;
	struct scan scan;
	bool ok = scan_document(text, depth_max, &scan);

	if (ok && scan.end == text.len) {
		if (text.data[0] == '[')
			decode_array(message, text, scan.odd_escapes);
		else
			decode_record(message, text, scan.odd_escapes);
	} else if (ok || is_lines(text, depth_max)) {
		decode_lines(message, text);
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
		tell_dead(&message, payload, DEAD_EMPTY,
			  payload.data == NULL ? "tombstone" : "empty message");
		return;
	}
	if (payload.len > decoder->limits.message_bytes_max) {
		tell_dead(&message, payload, DEAD_TOO_LARGE, "message is above ingest.max_message");
		return;
	}
	text = strip(payload);
	if (text.len == 0)
		tell_dead(&message, payload, DEAD_EMPTY, "nothing but white space");
	else
		decode_text(&message, text);
}
