/* SPDX-License-Identifier: Apache-2.0
 *
 * decode: the bytes of one Kafka message -> records: events, dead letters, skipped. Pure: no clock, no I/O,
 * no log; time is an argument.
 *
 * A message is checked whole (RFC 8259, UTF-8), then walked once, and only values that a field asks for are
 * looked at. There is no tree: JSON libraries cut strings at \u0000 (two people become one) and take bad UTF-8,
 * duplicate keys and 2^53+1 without a word, and a prompt that nobody reads would be copied.
 */
#ifndef TOKENTALLY_DECODE_H
#define TOKENTALLY_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "text.h"

/* FORMAT_MAPPING + i is the i-th mapping of the decoder's set, with its variants. */
enum format { FORMAT_AUTO, FORMAT_NATIVE, FORMAT_OTLP_JSON, FORMAT_OTLP_PROTO, FORMATS, FORMAT_MAPPING = 16 };
bool format_from_name(struct span name, enum format *out);

struct decode_limits {
	size_t message_bytes_max; /* ingest.max_message */
	int depth_max;            /* ingest.max_depth: nesting of arrays and objects, the outermost is 1 */
	int64_t future_us_max;    /* ingest.max_future */
	int64_t age_us_max;       /* ingest.max_age */
};

enum record_kind { RECORD_EVENT, RECORD_DEAD, RECORD_SKIPPED };

struct record {
	int32_t index; /* position in its message: array element, or non-blank line; 0 otherwise */
	enum record_kind kind;
	struct event event;      /* RECORD_EVENT */
	enum dead_reason reason; /* RECORD_DEAD */
	enum record_origin origin;
	const char *source;      /* RECORD_EVENT: name of the format that it was read by, as source rules have it */
	unsigned suspects;       /* RECORD_EVENT */
	const char *why;         /* RECORD_SKIPPED: the rule's words */
	char detail[160];        /* RECORD_DEAD: which field and what, printable UTF-8; never a value of the payload */
	struct span raw;         /* RECORD_DEAD: the record's own bytes where known, else the message's */
};

typedef void record_fn(void *ctx, const struct record *record);

struct decoder; /* owns the memory a record is read in; one per thread */
struct mappings;
struct decoder *decoder_new(const struct decode_limits *limits);
void decoder_free(struct decoder *decoder);
size_t decoder_bytes(const struct decoder *decoder); /* memory held, for memory_max */

/* From the next message on; they must outlive their use. Without any the decoder reads `native` alone. */
void decoder_use(struct decoder *decoder, const struct mappings *mappings);

/* Calls fn once for each record, in order. A message never fails as a whole: what is wrong is a dead letter.
 * payload.data NULL = a tombstone. JSON and
 * Protobuf may stand behind Confluent's five-byte header. Spans in the record are valid only inside fn. */
void decode_message(struct decoder *decoder, enum format format, struct span payload, int64_t now_us, record_fn *fn,
		    void *ctx);

#endif
