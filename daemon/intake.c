/* SPDX-License-Identifier: Apache-2.0
 *
 * intake: see intake.h. Counting follows "accepted, dead, duplicate, skipped": each record is exactly one.
 */
#include "autoconf.h"

#include "intake.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "mapping.h"
#include "mem.h"
#include "metrics.h"
#include "period.h"

#define REFUSED_MAX 64
/* A call that two sources report with one id: what is in the shadow must not make a duplicate of what counts. */
#define SHADOW_BITS UINT64_C(0x9E3779B97F4A7C15)
/* Ids are forgotten by message time, and message times may run back: clocks differ, a partition catches up, a sender
 * delivers late. So what may be forgotten follows the oldest message time seen within as long as dedupe_window and
 * this much more, by our own clock. */
#define FLOOR_SLACK_MS (10 * 60 * 1000)
#define FLOOR_PARTS 16

struct lane { /* what is known of a partition between batches */
	enum format format;
	const char *topic;
	int32_t partition;
	int64_t dead_minute, dead_in_minute;
	int64_t next_offset;
	bool checking; /* the next three are those of the message to see again */
	int64_t last_offset, last_time_ms;
	uint32_t last_checksum;
	int64_t time_ms; /* about where it is in message time; INT64_MIN: not known */
	bool at_end;
};

struct floor_part { /* a stretch of our own time, and the oldest message time seen in it */
	int64_t stretch, oldest_ms;
};

struct refused {
	const char *topic;
	int32_t partition;
	int64_t offset;
	char why[120];
};

struct intake {
	const struct options *options;
	_Atomic(const struct mappings *) newest; /* of a reload, until the next message */
	const struct mappings *mappings;
	struct decoder *decoder;
	struct dedupe *dedupe;
	struct rules rules;
	struct lane *lanes;
	size_t lane_count;
	struct refused refused[REFUSED_MAX];
	size_t refused_count;
	struct floor_part floor[FLOOR_PARTS];
	int64_t origins[RECORD_ORIGINS]; /* records since the last freeze, not told to the metrics yet */
	int64_t from_roster, shadowed;   /* the same: calls with a team of the roster, and of a source that does not count */
	uint64_t evicted_seen;
	int64_t begun_us; /* INT64_MIN: with the first freeze */
	/* Of the message in hand, for the record callback. */
	struct batch *batch;
	const struct source_message *message;
	int64_t now_us;
	bool overflow;
};

struct intake *intake_new(const struct options *options, const struct mappings *mappings, size_t dedupe_ids)
{
	struct intake *intake = xcalloc(1, sizeof(*intake));
	struct decode_limits limits = {
		.message_bytes_max = options->ingest_max_message_bytes,
		.depth_max = options->ingest_max_depth,
		.future_us_max = options->ingest_max_future_ms * US_PER_MS,
		.age_us_max = options->ingest_max_age_ms * US_PER_MS,
	};

	intake->options = options;
	intake->mappings = mappings;
	atomic_init(&intake->newest, mappings);
	intake->decoder = decoder_new(&limits);
	decoder_use(intake->decoder, mappings);
	rules_init(&intake->rules);
	if (dedupe_ids)
		intake->dedupe = dedupe_new(options->ingest_dedupe_window_ms, dedupe_ids);
	return intake;
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	decoder_free(intake->decoder);
	dedupe_free(intake->dedupe);
	rules_release(&intake->rules);
	free(intake->lanes);
	free(intake);
}

struct dedupe *intake_dedupe(struct intake *intake)
{
	return intake->dedupe;
}

struct rules *intake_rules(struct intake *intake)
{
	return &intake->rules;
}

void intake_reload(struct intake *intake, const struct mappings *mappings)
{
	atomic_store(&intake->newest, mappings);
}

static enum format format_of(const struct intake *intake, const char *topic)
{
	const struct options *options = intake->options;
	const char *name = options->ingest_format;
	enum format format = FORMAT_AUTO;

