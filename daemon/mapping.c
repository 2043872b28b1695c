/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping: see mapping.h. A field is read from the first of its sources that has something: null,
 * an empty text and "-" are nothing.
 */
#include "autoconf.h"

#include "mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode_native.h"
#include "period.h"

#define ARENA_CHUNK_BYTES 65536
#define US_EXPONENT 6
#define NS_EXPONENT 9

/* clang-format off */
#define TEXT(word, member, min) \
	{ .name = (word), .kind = KIND_TEXT, .target = CALL_AT(member, struct span), .len_min = (min) }
#define REQUIRED(word, member) \
	{ .name = (word), .kind = KIND_TEXT, .target = CALL_AT(member, struct span), .len_min = 1, \
	  .required = true }
#define WORD(word, member, list) \
	{ .name = (word), .kind = KIND_WORD, .target = CALL_AT(member, int), .words = (list) }
#define COUNT(word) { .name = (word), .kind = KIND_COUNT }
#define NUMBER(word, member, most) \
	{ .name = (word), .kind = KIND_NUMBER, .target = CALL_AT(member, double), .max = (most) }
/* clang-format on */

const struct field_def mapping_fields[MAPPING_FIELDS] = {
	[FIELD_TIME] = { .name = "time",
			 .kind = KIND_TIME,
			 .target = CALL_AT(time_us, int64_t),
			 .required = true },
	[FIELD_USER] = REQUIRED("user", user),
	[FIELD_MODEL] = REQUIRED("model", model),
	[FIELD_EVENT_ID] = TEXT("event_id", event_id, 1),
	[FIELD_TEAM] = TEXT("team", team, 0),
	[FIELD_APP] = TEXT("app", app, 0),
	[FIELD_SESSION] = TEXT("session", session, 0),
	[FIELD_PROVIDER] = TEXT("provider", provider, 0),
	[FIELD_STATUS] = WORD("status", status, status_words),
	[FIELD_SERVICE_TIER] = WORD("service_tier", tier, tier_words),
	[FIELD_INPUT] = COUNT("input_tokens"),
	[FIELD_CACHE_READ] = COUNT("cache_read_tokens"),
	[FIELD_CACHE_WRITE] = COUNT("cache_write_tokens"),
	[FIELD_CACHE_WRITE_1H] = COUNT("cache_write_1h_tokens"),
	[FIELD_OUTPUT] = COUNT("output_tokens"),
	[FIELD_REASONING] = COUNT("reasoning_tokens"),
	[FIELD_TOTAL] = COUNT("total_tokens"),
	[FIELD_COST] = NUMBER("cost_usd", cost_usd, COST_USD_MAX),
	[FIELD_DURATION] = NUMBER("duration_ms", duration_ms, MS_MAX),
	[FIELD_TTFT] = NUMBER("ttft_ms", ttft_ms, MS_MAX),
};

struct mappings *mappings_new(void)
{
	static const struct span containers[] = { { "/resourceSpans", 14 },
						  { "/resourceLogs", 13 },
						  { "/resourceMetrics", 16 } };
	struct mappings *mappings = xcalloc(1, sizeof(*mappings));
	struct err err;
	char pointer[64];

	mappings->paths = paths_new();
	mappings->arena = arena_new(ARENA_CHUNK_BYTES);
	for (int shape = 0; shape < SHAPES; shape++)
		mappings->roots[shape] = paths_root(mappings->paths);
	for (int i = 0; i < NATIVE_FIELDS; i++) {
		snprintf(pointer, sizeof(pointer), "/%s", native_field_name(i));
		if (!paths_add(mappings->paths, mappings->roots[SHAPE_RECORD], span_of(pointer),
			       &mappings->native[i], &err))
			abort();
	}
	for (int i = 0; i < 3; i++)
		if (!paths_add(mappings->paths, mappings->roots[SHAPE_RECORD], containers[i],
			       &mappings->otlp[i], &err))
			abort();
	return mappings;
}

void mappings_free(struct mappings *mappings)
{
	if (mappings == NULL)
		return;
	paths_free(mappings->paths);
	arena_free(mappings->arena);
	free(mappings->items);
	free(mappings);
}

bool mappings_format(const struct mappings *mappings, struct span name, enum format *out)
{
	if (format_from_name(name, out))
		return true;
	for (size_t i = 0; i < mappings->count; i++) {
		if (span_is(name, mappings->items[i].name)) {
			*out = (enum format)(FORMAT_MAPPING + i);
			return true;
		}
	}
	return false;
}

