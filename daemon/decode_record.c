/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_record: see decode_record.h.
 */
#include "autoconf.h"

#include "decode_record.h"

#define ARENA_KEEP_BYTES (1024 * 1024)

void message_tell(struct message *message, struct span raw)
{
	message->record.raw = raw;
	message->fn(message->ctx, &message->record);
	message->record.index++;
	message->record.origin = message->origin;
	message->record.suspects = 0;
	message->record.why = NULL;
	arena_reset(message->decoder->arena, ARENA_KEEP_BYTES);
}

void message_tell_dead(struct message *message, struct span raw, enum dead_reason reason,
		       const char *what)
{
	record_dead(&message->record, reason, "%s", what);
	message_tell(message, raw);
}

void message_tell_skipped(struct message *message, struct span raw, const char *why)
{
	message->record.kind = RECORD_SKIPPED;
	message->record.why = why;
	message_tell(message, raw);
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

void message_tell_call(struct message *message, const struct call *call, bool read, struct span raw)
{
	struct record *record = &message->record;

	if (read && call_to_event(call, record) && check_age(message, record))
		record->kind = RECORD_EVENT;
	message_tell(message, raw);
}

void message_tell_mapped(struct message *message, const struct mapping *mapping, struct span raw)
{
	struct decoder *decoder = message->decoder;
	struct record *record = &message->record;
	struct call call;
	bool read;

	if (record->origin == ORIGIN_UNKNOWN)
		record->origin = mapping->origin;
	record->source = mapping->name;
	read = mapping_read(mapping, &decoder->values, decoder->arena, &call, record);
	message_tell_call(message, &call, read, raw);
}
