/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_native: see decode_native.h. A field is a row: its name, where it goes, who reads it. The
 * order of the rows is the order of the checks, and that of the schema.
 */
#include "autoconf.h"

#include "decode_native.h"

#include <math.h>
#include <pthread.h>
#include <stddef.h>

#include "period.h"

#define COST_USD_MAX 1e6
#define MS_MAX 1e9
/* Milliseconds since 1970 of 0000-01-01T00:00:00 and of the last one of year 9999. */
#define EPOCH_MS_MIN (-62167219200000.0)
#define EPOCH_MS_MAX 253402300799999.0

/* clang-format off */
/* offsetof, but only if the member has this type: otherwise an array has size -1. */
#define AT(member, type)                                                                           \
	(offsetof(struct call, member) +                                                           \
	 0 * sizeof(char[_Generic(&((struct call *)0)->member, type *: 1, default: -1)]))
/* clang-format on */

struct field;
typedef bool read_fn(const struct json_record *in, int key, const struct field *field, void *target,
		     struct record *record);

struct field {
	const char *name;
	read_fn *read;
	size_t target; /* in struct call */
	bool required;
	size_t len_min;		  /* text */
	double max;		  /* number */
	const char *const *words; /* word */
};

static const char *const status_words[] = { "ok", "error", NULL };
static const char *const tier_words[] = { "standard", "batch", "flex", "priority", NULL };

static bool read_text(const struct json_record *in, int key, const struct field *field,
		      void *target, struct record *record)
{
	return json_read_text(in, key, field->len_min, target, record);
}

static bool read_count(const struct json_record *in, int key, const struct field *field,
		       void *target, struct record *record)
{
	(void)field;
	return json_read_count(in, key, target, record);
}

static bool read_number(const struct json_record *in, int key, const struct field *field,
			void *target, struct record *record)
{
	return json_read_number(in, key, field->max, target, record);
}

static bool read_word(const struct json_record *in, int key, const struct field *field,
		      void *target, struct record *record)
{
	return json_read_word(in, key, field->words, target, record);
}

static bool read_epoch_ms(const struct json_record *in, int key, int64_t *out,
			  struct record *record)
{
	double ms = in->members[key]->valuedouble;

	if (!(ms >= EPOCH_MS_MIN && ms <= EPOCH_MS_MAX))
		return json_dead(in, key, record, DEAD_BAD_TIME, "is outside the years 0 to 9999");
	if (ms != trunc(ms))
		return json_dead(in, key, record, DEAD_BAD_TIME,
				 "is not a whole number of milliseconds");
	*out = (int64_t)ms * US_PER_MS;
	return true;
}

static bool read_time(const struct json_record *in, int key, const struct field *field,
		      void *target, struct record *record)
{
	const cJSON *member = in->members[key];
	struct span text;

	(void)field;
	if (cJSON_IsNumber(member))
		return read_epoch_ms(in, key, target, record);
	if (!cJSON_IsString(member))
		return json_dead(in, key, record, DEAD_BAD_TYPE,
				 "is neither a string nor an integer");
	if (!json_read_string(in, key, &text, record))
		return false;
	if (!period_parse_rfc3339(text, target))
		return json_dead(in, key, record, DEAD_BAD_TIME, "is not RFC 3339 with an offset");
	return true;
}

/* clang-format off */
#define TEXT(word, member, min) \
	{ .name = (word), .read = read_text, .target = AT(member, struct span), .len_min = (min) }
#define REQUIRED_TEXT(word, member) \
	{ .name = (word), .read = read_text, .target = AT(member, struct span), .len_min = 1, \
	  .required = true }
#define WORD(word, member, list) \
	{ .name = (word), .read = read_word, .target = AT(member, int), .words = (list) }
#define COUNT(word, member) \
	{ .name = (word), .read = read_count, .target = AT(member, int64_t) }
#define NUMBER(word, member, most) \
	{ .name = (word), .read = read_number, .target = AT(member, double), .max = (most) }
/* clang-format on */

static const struct field fields[] = {
	{ .name = "time", .read = read_time, .target = AT(time_us, int64_t), .required = true },
	REQUIRED_TEXT("user", user),
	REQUIRED_TEXT("model", model),
	TEXT("event_id", event_id, 1),
	TEXT("team", team, 0),
	TEXT("app", app, 0),
	TEXT("session", session, 0),
	TEXT("provider", provider, 0),
	WORD("status", status, status_words),
	WORD("service_tier", tier, tier_words),
	COUNT("input_tokens", input),
	COUNT("cache_read_tokens", cache_read),
	COUNT("cache_write_tokens", cache_write),
	COUNT("cache_write_1h_tokens", cache_write_1h),
	COUNT("output_tokens", output),
	COUNT("reasoning_tokens", reasoning),
	NUMBER("cost_usd", cost_usd, COST_USD_MAX),
	NUMBER("duration_ms", duration_ms, MS_MAX),
	NUMBER("ttft_ms", ttft_ms, MS_MAX),
};
#define FIELDS ((int)(sizeof(fields) / sizeof(fields[0])))

static struct json_keys keys;

static void add_keys(void)
{
	for (int i = 0; i < FIELDS; i++)
		json_keys_add(&keys, span_of(fields[i].name));
}

const struct json_keys *native_keys(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, add_keys);
	return &keys;
}

bool native_knows(const struct json_record *in)
{
	for (int key = 0; key < FIELDS; key++)
		if (fields[key].required && in->members[key] != NULL)
			return true;
	return false;
}

static bool check_required(const struct json_record *in, struct record *record)
{
	for (int key = 0; key < FIELDS; key++)
		if (fields[key].required && in->members[key] == NULL)
			return json_dead(in, key, record, DEAD_MISSING_FIELD, "is missing");
	return true;
}

bool native_read(const struct json_record *in, struct call *call, struct record *record)
{
	*call = call_empty;
	call->cache_known = true; /* a canonical sender reports its cache: an absent counter is 0 */
	if (in->duplicate)
		return record_dead(record, DEAD_BAD_TYPE, "duplicate key");
	if (!check_required(in, record))
		return false;
	for (int key = 0; key < FIELDS; key++) {
		const struct field *field = &fields[key];

		if (in->members[key] != NULL &&
		    !field->read(in, key, field, (char *)call + field->target, record))
			return false;
	}
	return true;
}
