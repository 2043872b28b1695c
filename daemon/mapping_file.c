/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_file: the bytes of a mapping file -> struct mapping, one for each variant. Strict: a key
 * that means nothing here is a fault, and every fault names the file and the place in it as a JSON
 * pointer. schemas/mapping.schema.json says the same for editors; a test holds them together.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode_scan.h"
#include "mapping_reader.h"

#define DEPTH_MAX 16
#define NAME_BYTES_MAX 60

static bool read_cache(struct reader *in, const cJSON *json, void *target)
{
	static const char *const words[] = { "unreported", "inside", "outside", NULL };
	int index;

	(void)target;
	if (!reader_choose(in, json, words, &index))
		return false;
	in->mapping->cache = (enum cache_rule)index;
	return true;
}

static bool read_reasoning(struct reader *in, const cJSON *json, void *target)
{
	static const char *const words[] = { "inside", "outside", NULL };
	int index;

	(void)target;
	if (!reader_choose(in, json, words, &index))
		return false;
	in->mapping->reasoning = (enum reasoning_rule)index;
	return true;
}

static bool read_tokens(struct reader *in, const cJSON *json, void *target)
{
	static const char *const keys[] = { "cache", "reasoning", NULL };
	const cJSON *cache = reader_get(json, "cache"), *reasoning = reader_get(json, "reasoning");

	(void)target;
	return reader_check_object(in, json, keys) &&
	       (cache == NULL || reader_at(in, "cache", read_cache, cache, NULL)) &&
	       (reasoning == NULL || reader_at(in, "reasoning", read_reasoning, reasoning, NULL));
}

static bool read_skip(struct reader *in, const cJSON *json, void *target)
{
	static const char *const keys[] = { "why", "if", NULL };
	struct skip_rule *rule = target;

	if (!reader_check_object(in, json, keys))
		return false;
	if (reader_get(json, "why") == NULL || reader_get(json, "if") == NULL)
		return reader_fault(in, "needs why and if");
	return reader_at(in, "why", reader_name, reader_get(json, "why"), &rule->why) &&
	       reader_at(in, "if", reader_conditions, reader_get(json, "if"), &rule->conditions);
}

static bool read_skips(struct reader *in, const cJSON *json, void *target)
{
	struct mapping *mapping = in->mapping;
	size_t more = (size_t)cJSON_GetArraySize(json);
	struct skip_rule *rules;
	int index = 0;

	(void)target;
	if (!cJSON_IsArray(json) || more + mapping->skip_count > MAPPING_LIST_MAX)
		return reader_fault(in, "is not a list of rules");
	rules = reader_room(in, mapping->skip_count + more, sizeof(*rules));
	if (mapping->skip_count > 0)
		memcpy(rules, mapping->skips, mapping->skip_count * sizeof(*rules));
	mapping->skips = rules;
	for (const cJSON *item = json->child; item != NULL; item = item->next, index++)
		if (!reader_at_index(in, index, read_skip, item, &rules[mapping->skip_count++]))
			return false;
	return true;
}

/* A pointer to an array, or to an object when a slash and an asterisk follow. */
static bool read_records(struct reader *in, const cJSON *json, void *target)
{
	char pointer[MAPPING_PLACE_BYTES_MAX];
	size_t len;

	(void)target;
	if (in->mapping->shape != SHAPE_RECORD)
		return reader_fault(in, "only the shape record has it");
	if (!cJSON_IsString(json) || strlen(json->valuestring) >= sizeof(pointer))
		return reader_fault(in, "is no JSON pointer");
	len = strlen(json->valuestring);
	if (len > 2 && strcmp(json->valuestring + len - 2, "/*") == 0)
		len -= 2;
	memcpy(pointer, json->valuestring, len);
	pointer[len] = '\0';
	if (!reader_add_path(in, in->mapping->root, pointer, &in->mapping->records_slot))
		return false;
	in->mapping->root = paths_root(in->mappings->paths);
	in->mapping->many = true;
	return true;
}

static bool read_detect(struct reader *in, const cJSON *json, void *target)
{
	(void)target;
	return reader_conditions(in, json, &in->mapping->detect);
}

static bool read_lower(struct reader *in, const cJSON *json, void *target)
{
	(void)target;
	return reader_bool(in, json, &in->mapping->lower_emails);
}

static bool read_description(struct reader *in, const cJSON *json, void *target)
{
	(void)target;
	return cJSON_IsString(json) ? true : reader_fault(in, "is not a text");
}

static bool read_part(struct reader *in, const cJSON *json, const char *key, read_fn *read)
{
	const cJSON *member = reader_get(json, key);

	return member == NULL || reader_at(in, key, read, member, NULL);
}

/* What a file and a variant have alike; what a variant says comes on top. */
static bool read_body(struct reader *in, const cJSON *json)
{
	return read_part(in, json, "tokens", read_tokens) &&
	       read_part(in, json, "fields", mapping_read_fields) &&
	       read_part(in, json, "defaults", mapping_read_defaults) &&
	       read_part(in, json, "skip", read_skips);
}

static bool check_whole(struct reader *in)
{
	const struct mapping *mapping = in->mapping;
	char what[80];

	if (mapping->detect.count == 0)
		return reader_fault(in, "has no detect: by what is a record known?");
	for (int i = 0; i < MAPPING_FIELDS; i++)
		if (mapping_fields[i].required && mapping->fields[i].count == 0 &&
		    mapping->defaults[i].len == 0) {
			snprintf(what, sizeof(what), "says nothing of the field %s",
				 mapping_fields[i].name);
			return reader_fault(in, what);
		}
	if (mapping->cache == CACHE_UNREPORTED && (mapping->fields[FIELD_CACHE_READ].count > 0 ||
						   mapping->fields[FIELD_CACHE_WRITE].count > 0))
		return reader_fault(
		    in, "has cache counters, but tokens/cache is not inside or outside");
	return true;
}

