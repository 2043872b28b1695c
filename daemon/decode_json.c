/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_json: see decode_json.h. cJSON keeps numbers as doubles only and strings without their
 * length; what that loses (2^53 + 1, \u0000) is found here, with the help of the record's own
 * bytes.
 */
#include "autoconf.h"

#include "decode_json.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "decode_call.h"
#include "decode_scan.h"

#define TEXT_BYTES_MAX 256
#define COUNT_MAX 9007199254740992.0 /* 2^53 */
#define PRUNE_BYTES_MIN 65536	     /* a tree of so many bytes is at most 2 MiB */

/* cJSON knows only malloc-like hooks, so the arena of the parse under way stands here. */
static _Thread_local struct arena *current_arena;

static void *hook_allocate(size_t bytes)
{
	assert(current_arena != NULL);
	return arena_alloc(current_arena, bytes);
}

static void hook_free(void *memory)
{
	(void)memory; /* goes with the arena */
}

static void install_hooks(void)
{
	cJSON_Hooks hooks = { .malloc_fn = hook_allocate, .free_fn = hook_free };

	cJSON_InitHooks(&hooks);
}

void json_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install_hooks);
}

static size_t first_slot(struct span name)
{
	const uint8_t *bytes = (const uint8_t *)name.data;
	size_t hash = name.len * 5;

	if (name.len > 0)
		hash += bytes[0] * 3u + bytes[name.len - 1] * 7u + bytes[name.len / 2];
	return hash % sizeof(((struct json_keys *)0)->slots);
}

void json_keys_add(struct json_keys *keys, struct span name)
{
	size_t slot = first_slot(name);

	assert(keys->count < JSON_KEYS_MAX);
	while (keys->slots[slot] != 0)
		slot = (slot + 1) % sizeof(keys->slots);
	keys->names[keys->count++] = name;
	keys->slots[slot] = (uint8_t)keys->count;
}

int json_keys_find(const struct json_keys *keys, struct span name)
{
	size_t slot = first_slot(name);

	for (; keys->slots[slot] != 0; slot = (slot + 1) % sizeof(keys->slots)) {
		int key = keys->slots[slot] - 1;

		if (keys->names[key].len == name.len &&
		    memcmp(keys->names[key].data, name.data, name.len) == 0)
			return key;
	}
	return -1;
}

/* The same for a key as it stands in the text. */
static int find_raw_key(const struct json_keys *keys, struct span raw)
{
	char name[64];
	size_t len;

	if (!scan_key(raw, name, sizeof(name), &len))
		return -1;
	return json_keys_find(keys, (struct span){ name, len });
}

/* Behind the opening brace of an object. */
static struct span inside(struct span object)
{
	return (struct span){ object.data + 1, object.len - 1 };
}

static char *copy_span(char *to, struct span from)
{
	memcpy(to, from.data, from.len);
	return to + from.len;
}

/* The object again with only those members whose key is read, containers among them emptied. One
 * member more than there are keys is enough: then some key stands twice, which is all that is to be
 * known. */
static struct span prune(const struct json_keys *keys, struct arena *arena, struct span object)
{
	struct span rest = inside(object), key, value;
	char *begin = arena_alloc(arena, object.len), *to = begin;
	size_t kept = 0;

	*to++ = '{';
	while (kept <= keys->count && scan_member(&rest, &key, &value)) {
		if (find_raw_key(keys, key) < 0)
			continue;
		if (kept++ > 0)
			*to++ = ',';
		*to++ = '"';
		to = copy_span(to, key);
		to = copy_span(to, SPAN("\":"));
		if (value.data[0] == '{')
			value = SPAN("{}");
		else if (value.data[0] == '[')
			value = SPAN("[]");
		to = copy_span(to, value);
	}
	*to++ = '}';
	return (struct span){ begin, (size_t)(to - begin) };
}

static cJSON *parse_in(struct arena *arena, struct span text)
{
	cJSON *root;

	current_arena = arena;
	root = cJSON_ParseWithLength(text.data, text.len);
	current_arena = NULL;
	return root;
}

static void collect_members(struct json_record *record, const cJSON *root)
{
	for (const cJSON *member = root->child; member != NULL; member = member->next) {
		int key = json_keys_find(record->keys, span_of(member->string));

		if (key < 0)
			continue;
		record->duplicate |= record->members[key] != NULL;
		record->members[key] = member;
	}
}

bool json_record_parse(struct json_record *out, const struct json_keys *keys, struct arena *arena,
		       struct span raw, bool odd_escapes)
{
	struct span text = raw;
	const cJSON *root;