	for (size_t i = 0; i < options->topic_count; i++) {
		if (!strcmp(options->kafka_topics[i].name, topic) && options->kafka_topics[i].format)
			name = options->kafka_topics[i].format;
	}
	if (!mappings_format(intake->mappings, span_of(name), &format))
		abort(); /* formats_load has checked it */
	return format;
}

/* The number of a mapping is another one in another set. */
static void use_newest(struct intake *intake)
{
	const struct mappings *newest = atomic_load_explicit(&intake->newest, memory_order_acquire);

	if (newest == intake->mappings)
		return;
	intake->mappings = newest;
	decoder_use(intake->decoder, newest);
	for (size_t i = 0; i < intake->lane_count; i++)
		intake->lanes[i].format = format_of(intake, intake->lanes[i].topic);
}

void intake_begin(struct intake *intake, const struct source_partition *partitions, const int64_t *times_ms,
		  size_t count)
{
	free(intake->lanes);
	intake->lanes = xcalloc(count + 1, sizeof(*intake->lanes));
	intake->lane_count = count;
	intake->begun_us = INT64_MIN;
	memset(intake->floor, 0, sizeof(intake->floor));
	for (size_t i = 0; i < count; i++) {
		intake->lanes[i].topic = partitions[i].topic;
		intake->lanes[i].partition = partitions[i].partition;
		intake->lanes[i].next_offset = partitions[i].next_offset;
		intake->lanes[i].time_ms = times_ms[i] < 0 ? INT64_MIN : times_ms[i];
		intake->lanes[i].format = format_of(intake, partitions[i].topic);
	}
}

static void add_dead(struct intake *intake, const struct record *record)
{
	struct lane *lane = &intake->lanes[intake->message->index];
	int64_t minute = intake->now_us / US_PER_MINUTE;
	bool fold;

	if (lane->dead_minute != minute) {
		lane->dead_minute = minute;
		lane->dead_in_minute = 0;
	}
	fold = ++lane->dead_in_minute > BATCH_DEAD_ROWS_A_MINUTE;
	if (lane->dead_in_minute == BATCH_DEAD_ROWS_A_MINUTE + 1)
		metric_add_label(METRIC_LIMIT_REACHED, LIMIT_DEAD_FOLD, 1);
	batch_add_dead(intake->batch, intake->message->index, intake->message->offset, record, intake->now_us,
		       (size_t)intake->options->ingest_dead_letter_payload_bytes, fold);
	metric_add_label(METRIC_RECORDS_DEAD, record->reason, 1);
	if (record->reason == DEAD_TOO_LARGE)
		metric_add_label(METRIC_LIMIT_REACHED, LIMIT_MESSAGE_SIZE, 1);
}

/* shadow: the source that does not count here; NULL: it counts. */
static void add_call(struct intake *intake, const struct event *event, const char *shadow)
{
	struct batch_progress *progress = &intake->batch->progress[intake->message->index];
	bool deduped = intake->dedupe && event->event_id.len;
	uint64_t fingerprint = deduped ? dedupe_fingerprint(event->event_id) ^ (shadow ? SHADOW_BITS : 0) : 0;

	if (deduped && !dedupe_add(intake->dedupe, fingerprint, intake->message->time_ms)) {
		progress->duplicate++;
		metric_add(METRIC_RECORDS_DUPLICATE, 1);
		return;
	}
	if (shadow ? !window_add_shadow(intake->batch->window, event, span_of(shadow)) :
		     !window_add(intake->batch->window, event)) {
		intake->overflow = true;
		return;
	}
	if (deduped)
		dedupe_log_add(progress->ids, fingerprint, intake->message->time_ms);
	progress->accepted += !shadow;
	progress->skipped += shadow != NULL;
	intake->shadowed += shadow != NULL;
	if (event->time_us > progress->event_time_max_us)
		progress->event_time_max_us = event->time_us;
}

