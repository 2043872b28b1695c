/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_native: see decode_native.h. A field is a row: its name, where it goes, who reads it. The
 * order of the rows is the order of the checks, and that of the schema.
 */
#include "autoconf.h"

#include "decode_native.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "period.h"

/* Milliseconds since 1970 of 0000-01-01T00:00:00 and of the last one of year 9999. */
#define EPOCH_MS_MIN (-62167219200000.0)
#define EPOCH_MS_MAX 253402300799999.0

struct field;
typedef bool read_fn(const struct value *value, const struct field *field, struct arena *arena,
		     void *target, struct value_fault *fault);

struct field {
	const char *name;
	read_fn *read;
	size_t target; /* in struct call */
	bool required;
	size_t len_min;		  /* text */
	double max;		  /* number */
	const char *const *words; /* word */
};

static bool read_text(const struct value *value, const struct field *field, struct arena *arena,
		      void *target, struct value_fault *fault)
{
	return value_read_text(value, arena, field->len_min, target, fault);
}

static bool read_count(const struct value *value, const struct field *field, struct arena *arena,
		       void *target, struct value_fault *fault)
{
	(void)field;
	(void)arena;
	return value_read_count(value, target, fault);
}

static bool read_number(const struct value *value, const struct field *field, struct arena *arena,
			void *target, struct value_fault *fault)
{
	(void)arena;
	return value_read_number(value, field->max, target, fault);
}

static bool read_word(const struct value *value, const struct field *field, struct arena *arena,
		      void *target, struct value_fault *fault)
{
	char what[64] = "is none of";
	size_t len = strlen(what);
	struct span text;

	if (!value_read_string(value, arena, &text, fault))
		return false;
	for (int i = 0; field->words[i] != NULL; i++) {
		if (span_is(text, field->words[i])) {
			*(int *)target = i;
			return true;
		}
	}
	for (int i = 0; field->words[i] != NULL && len < sizeof(what); i++)
		len += (size_t)snprintf(what + len, sizeof(what) - len, " %s", field->words[i]);
	return value_fault_set(fault, DEAD_OUT_OF_RANGE, "%s", what);
}

static bool read_epoch_ms(const struct value *value, int64_t *out, struct value_fault *fault)
{
	double ms = number_double(value->text);

	if (!(ms >= EPOCH_MS_MIN && ms <= EPOCH_MS_MAX))
		return value_fault_set(fault, DEAD_BAD_TIME, "is outside the years 0 to 9999");
	if (ms != trunc(ms))
		return value_fault_set(fault, DEAD_BAD_TIME,
				       "is not a whole number of milliseconds");
	*out = (int64_t)ms * US_PER_MS;
	return true;
}

static bool read_time(const struct value *value, const struct field *field, struct arena *arena,
		      void *target, struct value_fault *fault)
{
	struct span text;

	(void)field;
	if (value->kind == VALUE_NUMBER)
		return read_epoch_ms(value, target, fault);
	if (value->kind != VALUE_TEXT)
		return value_fault_set(fault, DEAD_BAD_TYPE, "is neither a string nor an integer");
	if (!value_read_string(value, arena, &text, fault))
		return false;
	if (!period_parse_rfc3339(text, target))
		return value_fault_set(fault, DEAD_BAD_TIME, "is not RFC 3339 with an offset");
	return true;
}

/* clang-format off */
#define TEXT(word, member, min) \
	{ .name = (word), .read = read_text, .target = CALL_AT(member, struct span), .len_min = (min) }
#define REQUIRED_TEXT(word, member) \
	{ .name = (word), .read = read_text, .target = CALL_AT(member, struct span), .len_min = 1, \
	  .required = true }
#define WORD(word, member, list) \
	{ .name = (word), .read = read_word, .target = CALL_AT(member, int), .words = (list) }
#define COUNT(word, member) \
	{ .name = (word), .read = read_count, .target = CALL_AT(member, int64_t) }
#define NUMBER(word, member, most) \
	{ .name = (word), .read = read_number, .target = CALL_AT(member, double), .max = (most) }
/* clang-format on */

static const struct field fields[] = {
	{ .name = "time",
	  .read = read_time,
	  .target = CALL_AT(time_us, int64_t),
	  .required = true },
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
_Static_assert(sizeof(fields) / sizeof(fields[0]) == NATIVE_FIELDS, "NATIVE_FIELDS is wrong");

const char *native_field_name(int field)
{
	return fields[field].name;
}

static bool is_sent(const struct values *values, uint16_t slot)
{
	return values->items[slot].kind != VALUE_NONE;
}

bool native_knows(const struct values *values, const uint16_t *slots)
{
	for (int i = 0; i < NATIVE_FIELDS; i++)
		if (fields[i].required && is_sent(values, slots[i]))
			return true;
	return false;
}

static bool check_keys(const struct values *values, const uint16_t *slots, struct record *record)
{
	if (values->twice)
		for (int i = 0; i < NATIVE_FIELDS; i++)
			if (values->items[slots[i]].twice)
				return record_dead(record, DEAD_BAD_TYPE, "duplicate key");
	for (int i = 0; i < NATIVE_FIELDS; i++)
		if (fields[i].required && !is_sent(values, slots[i]))
			return record_dead(record, DEAD_MISSING_FIELD, "%s is missing",
					   fields[i].name);
	return true;
}

bool native_read(const struct values *values, const uint16_t *slots, struct arena *arena,
		 struct call *call, struct record *record)
{
	struct value_fault fault;

	if (!check_keys(values, slots, record))
		return false;
	*call = call_empty;
	call->cache_known = true; /* a canonical sender reports its cache: an absent counter is 0 */
	for (int i = 0; i < NATIVE_FIELDS; i++) {
		const struct value *value = &values->items[slots[i]];
		const struct field *field = &fields[i];

		if (value->kind != VALUE_NONE &&
		    !field->read(value, field, arena, (char *)call + field->target, &fault))
			return record_dead(record, fault.reason, "%s %s", field->name, fault.what);
	}
	return true;
}