	if (raw.len >= PRUNE_BYTES_MIN)
		text = prune(keys, arena, raw);
	if (odd_escapes) {
		char *patched = arena_alloc(arena, text.len);

		scan_patch(text, patched);
		text.data = patched;
	}
	root = parse_in(arena, text);
	if (!cJSON_IsObject(root))
		return false;
	out->keys = keys;
	out->raw = raw;
	out->patched = odd_escapes;
	out->duplicate = false;
	memset(out->members, 0, keys->count * sizeof(out->members[0]));
	collect_members(out, root);
	return true;
}

bool json_dead(const struct json_record *in, int key, struct record *record,
	       enum dead_reason reason, const char *what)
{
	struct span name = in->keys->names[key];

	return record_dead(record, reason, "%.*s %s", (int)name.len, name.data, what);
}

bool json_read_string(const struct json_record *in, int key, struct span *out,
		      struct record *record)
{
	const cJSON *member = in->members[key];

	if (!cJSON_IsString(member))
		return json_dead(in, key, record, DEAD_BAD_TYPE, "is not a string");
	if (in->patched && strstr(member->valuestring, SCAN_PATCHED_NUL) != NULL)
		return json_dead(in, key, record, DEAD_NUL_BYTE, "has the escape \\u0000");
	if (in->patched && strstr(member->valuestring, SCAN_PATCHED_SURROGATE) != NULL)
		return json_dead(in, key, record, DEAD_NOT_UTF8, "has half a surrogate pair");
	*out = span_of(member->valuestring);
	return true;
}

bool json_read_text(const struct json_record *in, int key, size_t len_min, struct span *out,
		    struct record *record)
{
	struct span text;

	if (!json_read_string(in, key, &text, record))
		return false;
	if (text.len < len_min)
		return json_dead(in, key, record, DEAD_OUT_OF_RANGE, "is empty");
	if (text.len > TEXT_BYTES_MAX)
		return json_dead(in, key, record, DEAD_OUT_OF_RANGE, "is longer than 256 bytes");
	*out = text;
	return true;
}

/* The bytes of a member's value. Only for the rare question that the tree cannot answer. */
static struct span raw_value(const struct json_record *in, int key)
{
	struct span rest = inside(in->raw), name, value = { NULL, 0 };

	while (scan_member(&rest, &name, &value))
		if (find_raw_key(in->keys, name) == key)
			break;
	return value;
}

bool json_read_count(const struct json_record *in, int key, int64_t *out, struct record *record)
{
	const cJSON *member = in->members[key];
	double value;

	if (!cJSON_IsNumber(member))
		return json_dead(in, key, record, DEAD_BAD_TYPE, "is not an integer");
	value = member->valuedouble;
	if (isfinite(value) && value != trunc(value))
		return json_dead(in, key, record, DEAD_BAD_TYPE, "is not an integer");
	if (value < 0)
		return json_dead(in, key, record, DEAD_OUT_OF_RANGE, "is negative");
	/* 2^53 + 1 becomes 2^53 in a double. */
	if (value > COUNT_MAX || (value == COUNT_MAX && scan_above_2_53(raw_value(in, key))))
		return json_dead(in, key, record, DEAD_OUT_OF_RANGE, "is above 2^53");
	*out = (int64_t)value;
	return true;
}

bool json_read_number(const struct json_record *in, int key, double max, double *out,
		      struct record *record)
{
	const cJSON *member = in->members[key];
	char what[48];

	if (!cJSON_IsNumber(member))
		return json_dead(in, key, record, DEAD_BAD_TYPE, "is not a number");
	if (member->valuedouble < 0)
		return json_dead(in, key, record, DEAD_OUT_OF_RANGE, "is negative");
	if (member->valuedouble > max) {
		snprintf(what, sizeof(what), "is above %.0f", max);
		return json_dead(in, key, record, DEAD_OUT_OF_RANGE, what);
	}
	*out = member->valuedouble;
	return true;
}

bool json_read_word(const struct json_record *in, int key, const char *const *words, int *out,
		    struct record *record)
{
	char what[96] = "is none of";
	size_t len = strlen(what);
	struct span text;

	if (!json_read_string(in, key, &text, record))
		return false;
	for (int i = 0; words[i] != NULL; i++) {
		if (span_is(text, words[i])) {
			*out = i;
			return true;
		}
	}
	for (int i = 0; words[i] != NULL && len < sizeof(what); i++)
		len += (size_t)snprintf(what + len, sizeof(what) - len, " %s", words[i]);
	return json_dead(in, key, record, DEAD_OUT_OF_RANGE, what);
}