static bool is_of(const struct mappings *mappings, enum format format,
		  const struct mapping *mapping)
{
	if ((int)format < FORMAT_MAPPING)
		return true;
	return strcmp(mapping->name, mappings->items[format - FORMAT_MAPPING].name) == 0;
}

const struct mapping *mappings_find(const struct mappings *mappings, enum format format,
				    enum shape shape, const struct values *values)
{
	const struct mapping *only = NULL;
	size_t candidates = 0;

	for (size_t i = 0; i < mappings->count; i++) {
		const struct mapping *mapping = &mappings->items[i];

		if (mapping->shape != shape || !is_of(mappings, format, mapping))
			continue;
		if (conditions_hold(&mapping->detect, values))
			return mapping;
		only = mapping;
		candidates++;
	}
	/* Who fixed a topic's format knows better than the marks by which `auto` tells it. */
	return (int)format >= FORMAT_MAPPING && shape == SHAPE_RECORD && candidates == 1 ? only
											 : NULL;
}

static bool is_there(const struct value *value)
{
	return value->kind != VALUE_NONE && value->kind != VALUE_NULL;
}

/* null, "" and "-" say nothing. */
static bool says_something(const struct value *value)
{
	return is_there(value) &&
	       !(value->kind == VALUE_TEXT &&
		 (value->text.len == 0 || (value->text.len == 1 && value->text.data[0] == '-')));
}

static bool has_part(struct span text, struct span part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
		if (memcmp(text.data + i, part.data, part.len) == 0)
			return true;
	return false;
}

static bool matches(enum condition_kind kind, struct span text, struct span word)
{
	if (word.len > text.len)
		return false;
	if (kind == WHEN_STARTS)
		return memcmp(text.data, word.data, word.len) == 0;
	if (kind == WHEN_ENDS)
		return memcmp(text.data + text.len - word.len, word.data, word.len) == 0;
	if (kind == WHEN_HAS)
		return has_part(text, word);
	return span_equal(text, word);
}

static bool condition_holds(const struct condition *condition, const struct values *values)
{
	const struct value *value = NULL;
	bool matched = false;

	for (size_t i = 0; i < condition->slot_count && value == NULL; i++)
		if (is_there(&values->items[condition->slots[i]]))
			value = &values->items[condition->slots[i]];
	if (condition->kind == WHEN_PRESENT || condition->kind == WHEN_ABSENT)
		return (value != NULL) == (condition->kind == WHEN_PRESENT);
	if (value == NULL || value->kind == VALUE_OTHER)
		return false;
	if (condition->kind == WHEN_AT_LEAST)
		return text_is_number(value->text) &&
		       number_double(value->text) >= condition->least;
	for (size_t i = 0; i < condition->word_count && !matched; i++)
		matched = matches(condition->kind, value->text, condition->words[i]);
	return matched == (condition->kind != WHEN_NOT);
}

bool conditions_hold(const struct conditions *conditions, const struct values *values)
{
	for (size_t i = 0; i < conditions->count; i++)
		if (!condition_holds(&conditions->items[i], values))
			return false;
	return true;
}

/* What reading one field of one record needs. */
struct reading {
	const struct mapping *mapping;
	const struct values *values;
	struct arena *arena;
	struct record *record;
	enum mapping_field field;
	const struct source_path *source;
};

static bool dead(const struct reading *in, const struct value_fault *fault)
{
	return record_dead(in->record, fault->reason, "%s (%.*s) %s",
			   mapping_fields[in->field].name, (int)in->source->name.len,
			   in->source->name.data, fault->what);
}

static const struct value *value_at(const struct reading *in, size_t i)
{
	return &in->values->items[in->source->slots[i]];
}

/* A number as a value of its own, where a sender put it into a string. */
static bool as_number(const struct reading *in, const struct value *value, struct value *out)
{
	struct value_fault fault;

	*out = *value;
	if (value->kind == VALUE_TEXT && !value->escaped && text_is_number(value->text))
		out->kind = VALUE_NUMBER;
	if (out->kind == VALUE_NUMBER)
		return true;
	value_fault_set(&fault, DEAD_BAD_TYPE, "is not a number");
	return dead(in, &fault);
}

/* Texts: numbers and booleans are taken as they are written. */
static bool text_of(const struct reading *in, const struct value *value, struct span *out)
{
	struct value_fault fault;

	if (value->kind == VALUE_NUMBER || value->kind == VALUE_BOOL) {
		*out = value->text;
		return true;
	}
	return value_read_string(value, in->arena, out, &fault) || dead(in, &fault);
}

static struct span joined(struct arena *arena, struct span left, char between, struct span right)
{
	char *text = arena_alloc(arena, left.len + right.len + 1);

