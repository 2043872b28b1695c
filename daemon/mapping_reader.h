/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_reader: what reading any part of a mapping file needs: where we are in it, faults that
 * say so, paths and conditions. Part of `mapping`, for mapping_file and mapping_source alone.
 */
#ifndef TOKENTALLY_MAPPING_READER_H
#define TOKENTALLY_MAPPING_READER_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "err.h"
#include "mapping.h"

#define MAPPING_LIST_MAX 64
#define MAPPING_PLACE_BYTES_MAX 200

struct reader {
	struct mappings *mappings;
	struct mapping *mapping; /* the one being made */
	struct err *err;
	const char *file;
	char place[MAPPING_PLACE_BYTES_MAX]; /* where we are, as a pointer */
};

/* Reads json into *target; false: a fault was told. */
typedef bool read_fn(struct reader *in, const cJSON *json, void *target);

/* Sets the error, with file and place; returns false. */
bool reader_fault(const struct reader *in, const char *what);
bool reader_not_one_of(const struct reader *in, const char *const *words);
/* Goes a step down for the call, and back. */
bool reader_at(struct reader *in, const char *step, read_fn *read, const cJSON *json, void *target);
bool reader_at_index(struct reader *in, int index, read_fn *read, const cJSON *json, void *target);
struct span reader_kept(struct reader *in, const char *text);
/* Zeroed, with one item to spare, as long as the mappings live. */
void *reader_room(struct reader *in, size_t count, size_t bytes);
const cJSON *reader_get(const cJSON *json, const char *key);
/* An object whose keys are these, each once; NULL: any. */
bool reader_check_object(struct reader *in, const cJSON *json, const char *const *keys);
/* One of words (NULL-terminated): its index. */
bool reader_choose(struct reader *in, const cJSON *json, const char *const *words, int *out);
/* A string, a number or a boolean, as text. */
bool reader_word(struct reader *in, const cJSON *json, void *target);
bool reader_name(struct reader *in, const cJSON *json, void *target);
bool reader_bool(struct reader *in, const cJSON *json, void *target);
bool reader_number(struct reader *in, const cJSON *json, void *target);
bool reader_add_path(struct reader *in, uint32_t root, const char *pointer, uint16_t *slot);
/* Into a slot. "^/x" is a path of the document that the records stand in. */
bool reader_path(struct reader *in, const cJSON *json, void *target);
/* One path or a list of them. */
bool reader_paths(struct reader *in, const cJSON *json, uint16_t **slots, size_t *count);
/* A condition or a list of them, added to those that are there. */
bool reader_conditions(struct reader *in, const cJSON *json, void *target);

/* mapping_source: the members `fields` and `defaults`. */
bool mapping_read_fields(struct reader *in, const cJSON *json, void *target);
bool mapping_read_defaults(struct reader *in, const cJSON *json, void *target);

#endif
