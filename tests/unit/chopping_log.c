/* SPDX-License-Identifier: Apache-2.0
 *
 * chopping_log: see chopping_log.h.
 */
#include "autoconf.h"

#include "chopping_log.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "seed.h"

#define MESSAGES_AN_ERA 40
#define RECORDS_MAX 4
#define JITTER_MS INT64_C(300000)
#define CALLS_MAX (LOG_ERAS * MESSAGES_AN_ERA * RECORDS_MAX)
#define CALL_BYTES 480
#define PAYLOAD_BYTES_MAX 8192

struct call { /* one with an id; its copies have message times of from_ms to from_ms + window */
	char text[CALL_BYTES];
	int64_t id, from_ms;
	bool shadow, id_used_again, has_twin;
};

struct press { /* what is needed while the log is made */
	struct log *log;
	struct call calls[CALLS_MAX];
	size_t call_count;
	int64_t time_ms; /* of the message in hand */
	const struct call *aimed_at; /* by that time; NULL: at none */
	struct buf payload;
};

static bool chance(int64_t percent)
{
	return seed_below(100) < percent;
}

/* "team":"t-3", or nothing. */
static void add_name(struct buf *buf, const char *field, char kind, int64_t count)
{
	int64_t number = seed_below(count + 1);

	if (number < count)
		buf_addf(buf, ",\"%s\":\"%c-%" PRId64 "\"", field, kind, number);
}

/* id 0: without one. */
static void make_call(const struct press *press, int64_t id, bool shadow, char *text)
{
	struct buf buf;
	int64_t time_ms = press->time_ms - seed_below(6 * LOG_ERA_MS);

	buf_init(&buf, CALL_BYTES - 1);
	buf_addf(&buf, "{\"time\":%" PRId64 ",\"user\":\"u-%" PRId64 "\",\"model\":\"m-%" PRId64 "\"", time_ms, seed_below(8),
		 seed_below(3));
	buf_addf(&buf, ",\"provider\":\"%s\"", shadow ? LOG_SHADOW_PROVIDER : chance(50) ? "p-1" : "p-2");
	if (id)
		buf_addf(&buf, ",\"event_id\":\"id-%" PRId64 "\"", id);
	add_name(&buf, "team", 't', 3);
	add_name(&buf, "app", 'a', 3);
	add_name(&buf, "session", 's', 6);
	buf_addf(&buf, ",\"input_tokens\":%" PRId64 ",\"cache_read_tokens\":%" PRId64 ",\"output_tokens\":%" PRId64,
		 seed_below(300000), seed_below(1000), seed_below(100));
	if (chance(50))
		buf_addf(&buf, ",\"duration_ms\":%" PRId64 ",\"ttft_ms\":%" PRId64, seed_below(3000), seed_below(300));
	if (chance(30))
		buf_addf(&buf, ",\"cost_usd\":0.%03d,\"status\":\"error\"", (int)seed_below(1000));
	buf_addf(&buf, "}");
	memcpy(text, buf.data, buf.len + 1);
	buf_release(&buf);
}

static bool is_in_window(const struct call *call, int64_t time_ms)
{
	return time_ms >= call->from_ms && time_ms <= call->from_ms + LOG_WINDOW_MS;
}

/* Any one that may have a copy now; NULL: none was found. */
static const struct call *call_to_copy(const struct press *press)
{
	if (press->aimed_at && is_in_window(press->aimed_at, press->time_ms) && chance(70))
		return press->aimed_at;
	for (int tries = 0; press->call_count && tries < 20; tries++) {
		const struct call *call = &press->calls[seed_below((int64_t)press->call_count)];

		if (is_in_window(call, press->time_ms))
			return call;
	}
	return NULL;
}

/* The first whose id may be that of another call now. */
static struct call *call_to_follow(struct press *press, bool shadow)
{
	for (size_t i = 0; i < press->call_count; i++) {
		struct call *call = &press->calls[i];
		int64_t after_ms = press->time_ms - (call->from_ms + 2 * LOG_WINDOW_MS + 1);

		if (call->shadow == shadow && !call->id_used_again && after_ms >= 0 && after_ms <= LOG_WINDOW_MS)
			return call;
	}
	return NULL;
}

/* One whose id is used once more, on the other side of the source rule, at any time. */
static struct call *call_to_twin(struct press *press, bool shadow)
{
	struct call *call = press->call_count ? &press->calls[seed_below((int64_t)press->call_count)] : NULL;

	return call && call->shadow != shadow && !call->has_twin ? call : NULL;
}

static void choose_id(struct press *press, struct call *call)
{
	struct call *before = chance(60) ? call_to_follow(press, call->shadow) : NULL;
	struct call *twin = before ? NULL : call_to_twin(press, call->shadow);

	call->id = (int64_t)press->call_count + 1;
	call->from_ms = press->time_ms - (chance(40) ? 0 : chance(40) ? LOG_WINDOW_MS : seed_below(LOG_WINDOW_MS + 1));
	if (before) {
		before->id_used_again = call->has_twin = true;
		call->id = before->id;
		call->from_ms = before->from_ms + 2 * LOG_WINDOW_MS + 1;
	} else if (twin) {
		twin->has_twin = call->has_twin = true;
		call->id = twin->id;
	}
}