static bool read_shape(struct reader *in, const cJSON *json, void *target)
{
	static const char *const words[] = { "record", "span", "log", NULL };
	int shape;

	(void)target;
	if (!reader_choose(in, json, words, &shape))
		return false;
	in->mapping->shape = (enum shape)shape;
	return true;
}

static bool read_one(struct reader *in, const cJSON *json, const cJSON *variant)
{
	static const char *const keys[] = { "name",	"detect", "fields", "tokens",
					    "defaults", "skip",	  NULL };
	struct mapping *mapping = in->mapping;

	mapping->lower_emails = true;
	if (!read_part(in, json, "description", read_description) ||
	    !read_part(in, json, "shape", read_shape))
		return false;
	mapping->root = in->mappings->roots[mapping->shape];
	/* Detection is the document's business, before /records leads inside it. */
	if (!read_part(in, json, "detect", read_detect) ||
	    (variant != NULL && !read_part(in, variant, "detect", read_detect)) ||
	    !read_part(in, json, "records", read_records) ||
	    !read_part(in, json, "lower_emails", read_lower) || !read_body(in, json))
		return false;
	if (variant == NULL)
		return check_whole(in);
	if (!reader_check_object(in, variant, keys) || !read_body(in, variant))
		return false;
	if (reader_get(variant, "name") == NULL)
		return reader_fault(in, "has no name");
	return reader_at(in, "name", reader_name, reader_get(variant, "name"), &mapping->variant) &&
	       check_whole(in);
}

static struct mapping *next_mapping(struct mappings *mappings)
{
	mappings->items =
	    xrealloc_array(mappings->items, mappings->count + 1, sizeof(*mappings->items));
	memset(&mappings->items[mappings->count], 0, sizeof(*mappings->items));
	return &mappings->items[mappings->count];
}

/* Keeps the slots it used where the rest of it is. */
static void keep_used(struct reader *in)
{
	struct mapping *mapping = in->mapping;
	uint16_t *used = reader_room(in, mapping->used_count, sizeof(*used));

	if (mapping->used_count > 0)
		memcpy(used, mapping->used, mapping->used_count * sizeof(*used));
	free(mapping->used);
	mapping->used = used;
}

struct origin_of {
	struct span name;
	enum record_origin origin;
	const cJSON *base;
};

static bool add_one(struct reader *in, const cJSON *json, void *target)
{
	const struct origin_of *file = target;
	bool ok;

	in->mapping = next_mapping(in->mappings);
	in->mapping->name = reader_kept(in, in->file).data;
	in->mapping->variant = "";
	in->mapping->origin = file->origin;
	ok = read_one(in, file->base, json == file->base ? NULL : json);
	keep_used(in);
	if (ok)
		in->mappings->count++;
	return ok;
}

static bool add_all(struct reader *in, const cJSON *json, struct origin_of *file)
{
	static const char *const keys[] = { "$schema", "description",  "shape",	   "detect",
					    "records", "fields",       "tokens",   "defaults",
					    "skip",    "lower_emails", "variants", NULL };
	const cJSON *variants = reader_get(json, "variants");
	int index = 0;

	if (!reader_check_object(in, json, keys))
		return false;
	if (variants == NULL)
		return add_one(in, json, file);
	if (!cJSON_IsArray(variants) || variants->child == NULL)
		return reader_fault(in, "variants is not a list of objects");
	for (const cJSON *item = variants->child; item != NULL; item = item->next, index++) {
		char step[32];

		snprintf(step, sizeof(step), "variants/%d", index);
		if (!cJSON_IsObject(item))
			return reader_fault(in, "variants is not a list of objects");
		if (!reader_at(in, step, add_one, item, file))
			return false;
	}
	return true;
}

static unsigned line_of(struct span text, size_t at_byte)
{
	unsigned line = 1;

	for (size_t i = 0; i < at_byte && i < text.len; i++)
		line += text.data[i] == '\n';
	return line;
}

static void free_json(cJSON **json)
{
	cJSON_Delete(*json);
}

bool mappings_add(struct mappings *mappings, struct span name, enum record_origin origin,
		  struct span json, struct err *err)
{
	char file[NAME_BYTES_MAX + 1];
	struct reader in = { .mappings = mappings, .err = err, .file = file };
	struct origin_of of = { name, origin, NULL };
	CLEANUP(free_json) cJSON *root = NULL;
	size_t count = mappings->count;
	struct scan scan;

	snprintf(file, sizeof(file), "%.*s", (int)name.len, name.data);
	if (!scan_whole(json, DEPTH_MAX, &scan))
		return err_set(err, ERR_CONFIG, "%s: line %u: %s", file, line_of(json, scan.at),
			       scan.what);
	if (memmem(json.data, json.len, "\\u0000", 6) != NULL)
		return err_set(err, ERR_CONFIG, "%s: has the escape \\u0000", file);
	root = cJSON_ParseWithLength(json.data, json.len);
	if (!cJSON_IsObject(root))
		return err_set(err, ERR_CONFIG, "%s: is not an object", file);
	of.base = root;
	if (add_all(&in, root, &of))
		return true;
	mappings->count = count;
	return false;
}