	memcpy(text, left.data, left.len);
	text[left.len] = between;
	memcpy(text + left.len + 1, right.data, right.len);
	return (struct span){ text, left.len + right.len + 1 };
}

static struct span lowered(struct arena *arena, struct span text)
{
	char *lower;

	if (text.len == 0 || memchr(text.data, '@', text.len) == NULL)
		return text;
	lower = arena_alloc(arena, text.len);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
	}
	return (struct span){ lower, text.len };
}

static struct span word_for(const struct source_path *source, struct span text)
{
	for (size_t i = 0; i < source->word_count; i++)
		if (span_equal(source->words[i].from, text))
			return source->words[i].to;
	return text;
}

static bool read_text(const struct reading *in, struct span *out)
{
	const struct field_def *def = &mapping_fields[in->field];
	struct value_fault fault;
	struct span text = { NULL, 0 }, part;

	for (size_t i = 0; i < in->source->slot_count; i++) {
		if (!text_of(in, value_at(in, i), &part))
			return false;
		text = i == 0 ? part : joined(in->arena, text, in->source->separator, part);
	}
	text = word_for(in->source, text);
	if (in->mapping->lower_emails && in->field == FIELD_USER)
		text = lowered(in->arena, text);
	/* An event_id is only hashed. */
	if (text.len > TEXT_BYTES_MAX && in->field != FIELD_EVENT_ID) {
		value_fault_set(&fault, DEAD_OUT_OF_RANGE, "is longer than %d bytes",
				TEXT_BYTES_MAX);
		return dead(in, &fault);
	}
	if (text.len < def->len_min) {
		value_fault_set(&fault, DEAD_OUT_OF_RANGE, "is empty");
		return dead(in, &fault);
	}
	*out = text;
	return true;
}

/* False: the source says nothing that we know, try the next one. */
static bool find_word(const struct reading *in, int *out)
{
	const struct value *value = value_at(in, 0);
	const struct source_path *source = in->source;

	if (source->means != NULL) {
		*out = source->means_index;
		return true;
	}
	if (source->error_from >= 0 && text_is_number(value->text)) {
		*out = number_double(value->text) >= source->error_from ? STATUS_ERROR : STATUS_OK;
		return true;
	}
	for (size_t i = 0; i < source->word_count; i++) {
		if (span_equal(source->words[i].from, value->text)) {
			*out = source->words[i].index;
			return true;
		}
	}
	return false;
}

static bool read_count(const struct reading *in, int64_t *out)
{
	struct value_fault fault;
	struct value number;
	int64_t sum = 0, count;

	for (size_t i = 0; i < in->source->slot_count; i++) {
		if (!says_something(value_at(in, i)))
			continue;
		if (!as_number(in, value_at(in, i), &number))
			return false;
		if (!value_read_count(&number, &count, &fault))
			return dead(in, &fault);
		sum += count; /* of a few counts up to 2^53 */
	}
	*out = sum;
	return true;
}

/* A time in units of 10^-digits seconds. */
static bool read_instant(const struct reading *in, const struct value *value, int digits,
			 int64_t *out)
{
	struct value_fault fault;
	struct span text;
	int64_t us;

	if (value->kind == VALUE_NUMBER ||
	    (value->kind == VALUE_TEXT && text_is_number(value->text))) {
		if (number_scaled(value->text, in->source->exponent + digits, out))
			return true;
		value_fault_set(&fault, DEAD_BAD_TIME, "is too large");
		return dead(in, &fault);
	}
	if (!value_read_string(value, in->arena, &text, &fault))
		return dead(in, &fault);
	if (!period_parse_rfc3339(text, &us) &&
	    !(in->source->utc && text.len < 64 &&
	      period_parse_rfc3339(joined(in->arena, text, 'Z', SPAN("")), &us))) {
		value_fault_set(&fault, DEAD_BAD_TIME, "is not a time with an offset");
		return dead(in, &fault);
	}
	if (!__builtin_mul_overflow(us, digits == NS_EXPONENT ? 1000 : 1, out))
		return true;
	value_fault_set(&fault, DEAD_BAD_TIME, "is too large"); /* after the year 2262, in ns */
	return dead(in, &fault);
}

static bool read_time(const struct reading *in, int64_t *out)
{
	return read_instant(in, value_at(in, 0), US_EXPONENT, out);
}

/* Below 0 when the clock ran backwards: then it says nothing. */
static bool read_difference(const struct reading *in, double *out)
{
	int64_t from_ns, to_ns, ns;

	if (!read_instant(in, value_at(in, 0), NS_EXPONENT, &from_ns) ||
	    !read_instant(in, value_at(in, 1), NS_EXPONENT, &to_ns))
		return false;
	if (__builtin_sub_overflow(to_ns, from_ns, &ns) || ns < 0)
		ns = -1000000;
	*out = (double)ns / 1e6;
	return true;
}