static void add_new_call(struct press *press)
{
	struct call *call = &press->calls[press->call_count];

	*call = (struct call){ .shadow = chance(20) };
	if (chance(50)) {
		make_call(press, 0, call->shadow, call->text);
	} else {
		choose_id(press, call);
		make_call(press, call->id, call->shadow, call->text);
		press->call_count++;
	}
	if (call->shadow)
		press->log->totals.skipped++;
	else
		press->log->totals.accepted++;
	buf_add_text(&press->payload, call->text);
}

static void add_record(struct press *press)
{
	static const char *const bad[] = { "{}", "{\"time\":1}", "{\"time\":\"never\",\"user\":\"u\",\"model\":\"m\"}", "7" };
	const struct call *copied = chance(40) ? call_to_copy(press) : NULL;

	if (copied) {
		press->log->totals.duplicate++;
		buf_add_text(&press->payload, copied->text);
	} else if (chance(8)) {
		press->log->totals.dead++;
		buf_add_text(&press->payload, bad[seed_below(sizeof bad / sizeof *bad)]);
	} else {
		add_new_call(press);
	}
}

/* One document of one record, an array, or lines. */
static void add_records(struct press *press)
{
	int64_t count = chance(50) ? 1 : 1 + seed_below(RECORDS_MAX);
	bool array = chance(50);

	buf_add_text(&press->payload, array ? "[" : "");
	for (int64_t i = 0; i < count; i++) {
		buf_add_text(&press->payload, i == 0 ? "" : array ? "," : "\n");
		add_record(press);
	}
	buf_add_text(&press->payload, array ? "]" : "");
}

/* False: a tombstone. */
static bool make_payload(struct press *press)
{
	static const char *const bad[] = { NULL, "", "no JSON", "[{\"user\":", "{\"user\":\"\xff\"}" };
	const char *text = bad[seed_below(sizeof bad / sizeof *bad)];

	buf_clear(&press->payload);
	if (!chance(6)) {
		add_records(press);
		return true;
	}
	press->log->totals.dead++;
	if (text)
		buf_add_text(&press->payload, text);
	return text != NULL;
}

/* Anywhere around its era, or just where the window of a call begins, ends, or is followed by another. */
static int64_t choose_time(struct press *press, int era)
{
	static const int64_t edges_ms[] = { 0, LOG_WINDOW_MS, 2 * LOG_WINDOW_MS + 1, 3 * LOG_WINDOW_MS + 1 };
	int64_t around_ms = LOG_START_MS + era * LOG_ERA_MS;
	int tries = press->call_count && chance(60) ? 30 : 0;

	press->aimed_at = NULL;
	for (; tries > 0; tries--) {
		const struct call *call = &press->calls[seed_below((int64_t)press->call_count)];
		int64_t time_ms = call->from_ms + edges_ms[seed_below(4)];

		if (time_ms >= around_ms - JITTER_MS && time_ms <= around_ms + JITTER_MS) {
			press->aimed_at = call;
			return time_ms;
		}
	}
	return around_ms - JITTER_MS + seed_below(2 * JITTER_MS + 1);
}

static void add_message(struct press *press, struct log_partition *partition, int64_t offset, int era)
{
	struct log_message *message = &partition->messages[partition->count++];

	press->time_ms = choose_time(press, era);
	*message = (struct log_message){ .offset = offset, .time_ms = press->time_ms };
	if (make_payload(press)) {
		char *copy = xmalloc(press->payload.len + 1);

		memcpy(copy, press->payload.data ? press->payload.data : "", press->payload.len + 1);
		message->payload = (struct span){ copy, press->payload.len };
	}
}

static void add_era(struct press *press, int era)
{
	for (int i = 0; i < MESSAGES_AN_ERA; i++) {
		/* The last partition has few: it is often at its end. */
		struct log_partition *partition = &press->log->partitions[seed_below(chance(10) ? LOG_PARTITIONS : LOG_PARTITIONS - 1)];
		int64_t *end = &partition->ends[era];

		*end += chance(10) ? seed_below(3) : 0;
		add_message(press, partition, *end, era);
		++*end;
	}
	for (int i = 0; i < LOG_PARTITIONS; i++) {
		struct log_partition *partition = &press->log->partitions[i];

		partition->ends[era] += chance(30);
		partition->counts[era] = partition->count;
		if (era + 1 < LOG_ERAS)
			partition->ends[era + 1] = partition->ends[era];
	}
}

struct log *log_new(uint64_t seed)
{
	struct press *press = xcalloc(1, sizeof *press);
	struct log *log = xcalloc(1, sizeof *log);

	seed_state = seed;
	press->log = log;
	buf_init(&press->payload, PAYLOAD_BYTES_MAX);
	for (int i = 0; i < LOG_PARTITIONS; i++) {
		struct log_partition *partition = &log->partitions[i];

		partition->messages = xcalloc((size_t)LOG_ERAS * MESSAGES_AN_ERA, sizeof *partition->messages);
		partition->first_offset = partition->ends[0] = seed_below(5);
	}
	for (int era = 0; era < LOG_ERAS; era++)
		add_era(press, era);
	buf_release(&press->payload);
	free(press);
	return log;
}

void log_free(struct log *log)
{
	for (int i = 0; i < LOG_PARTITIONS; i++) {
		for (size_t m = 0; m < log->partitions[i].count; m++)
			free((char *)log->partitions[i].messages[m].payload.data);
		free(log->partitions[i].messages);
	}
	free(log);
}
