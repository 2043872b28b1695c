/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_reader: see mapping_reader.h.
 */
#include "autoconf.h"

#include "mapping_reader.h"

#include <stdio.h>
#include <string.h>

bool reader_fault(const struct reader *in, const char *what)
{
	return err_set(in->err, ERR_CONFIG, "%s: %s: %s", in->file, *in->place ? in->place : "/",
		       what);
}

/* Goes a step down for the call, and back. */
bool reader_at(struct reader *in, const char *step, read_fn *read, const cJSON *json, void *target)
{
	size_t len = strlen(in->place);
	bool ok;

	snprintf(in->place + len, sizeof(in->place) - len, "/%s", step);
	ok = read(in, json, target);
	in->place[len] = '\0';
	return ok;
}

bool reader_at_index(struct reader *in, int index, read_fn *read, const cJSON *json, void *target)
{
	char step[16];

	snprintf(step, sizeof(step), "%d", index);
	return reader_at(in, step, read, json, target);
}

struct span reader_kept(struct reader *in, const char *text)
{
	size_t len = strlen(text);
	char *copy = arena_alloc(in->mappings->arena, len + 1);

	memcpy(copy, text, len + 1);
	return (struct span){ copy, len };
}

void *reader_room(struct reader *in, size_t count, size_t bytes)
{
	void *memory = arena_alloc(in->mappings->arena, (count + 1) * bytes);

	memset(memory, 0, (count + 1) * bytes);
	return memory;
}

/* A string, a number or a boolean, as text. */
bool reader_word(struct reader *in, const cJSON *json, void *target)
{
	struct span *out = target;
	char number[32];

	if (cJSON_IsString(json))
		*out = reader_kept(in, json->valuestring);
	else if (cJSON_IsBool(json))
		*out = reader_kept(in, cJSON_IsTrue(json) ? "true" : "false");
	else if (cJSON_IsNumber(json)) {
		snprintf(number, sizeof(number), "%.15g", json->valuedouble);
		*out = reader_kept(in, number);
	} else
		return reader_fault(in, "is not a string, a number or a boolean");
	return true;
}

bool reader_name(struct reader *in, const cJSON *json, void *target)
{
	if (!cJSON_IsString(json) || *json->valuestring == '\0')
		return reader_fault(in, "is not a text");
	*(const char **)target = reader_kept(in, json->valuestring).data;
	return true;
}

bool reader_bool(struct reader *in, const cJSON *json, void *target)
{
	if (!cJSON_IsBool(json))
		return reader_fault(in, "is not true or false");
	*(bool *)target = cJSON_IsTrue(json);
	return true;
}

static int word_index(const char *const *words, const char *text)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return -1;
}

bool reader_not_one_of(const struct reader *in, const char *const *words)
{
	char what[160] = "is none of";
	size_t len = strlen(what);

	for (int i = 0; words[i] != NULL && len < sizeof(what); i++)
		len += (size_t)snprintf(what + len, sizeof(what) - len, " %s", words[i]);
	return reader_fault(in, what);
}

bool reader_choose(struct reader *in, const cJSON *json, const char *const *words, int *out)
{
	int index = cJSON_IsString(json) ? word_index(words, json->valuestring) : -1;

	if (index < 0)
		return reader_not_one_of(in, words);
	*out = index;
	return true;
}

bool reader_check_object(struct reader *in, const cJSON *json, const char *const *keys)
{
	if (!cJSON_IsObject(json))
		return reader_fault(in, "is not an object");
	for (const cJSON *member = json->child; member != NULL; member = member->next) {
		char what[160];

		for (const cJSON *other = json->child; other != member; other = other->next)
			if (strcmp(other->string, member->string) == 0) {
				snprintf(what, sizeof(what), "the key '%.60s' stands twice",
					 member->string);
				return reader_fault(in, what);
			}
		if (keys == NULL || word_index(keys, member->string) >= 0)
			continue;
		const char *near = nearest_word(member->string, keys);

		snprintf(what, sizeof(what), "has no key '%.40s'%s%s", member->string,
			 near != NULL ? "; nearest: " : "", near != NULL ? near : "");
		return reader_fault(in, what);
	}
	return true;
}

const cJSON *reader_get(const cJSON *json, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(json, key);
}

/* The first segment of a path into a span or a log record of OTLP. */
static bool check_first(const struct reader *in, const char *pointer)
{
	static const char *const spans[] = { "attributes", "resource",	     "scope",
					     "name",	   "kind",	     "start",
					     "end",	   "status",	     "trace_id",
					     "span_id",	   "parent_span_id", NULL };
	static const char *const logs[] = { "attributes",    "resource", "scope",      "time",
					    "observed_time", "body",	 "event_name", "trace_id",
					    "span_id",	     NULL };
	const char *const *words = in->mapping->shape == SHAPE_SPAN ? spans : logs;
	char first[32];
	size_t len = strcspn(pointer + 1, "/");

	if (in->mapping->shape == SHAPE_RECORD)
		return true;
	if (len >= sizeof(first))
		len = sizeof(first) - 1;
	memcpy(first, pointer + 1, len);
	first[len] = '\0';
	return word_index(words, first) >= 0 ? true : reader_not_one_of(in, words);
}

static void note_used(struct mapping *mapping, uint16_t slot)
{
	for (size_t i = 0; i < mapping->used_count; i++)
		if (mapping->used[i] == slot)
			return;
	mapping->used = xrealloc_array(mapping->used, mapping->used_count + 1, sizeof(slot));
	mapping->used[mapping->used_count++] = slot;
}

