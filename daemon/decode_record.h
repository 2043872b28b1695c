/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_record: the message under way and the record at hand, for the readers of the formats: each
 * record is told exactly once, in order, and forgotten. Part of `decode`.
 */
#ifndef TOKENTALLY_DECODE_RECORD_H
#define TOKENTALLY_DECODE_RECORD_H

#include <stdbool.h>

#include "decode.h"
#include "decode_call.h"
#include "decode_paths.h"
#include "mapping.h"
#include "mem.h"

struct decoder {
	struct decode_limits limits;
	const struct mappings *mappings;
	struct mappings *own;	   /* the empty set of a decoder that was given none */
	struct values values;	   /* of the record at hand and of what it stands in */
	struct arena *arena;	   /* of the record at hand */
	struct arena *outer_arena; /* of what it stands in */
};

/* One call of decode_message(). */
struct message {
	struct decoder *decoder;
	enum format format;
	int64_t now_us;
	record_fn *fn;
	void *ctx;
	enum record_origin origin; /* of all its records; ORIGIN_UNKNOWN: each has its own */
	struct record record;	   /* the one at hand */
};

/* Each tells the record at hand and makes ready for the next one. raw: its bytes. */
void message_tell(struct message *message, struct span raw);
void message_tell_dead(struct message *message, struct span raw, enum dead_reason reason,
		       const char *what);
void message_tell_skipped(struct message *message, struct span raw, const char *why);
/* Reads the decoder's values by a mapping. */
void message_tell_mapped(struct message *message, const struct mapping *mapping, struct span raw);
/* Of a call that was read, or not (then the record says why). */
void message_tell_call(struct message *message, const struct call *call, bool read,
		       struct span raw);

#endif
