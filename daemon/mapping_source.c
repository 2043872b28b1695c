/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_source: where the fields are, in a mapping file: each field one source or a list of them.
 * Part of `mapping`.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "mapping_reader.h"

/* A field under way: its definition and the source being made. */
struct field_target {
	enum mapping_field field;
	struct source_path *source;
	struct sources *sources;
};

static bool read_unit(struct reader *in, const cJSON *json, void *target)
{
	static const char *const times[] = { "s", "ms", "us", "ns", "iso8601", NULL };
	static const int time_exponents[] = { 0, -3, -6, -9, -3 };
	static const char *const spans[] = { "s", "ms", "us", "ns", "iso8601", NULL };
	static const int span_exponents[] = { 3, 0, -3, -6, 0 };
	static const char *const costs[] = { "usd", "cents", "micro_usd", "nano_usd", NULL };
	static const int cost_exponents[] = { 0, -2, -6, -9 };
	struct field_target *to = target;
	bool cost = to->field == FIELD_COST, time = to->field == FIELD_TIME;
	int unit;

	if (!time && mapping_fields[to->field].kind != KIND_NUMBER)
		return reader_fault(in, "this field has no unit");
	if (!reader_choose(in, json, cost ? costs : time ? times : spans, &unit))
		return false;
	if (to->source->kind == SOURCE_DIFFERENCE)
		time = true; /* of two times */
	to->source->exponent = cost   ? cost_exponents[unit]
			       : time ? time_exponents[unit]
				      : span_exponents[unit];
	return true;
}

static bool read_zone(struct reader *in, const cJSON *json, void *target)
{
	static const char *const zones[] = { "required", "utc", NULL };
	struct field_target *to = target;
	int zone;

	if (!reader_choose(in, json, zones, &zone))
		return false;
	to->source->utc = zone == 1;
	return true;
}

static bool read_meaning(struct reader *in, const cJSON *json, void *target)
{
	struct field_target *to = target;
	const struct field_def *def = &mapping_fields[to->field];

	if (def->kind != KIND_WORD)
		return reader_fault(in, "only status and service_tier can be meant");
	if (!reader_choose(in, json, def->words, &to->source->means_index))
		return false;
	to->source->means = def->words[to->source->means_index];
	return true;
}

static bool read_word_pair(struct reader *in, const cJSON *json, void *target)
{
	struct field_target *to = target;
	const struct field_def *def = &mapping_fields[to->field];
	struct word *word = &to->source->words[to->source->word_count++];

	word->from = reader_kept(in, json->string);
	if (def->kind == KIND_WORD)
		return reader_choose(in, json, def->words, &word->index);
	return reader_word(in, json, &word->to);
}

static bool read_word_pairs(struct reader *in, const cJSON *json, void *target)
{
	struct field_target *to = target;
	const struct field_def *def = &mapping_fields[to->field];

	if (def->kind != KIND_WORD && def->kind != KIND_TEXT)
		return reader_fault(in, "only texts can be translated");
	if (!reader_check_object(in, json, NULL) || cJSON_GetArraySize(json) > MAPPING_LIST_MAX)
		return reader_fault(in, "is not an object of words");
	to->source->words = reader_room(in, (size_t)cJSON_GetArraySize(json), sizeof(struct word));
	for (const cJSON *member = json->child; member != NULL; member = member->next)
		if (!reader_at(in, member->string, read_word_pair, member, to))
			return false;
	return true;
}

static bool read_error_from(struct reader *in, const cJSON *json, void *target)
{
	struct field_target *to = target;

	if (to->field != FIELD_STATUS)
		return reader_fault(in, "only status has it");
	return reader_number(in, json, &to->source->error_from);
}

static bool read_separator(struct reader *in, const cJSON *json, void *target)
{
	struct field_target *to = target;

	if (!cJSON_IsString(json) || strlen(json->valuestring) != 1)
		return reader_fault(in, "is not one character");
	to->source->separator = json->valuestring[0];
	return true;
}

static bool read_if(struct reader *in, const cJSON *json, void *target)
{
	struct field_target *to = target;

	return reader_conditions(in, json, &to->source->conditions);
}

static bool read_path_list(struct reader *in, const cJSON *json, void *target)
{
	struct field_target *to = target;

	if (!cJSON_IsArray(json))
		return reader_fault(in, "is not a list of paths");
	return reader_paths(in, json, &to->source->slots, &to->source->slot_count);
}

static void name_source(struct reader *in, struct source_path *source, const cJSON *json)
{
	if (cJSON_IsArray(json))
		json = json->child;
	source->name = reader_kept(in, cJSON_IsString(json) ? json->valuestring : "");
	for (size_t i = 0; i < source->name.len; i++) /* dead letters are ASCII */
		if (source->name.data[i] < ' ' || source->name.data[i] > '~')
			source->name.len = i;
	if (source->name.len > 60)
		source->name.len = 60;
}

