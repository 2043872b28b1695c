/* SPDX-License-Identifier: Apache-2.0
 *
 * formats: see formats.h. A file of the name of a built-in mapping replaces it. All others come
 * first, in the order of their names, so that a company's own format is known before ours are
 * asked.
 */
#include "autoconf.h"

#include "formats.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mapping_builtin.h"

#define FILE_BYTES_MAX (1024 * 1024)
#define FILES_MAX 200
#define SUFFIX ".json"

static enum record_origin origin_of(struct span name)
{
	static const struct {
		const char *name;
		enum record_origin origin;
	} known[] = { { "litellm", ORIGIN_LITELLM },
		      { "kong", ORIGIN_KONG },
		      { "apisix", ORIGIN_APISIX },
		      { "usage", ORIGIN_USAGE } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_is(name, known[i].name))
			return known[i].origin;
	return ORIGIN_MAPPING;
}

static bool is_builtin(struct span name)
{
	for (const struct mapping_builtin *builtin = mapping_builtins; builtin->name != NULL;
	     builtin++)
		if (span_is(name, builtin->name))
			return true;
	return false;
}

/* Lower-case letters, digits and _, and none of decode's own words. */
static bool is_good_name(struct span name)
{
	enum format format;

	for (size_t i = 0; i < name.len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", name.data[i]) == NULL)
			return false;
	return name.len > 0 && name.len <= 60 && !format_from_name(name, &format);
}

static bool read_file(const char *path, struct buf *out, struct err *err)
{
	FILE *file = fopen(path, "re");
	char block[4096];
	size_t got;

	if (file == NULL)
		return err_set(err, ERR_CONFIG, "cannot read '%s': %s", path, strerror(errno));
	while ((got = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(out, block, got);
	if (ferror(file)) {
		fclose(file);
		return err_set(err, ERR_CONFIG, "cannot read '%s'", path);
	}
	fclose(file);
	if (out->truncated)
		return err_set(err, ERR_CONFIG, "'%s' is larger than 1 MiB", path);
	return true;
}

static bool add_file(struct mappings *mappings, const char *dir, struct span name, struct err *err)
{
	CLEANUP(buf_release) struct buf text = { 0 };
	char path[4096];

	buf_init(&text, FILE_BYTES_MAX);
	buf_add_text(&text, "");
	snprintf(path, sizeof(path), "%s/%.*s" SUFFIX, dir, (int)name.len, name.data);
	if (!read_file(path, &text, err))
		return false;
	if (mappings_add(mappings, name, origin_of(name), (struct span){ text.data, text.len },
			 err))
		return true;
	return err_wrap(err, "mapping file '%s'", path);
}

/* Names like native.json~ and mapping.schema.json are no mappings. */
static bool mapping_name(const char *file, struct span *name)
{
	size_t len = strlen(file), suffix = sizeof(SUFFIX) - 1;

	if (len <= suffix || strcmp(file + len - suffix, SUFFIX) != 0 || file[0] == '.')
		return false;
	*name = (struct span){ file, len - suffix };
	return !(name->len > 7 && memcmp(file + name->len - 7, ".schema", 7) == 0);
}

static int is_mapping(const struct dirent *entry)
{
	struct span name;

	return mapping_name(entry->d_name, &name);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct listing {
	struct dirent **entries;
	int count;
};

static void free_listing(struct listing *listing)
{
	for (int i = 0; i < listing->count; i++)
		free(listing->entries[i]);
	free(listing->entries);
}

static bool holds(const struct listing *listing, struct span wanted)
{
	struct span name;

	for (int i = 0; i < listing->count; i++)
		if (mapping_name(listing->entries[i]->d_name, &name) && span_equal(name, wanted))
			return true;
	return false;
}

static bool add_own(struct mappings *mappings, const char *dir, const struct listing *listing,
		    struct err *err)
{
	for (int i = 0; i < listing->count; i++) {
		struct span name;

		if (!mapping_name(listing->entries[i]->d_name, &name) || is_builtin(name))
			continue;
		if (!is_good_name(name))
			return err_set(
			    err, ERR_CONFIG,
			    "mapping file '%s/%s': the name must be lower-case letters, digits "
			    "and _, and not that of another format",
			    dir, listing->entries[i]->d_name);
		if (!add_file(mappings, dir, name, err))
			return false;
	}
	return true;
}

static bool add_builtins(struct mappings *mappings, const char *dir, const struct listing *listing,
			 struct err *err)
{
	for (const struct mapping_builtin *builtin = mapping_builtins; builtin->name != NULL;
	     builtin++) {
		struct span name = span_of(builtin->name);

		if (holds(listing, name)) {
			if (!add_file(mappings, dir, name, err))
				return false;
		} else if (!mappings_add(mappings, name, origin_of(name), span_of(builtin->json),
					 err)) {
			return false;
		}
	}
	return true;
}

static bool check_name(const struct mappings *mappings, const char *wanted, struct err *err)
{
	CLEANUP(buf_release) struct buf list = { 0 };
	enum format format;
	char shown[64];

	if (wanted == NULL || mappings_format(mappings, span_of(wanted), &format))
		return true;
	buf_init(&list, 400);
	buf_add_text(&list, "auto, native, otlp_json, otlp_proto");
	for (size_t i = 0; i < mappings->count; i++)
		if (i == 0 || strcmp(mappings->items[i].name, mappings->items[i - 1].name) != 0)
			buf_addf(&list, ", %s", mappings->items[i].name);
	text_printable(shown, sizeof(shown), span_of(wanted));
	return err_set(err, ERR_CONFIG, "format '%s' is not known to this version: %s", shown,
		       list.data);
}

static bool check_topics(const struct mappings *mappings, const struct options *options,
			 struct err *err)
{
	bool ok = check_name(mappings, options->ingest_format, err);

	for (size_t i = 0; ok && i < options->topic_count; i++)
		ok = check_name(mappings, options->kafka_topics[i].format, err);
	return ok;
}

struct mappings *formats_load(const struct options *options, struct err *err)
{
	CLEANUP(free_listing) struct listing listing = { 0 };
	const char *dir = options->ingest_mapping_dir;
	struct mappings *mappings;

	listing.count = scandir(dir, &listing.entries, is_mapping, by_bytes);
	if (listing.count < 0) {
		listing.count = 0;
		/* The default need not be there: the program has its files inside. */
		if (errno != ENOENT || strcmp(dir, TOKENTALLY_MAPPING_DIR) != 0) {
			err_set(err, ERR_CONFIG, "ingest.mapping_dir: cannot read '%s': %s", dir,
				strerror(errno));
			return NULL;
		}
	}
	if (listing.count > FILES_MAX) {
		err_set(err, ERR_CONFIG, "ingest.mapping_dir: '%s' has more than %d mapping files",
			dir, FILES_MAX);
		return NULL;
	}
	mappings = mappings_new();
	if (add_own(mappings, dir, &listing, err) && add_builtins(mappings, dir, &listing, err) &&
	    check_topics(mappings, options, err))
		return mappings;
	mappings_free(mappings);
	return NULL;
}

struct mappings *formats_builtin(struct err *err)
{
	const struct listing none = { 0 };
	struct mappings *mappings = mappings_new();

	if (add_builtins(mappings, "", &none, err))
		return mappings;
	mappings_free(mappings);
	return NULL;
}