/* The team first, since a source rule may name one. */
static void add_event(struct intake *intake, const struct record *record)
{
	const struct rules *rules = &intake->rules;
	const struct event *event = &record->event;
	struct event with_team;
	bool counts = true;

	if (!event->team.len && roster_count(rules->roster)) {
		with_team = *event;
		with_team.team = roster_team(rules->roster, event->user, event->time_us);
		intake->from_roster += with_team.team.len > 0;
		event = &with_team;
	}
	if (precedence_count(rules->precedence))
		counts = precedence_counts(rules->precedence, event->provider, event->team, span_of(record->source));
	add_call(intake, event, counts ? NULL : record->source);
}

static void count_suspects(unsigned suspects)
{
	for (unsigned i = 0; i < SUSPECTS; i++)
		if (suspects & 1u << i)
			metric_add_label(METRIC_RECORDS_SUSPECT, i, 1);
}

static void on_record(void *ctx, const struct record *record)
{
	struct intake *intake = ctx;

	intake->origins[record->origin]++;
	if (record->suspects)
		count_suspects(record->suspects);
	switch (record->kind) {
	case RECORD_EVENT:
		add_event(intake, record);
		break;
	case RECORD_DEAD:
		add_dead(intake, record);
		break;
	case RECORD_SKIPPED:
		intake->batch->progress[intake->message->index].skipped++;
		metric_add_label(METRIC_RECORDS_SKIPPED, SKIP_MAPPING, 1);
		break;
	}
}

static const struct refused *find_refused(const struct intake *intake, const struct batch_progress *progress,
					  int64_t offset)
{
	for (size_t i = 0; i < intake->refused_count; i++) {
		const struct refused *refused = &intake->refused[i];

		if (refused->offset == offset && refused->partition == progress->partition &&
		    !strcmp(refused->topic, progress->topic))
			return refused;
	}
	return NULL;
}

/* False: decode it as usual. */
static bool add_refused(struct intake *intake, const struct batch_progress *progress)
{
	struct record record = { .kind = RECORD_DEAD, .reason = DEAD_OUT_OF_RANGE };
	const struct refused *refused = find_refused(intake, progress, intake->message->offset);

	if (!refused)
		return false;
	snprintf(record.detail, sizeof(record.detail), "%s", refused->why);
	record.raw = intake->message->payload;
	add_dead(intake, &record);
	return true;
}

void intake_expect(struct intake *intake, size_t index, int64_t last_offset, int64_t last_time_ms, uint32_t last_checksum)
{
	struct lane *lane = &intake->lanes[index];

	lane->checking = true;
	lane->last_offset = last_offset;
	lane->last_time_ms = last_time_ms;
	lane->last_checksum = last_checksum;
}

enum intake_check intake_check(struct intake *intake, const struct source_message *message)
{
	struct lane *lane = &intake->lanes[message->index];

	if (!lane->checking || message->offset < lane->last_offset)
		return INTAKE_AS_EXPECTED;
	lane->checking = false;
	if (message->offset >= lane->next_offset)
		return INTAKE_UNVERIFIED;
	/* Between the last message and our position there were only transaction markers. */
	if (message->offset != lane->last_offset || message->time_ms != lane->last_time_ms ||
	    source_checksum(message->payload) != lane->last_checksum)
		return INTAKE_OTHER_LOG;
	return INTAKE_AS_EXPECTED;
}

bool intake_check_end(struct intake *intake, size_t index)
{
	bool was_checking = intake->lanes[index].checking;

	intake->lanes[index].checking = false;
	return was_checking;
}

bool intake_add(struct intake *intake, struct batch *batch, const struct source_message *message, int64_t now_us)
{
	struct batch_progress *progress = &batch->progress[message->index];
	int64_t time_ms;

	if (message->offset < progress->to_offset)
		return true;
	use_newest(intake);
	intake->batch = batch;
	intake->message = message;
	intake->now_us = now_us;
	intake->overflow = false;
	if (!intake->refused_count || !add_refused(intake, progress))
		decode_message(intake->decoder, intake->lanes[message->index].format, message->payload, now_us,
			       on_record, intake);
	progress->to_offset = message->offset + 1;
	progress->last_offset = message->offset;
	progress->last_time_ms = message->time_ms;
	progress->last_crc = source_checksum(message->payload);
	/* A time in the future must not make us forget the ids of today. */
	time_ms = message->time_ms < now_us / US_PER_MS ? message->time_ms : now_us / US_PER_MS;
	if (time_ms < progress->time_min_ms)
		progress->time_min_ms = time_ms;
	intake->lanes[message->index].at_end = false;
	batch->messages++;
	return !intake->overflow;
}