bool reader_add_path(struct reader *in, uint32_t root, const char *pointer, uint16_t *slot)
{
	struct err why;

	if (!paths_add(in->mappings->paths, root, span_of(pointer), slot, &why))
		return reader_fault(in, why.text);
	note_used(in->mapping, *slot);
	return true;
}

/* "^/x" is a path of the document that the records stand in. */
bool reader_path(struct reader *in, const cJSON *json, void *target)
{
	uint32_t root = in->mapping->root;
	const char *pointer = cJSON_IsString(json) ? json->valuestring : "";

	if (*pointer == '^') {
		if (!in->mapping->many)
			return reader_fault(in, "starts with ^, but there is no /records");
		pointer++;
		root = in->mappings->roots[SHAPE_RECORD];
	}
	if (*pointer != '/')
		return reader_fault(in, "is no JSON pointer: it does not start with /");
	return check_first(in, pointer) && reader_add_path(in, root, pointer, target);
}

/* One path or a list of them. */
bool reader_paths(struct reader *in, const cJSON *json, uint16_t **slots, size_t *count)
{
	int index = 0;

	if (!cJSON_IsArray(json)) {
		*slots = reader_room(in, 1, sizeof(**slots));
		*count = 1;
		return reader_path(in, json, *slots);
	}
	*count = (size_t)cJSON_GetArraySize(json);
	if (*count == 0 || *count > MAPPING_LIST_MAX)
		return reader_fault(in, "is a list of none or too many");
	*slots = reader_room(in, *count, sizeof(**slots));
	for (const cJSON *item = json->child; item != NULL; item = item->next, index++)
		if (!reader_at_index(in, index, reader_path, item, *slots + index))
			return false;
	return true;
}

struct slot_list {
	uint16_t *slots;
	size_t count;
};

static bool read_slot_list(struct reader *in, const cJSON *json, void *target)
{
	struct slot_list *list = target;

	return reader_paths(in, json, &list->slots, &list->count);
}

static bool read_words(struct reader *in, const cJSON *json, void *target)
{
	struct condition *condition = target;
	int index = 0;

	condition->word_count = (size_t)cJSON_GetArraySize(json);
	if (!cJSON_IsArray(json) || condition->word_count == 0 ||
	    condition->word_count > MAPPING_LIST_MAX)
		return reader_fault(in, "is not a list of words");
	condition->words = reader_room(in, condition->word_count, sizeof(*condition->words));
	for (const cJSON *item = json->child; item != NULL; item = item->next, index++)
		if (!reader_at_index(in, index, reader_word, item, &condition->words[index]))
			return false;
	return true;
}

bool reader_number(struct reader *in, const cJSON *json, void *target)
{
	if (!cJSON_IsNumber(json))
		return reader_fault(in, "is not a number");
	*(double *)target = json->valuedouble;
	return true;
}

static bool read_condition(struct reader *in, const cJSON *json, void *target)
{
	static const char *const keys[] = { "path", "present", "is",	   "not", "starts",
					    "ends", "has",     "at_least", NULL };
	static const enum condition_kind kinds[] = {
		[2] = WHEN_IS, [3] = WHEN_NOT, [4] = WHEN_STARTS, [5] = WHEN_ENDS, [6] = WHEN_HAS
	};
	struct condition *condition = target;
	struct slot_list list;
	const cJSON *test;
	bool present;
	int key;

	if (!reader_check_object(in, json, keys))
		return false;
	if (reader_get(json, "path") == NULL || cJSON_GetArraySize(json) != 2)
		return reader_fault(in, "needs a path and one test of it");
	if (!reader_at(in, "path", read_slot_list, reader_get(json, "path"), &list))
		return false;
	condition->slots = list.slots;
	condition->slot_count = list.count;
	test = strcmp(json->child->string, "path") == 0 ? json->child->next : json->child;
	key = word_index(keys, test->string);
	if (key == 1) {
		if (!reader_at(in, keys[key], reader_bool, test, &present))
			return false;
		condition->kind = present ? WHEN_PRESENT : WHEN_ABSENT;
		return true;
	}
	if (key == 7) {
		condition->kind = WHEN_AT_LEAST;
		return reader_at(in, keys[key], reader_number, test, &condition->least);
	}
	condition->kind = kinds[key];
	return reader_at(in, keys[key], read_words, test, condition);
}

/* A condition or a list of them, added to those that are there. */
bool reader_conditions(struct reader *in, const cJSON *json, void *target)
{
	struct conditions *conditions = target;
	size_t more = cJSON_IsArray(json) ? (size_t)cJSON_GetArraySize(json) : 1;
	struct condition *items;

	if (more == 0 || conditions->count + more > MAPPING_LIST_MAX)
		return reader_fault(in, "is a list of none or too many");
	items = reader_room(in, conditions->count + more, sizeof(*items));
	if (conditions->count > 0)
		memcpy(items, conditions->items, conditions->count * sizeof(*items));
	conditions->items = items;
	if (!cJSON_IsArray(json))
		return read_condition(in, json, &items[conditions->count++]);
	for (const cJSON *item = json->child; item != NULL; item = item->next) {
		int index = (int)(conditions->count++);

		if (!reader_at_index(in, index, read_condition, item, &items[index]))
			return false;
	}
	return true;
}