/* The member that says where: exactly one of path, join, sum, from with to. */
static bool read_where(struct reader *in, const cJSON *json, struct field_target *to)
{
	const cJSON *path = reader_get(json, "path"), *join = reader_get(json, "join"),
		    *sum = reader_get(json, "sum"), *from = reader_get(json, "from"),
		    *till = reader_get(json, "to");
	enum field_kind kind = mapping_fields[to->field].kind;
	struct source_path *source = to->source;

	if ((path != NULL) + (join != NULL) + (sum != NULL) + (from != NULL) != 1 ||
	    (from != NULL) != (till != NULL))
		return reader_fault(in, "needs one of path, join, sum, or from and to");
	if ((join != NULL && kind != KIND_TEXT) || (sum != NULL && kind != KIND_COUNT) ||
	    (from != NULL && (kind != KIND_NUMBER || to->field == FIELD_COST)))
		return reader_fault(in,
				    "join is for texts, sum for counts, from and to for durations");
	source->kind = join != NULL   ? SOURCE_JOIN
		       : sum != NULL  ? SOURCE_SUM
		       : from != NULL ? SOURCE_DIFFERENCE
				      : SOURCE_PLACE;
	name_source(in, source,
		    path != NULL   ? path
		    : join != NULL ? join
		    : sum != NULL  ? sum
				   : from);
	if (join != NULL)
		return reader_at(in, "join", read_path_list, join, to);
	if (sum != NULL)
		return reader_at(in, "sum", read_path_list, sum, to);
	source->slots = reader_room(in, 2, sizeof(*source->slots));
	source->slot_count = path != NULL ? 1 : 2;
	if (path != NULL)
		return reader_at(in, "path", reader_path, path, source->slots);
	return reader_at(in, "from", reader_path, from, source->slots) &&
	       reader_at(in, "to", reader_path, till, source->slots + 1);
}

static bool read_source(struct reader *in, const cJSON *json, void *target)
{
	static const struct {
		const char *key;
		read_fn *read;
	} members[] = { { "unit", read_unit },
			{ "zone", read_zone },
			{ "words", read_word_pairs },
			{ "error_from", read_error_from },
			{ "means", read_meaning },
			{ "separator", read_separator },
			{ "if", read_if } };
	static const char *const keys[] = { "path",	 "join", "sum",	  "from",	"to",
					    "unit",	 "zone", "words", "error_from", "means",
					    "separator", "if",	 NULL };
	struct field_target *to = target;
	enum field_kind kind = mapping_fields[to->field].kind;

	to->source = &to->sources->items[to->sources->count++];
	*to->source = (struct source_path){ .separator = ':', .error_from = -1 };
	if (cJSON_IsString(json)) {
		if (kind == KIND_TIME)
			return reader_fault(in, "needs a unit: {\"path\": ..., \"unit\": ...}");
		name_source(in, to->source, json);
		to->source->slots = reader_room(in, 1, sizeof(uint16_t));
		to->source->slot_count = 1;
		if (!reader_path(in, json, to->source->slots))
			return false;
		return true;
	}
	if (!reader_check_object(in, json, keys) || !read_where(in, json, to))
		return false;
	if (kind == KIND_TIME && reader_get(json, "unit") == NULL)
		return reader_fault(in, "needs a unit");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const cJSON *member = reader_get(json, members[i].key);

		if (member != NULL && !reader_at(in, members[i].key, members[i].read, member, to))
			return false;
	}
	return true;
}

static bool read_field(struct reader *in, const cJSON *json, void *target)
{
	struct field_target to = { .field = *(enum mapping_field *)target };
	size_t count = cJSON_IsArray(json) ? (size_t)cJSON_GetArraySize(json) : 1;
	int index = 0;

	if (count == 0 || count > MAPPING_LIST_MAX)
		return reader_fault(in, "is a list of none or too many");
	to.sources = &in->mapping->fields[to.field];
	*to.sources =
	    (struct sources){ .items = reader_room(in, count, sizeof(struct source_path)) };
	if (!cJSON_IsArray(json))
		return read_source(in, json, &to);
	for (const cJSON *item = json->child; item != NULL; item = item->next, index++)
		if (!reader_at_index(in, index, read_source, item, &to))
			return false;
	return true;
}

static int field_of(const char *name)
{
	for (int i = 0; i < MAPPING_FIELDS; i++)
		if (strcmp(mapping_fields[i].name, name) == 0)
			return i;
	return -1;
}

static bool check_fields(struct reader *in, const cJSON *json)
{
	const char *names[MAPPING_FIELDS + 1] = { 0 };

	for (int i = 0; i < MAPPING_FIELDS; i++)
		names[i] = mapping_fields[i].name;
	return reader_check_object(in, json, names);
}

bool mapping_read_fields(struct reader *in, const cJSON *json, void *target)
{
	(void)target;
	if (!check_fields(in, json))
		return false;
	for (const cJSON *member = json->child; member != NULL; member = member->next) {
		enum mapping_field field = (enum mapping_field)field_of(member->string);

		if (!reader_at(in, member->string, read_field, member, &field))
			return false;
	}
	return true;
}

static bool read_default(struct reader *in, const cJSON *json, void *target)
{
	enum mapping_field field = (enum mapping_field)field_of(json->string);
	const struct field_def *def = &mapping_fields[field];

	(void)target;
	if (def->kind == KIND_WORD)
		return reader_choose(in, json, def->words, &in->mapping->default_index[field]);
	if (def->kind != KIND_TEXT || field == FIELD_EVENT_ID)
		return reader_fault(in, "this field can have no default");
	if (!cJSON_IsString(json) || *json->valuestring == '\0' ||
	    strlen(json->valuestring) > TEXT_BYTES_MAX)
		return reader_fault(in, "is not a text of 1 to 256 bytes");
	in->mapping->defaults[field] = reader_kept(in, json->valuestring);
	return true;
}

bool mapping_read_defaults(struct reader *in, const cJSON *json, void *target)
{
	(void)target;
	if (!check_fields(in, json))
		return false;
	for (const cJSON *member = json->child; member != NULL; member = member->next)
		if (!reader_at(in, member->string, read_default, member, NULL))
			return false;
	return true;
}