void intake_end_reached(struct intake *intake, struct batch *batch, size_t index, int64_t next_offset)
{
	intake->lanes[index].at_end = true;
	if (next_offset > batch->progress[index].to_offset)
		batch->progress[index].to_offset = next_offset;
}

void intake_refuse(struct intake *intake, const char *topic, int32_t partition, int64_t offset, const char *why)
{
	struct refused *refused;

	if (intake->refused_count == REFUSED_MAX)
		intake->refused_count = 0; /* all of them were read and committed long ago: one at a time is refused */
	refused = &intake->refused[intake->refused_count++];
	*refused = (struct refused){ .topic = topic, .partition = partition, .offset = offset };
	text_printable(refused->why, sizeof(refused->why), span_of(why));
}

static int64_t stretch_us(const struct intake *intake)
{
	return (intake->options->ingest_dedupe_window_ms + FLOOR_SLACK_MS) * US_PER_MS / (FLOOR_PARTS - 1);
}

/* Takes in where the partitions are now. A partition that is not at its end counts also while it is silent. */
static void note_floor(struct intake *intake, const struct batch *batch, int64_t now_us)
{
	int64_t stretch = now_us / stretch_us(intake);
	struct floor_part *part = &intake->floor[stretch % FLOOR_PARTS];

	if (intake->begun_us == INT64_MIN)
		intake->begun_us = now_us;
	if (part->stretch != stretch)
		*part = (struct floor_part){ stretch, INT64_MAX };
	for (size_t i = 0; i < batch->progress_count; i++) {
		struct lane *lane = &intake->lanes[i];
		bool moved = batch->progress[i].time_min_ms != INT64_MAX;

		if (moved)
			lane->time_ms = batch->progress[i].time_min_ms;
		if ((moved || !lane->at_end) && lane->time_ms < part->oldest_ms)
			part->oldest_ms = lane->time_ms;
	}
}

static void tell_metrics(struct intake *intake)
{
	for (unsigned i = 0; i < RECORD_ORIGINS; i++) {
		if (intake->origins[i])
			metric_add_label(METRIC_RECORDS_FORMAT, i, intake->origins[i]);
		intake->origins[i] = 0;
	}
	metric_add(METRIC_RECORDS_ROSTER, intake->from_roster);
	metric_add_label(METRIC_RECORDS_SKIPPED, SKIP_SOURCE_RULE, intake->shadowed);
	intake->from_roster = intake->shadowed = 0;
}

int64_t intake_expire(struct intake *intake, const struct batch *batch, int64_t now_us)
{
	int64_t span_us = stretch_us(intake) * FLOOR_PARTS, oldest_ms = INT64_MAX, margin_ms;

	tell_metrics(intake);
	if (!intake->dedupe)
		return INT64_MIN;
	if (dedupe_evicted(intake->dedupe) != intake->evicted_seen)
		metric_add_label(METRIC_LIMIT_REACHED, LIMIT_DEDUPE_IDS, 1);
	intake->evicted_seen = dedupe_evicted(intake->dedupe);
	note_floor(intake, batch, now_us);
	for (int i = 0; i < FLOOR_PARTS; i++) {
		const struct floor_part *part = &intake->floor[i];

		if (part->stretch > now_us / stretch_us(intake) - FLOOR_PARTS && part->oldest_ms < oldest_ms)
			oldest_ms = part->oldest_ms;
	}
	margin_ms = intake->options->ingest_dedupe_window_ms + FLOOR_SLACK_MS;
	if (now_us - intake->begun_us < span_us || oldest_ms == INT64_MAX || oldest_ms < INT64_MIN + margin_ms)
		return INT64_MIN;
	dedupe_expire(intake->dedupe, oldest_ms - FLOOR_SLACK_MS);
	return oldest_ms - margin_ms;
}