static double scaled(double number, int exponent)
{
	static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };

	return exponent < 0 ? number / powers[-exponent] : number * powers[exponent];
}

static bool read_number(const struct reading *in, double *out)
{
	const struct field_def *def = &mapping_fields[in->field];
	struct value_fault fault;
	struct value number;
	double value;

	if (in->source->kind == SOURCE_DIFFERENCE) {
		if (!read_difference(in, out))
			return false;
		if (*out <= def->max)
			return true;
		value = *out;
	} else {
		if (!as_number(in, value_at(in, 0), &number))
			return false;
		if (!value_read_number(&number, 1e300, &value, &fault))
			return dead(in, &fault);
		value = scaled(value, in->source->exponent);
		*out = value;
	}
	if (value <= def->max)
		return true;
	value_fault_set(&fault, DEAD_OUT_OF_RANGE, "is above %.0f", def->max);
	return dead(in, &fault);
}

/* A sum has something when one part has; all others need every part. */
static bool source_has(const struct reading *in)
{
	size_t there = 0;

	for (size_t i = 0; i < in->source->slot_count; i++)
		there += says_something(value_at(in, i));
	if (there == 0 || (there < in->source->slot_count && in->source->kind != SOURCE_SUM))
		return false;
	return conditions_hold(&in->source->conditions, in->values);
}

/* Reads from the source at hand. *found stays false when it says nothing after all. */
static bool read_source(const struct reading *in, struct call *call, struct raw_tokens *raw,
			bool *found)
{
	const struct field_def *def = &mapping_fields[in->field];
	void *target = (char *)call + def->target;

	*found = true;
	switch (def->kind) {
	case KIND_TIME:
		return read_time(in, target);
	case KIND_TEXT:
		return read_text(in, target);
	case KIND_WORD:
		*found = find_word(in, target);
		return true;
	case KIND_COUNT:
		raw->sent[in->field] = true;
		return read_count(in, &raw->counts[in->field]);
	case KIND_NUMBER:
		if (!read_number(in, target))
			return false;
		*found = *(double *)target >= 0;
		return true;
	}
	return false;
}

static void use_default(const struct reading *in, struct call *call)
{
	const struct field_def *def = &mapping_fields[in->field];
	void *target = (char *)call + def->target;

	if (def->kind == KIND_TEXT)
		*(struct span *)target = in->mapping->defaults[in->field];
	else if (def->kind == KIND_WORD)
		*(int *)target = in->mapping->default_index[in->field];
}

static bool read_field(struct reading *in, struct call *call, struct raw_tokens *raw)
{
	const struct sources *sources = &in->mapping->fields[in->field];

	for (size_t i = 0; i < sources->count; i++) {
		bool found;

		in->source = &sources->items[i];
		if (!source_has(in))
			continue;
		if (!read_source(in, call, raw, &found))
			return false;
		if (found)
			return true;
	}
	if (mapping_fields[in->field].required && in->mapping->defaults[in->field].len == 0)
		return record_dead(in->record, DEAD_MISSING_FIELD, "%s is missing",
				   mapping_fields[in->field].name);
	use_default(in, call);
	return true;
}

static bool check_twice(const struct mapping *mapping, const struct values *values,
			struct record *record)
{
	if (values->twice)
		for (size_t i = 0; i < mapping->used_count; i++)
			if (values->items[mapping->used[i]].twice)
				return record_dead(record, DEAD_BAD_TYPE, "duplicate key");
	return true;
}

static bool skips(const struct mapping *mapping, const struct values *values, struct record *record)
{
	for (size_t i = 0; i < mapping->skip_count; i++) {
		if (conditions_hold(&mapping->skips[i].conditions, values)) {
			record->kind = RECORD_SKIPPED;
			record->why = mapping->skips[i].why;
			return true;
		}
	}
	return false;
}

bool mapping_read(const struct mapping *mapping, const struct values *values, struct arena *arena,
		  struct call *call, struct record *record)
{
	struct reading in = {
		.mapping = mapping, .values = values, .arena = arena, .record = record
	};
	struct raw_tokens raw = { 0 };

	if (!check_twice(mapping, values, record) || skips(mapping, values, record))
		return false;
	*call = call_empty;
	for (int field = 0; field < MAPPING_FIELDS; field++) {
		in.field = (enum mapping_field)field;
		if (!read_field(&in, call, &raw))
			return false;
	}
	mapping_settle(mapping, &raw, call, record);
	return true;
}
