/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_json: one record as a cJSON tree, and typed reading of its members. Part of `decode`.
 *
 * Text given here has passed scan_document(). cJSON allocates in the caller's arena, so a tree
 * costs no free() and dies with the arena's reset. A record that is large is stripped to the
 * members that somebody reads before cJSON sees it: "[0,0,0...]" grows by 32 as a tree, and memory
 * is bounded (promise P7).
 *
 * The readers fill *out, or make *record a dead letter and return false. A member that was not sent
 * is the caller's to look for; null is never "not sent".
 */
#ifndef TOKENTALLY_DECODE_JSON_H
#define TOKENTALLY_DECODE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "err.h"
#include "mem.h"
#include "text.h"

/* The keys that a format reads, each known by its index. */
#define JSON_KEYS_MAX 60
struct json_keys {
	size_t count;
	struct span names[JSON_KEYS_MAX]; /* ASCII; memory of the format */
	uint8_t slots[128];		  /* hash table: index + 1, or 0 */
};
void json_keys_add(struct json_keys *keys, struct span name);
int json_keys_find(const struct json_keys *keys, struct span name); /* -1: not one of them */

struct json_record {
	const struct json_keys *keys;
	struct span raw;		     /* the object's bytes */
	bool patched;			     /* by scan_patch(): strings may hold its marks */
	bool duplicate;			     /* one of the keys stands twice */
	const cJSON *members[JSON_KEYS_MAX]; /* by index of the key; NULL: not sent */
};

/* Once in a process, before the first parse; again is harmless. cJSON's hooks are process-wide:
 * cJSON can be used only through this module. */
void json_init(void);

/* raw is an object that passed the scan. False: cJSON refuses it all the same. */
bool json_record_parse(struct json_record *out, const struct json_keys *keys, struct arena *arena,
		       struct span raw, bool odd_escapes) ATTR_MUST_CHECK;

/* As record_dead(), with the key's name and a blank before the text. */
bool json_dead(const struct json_record *in, int key, struct record *record,
	       enum dead_reason reason, const char *what);

/* Any string that can be kept: no NUL, no half of a surrogate pair. */
bool json_read_string(const struct json_record *in, int key, struct span *out,
		      struct record *record);
/* len_min to 256 bytes of UTF-8. */
bool json_read_text(const struct json_record *in, int key, size_t len_min, struct span *out,
		    struct record *record);
/* An integer from 0 to 2^53; 5.0 and 1e2 are integers. */
bool json_read_count(const struct json_record *in, int key, int64_t *out, struct record *record);
/* A number from 0 to max. */
bool json_read_number(const struct json_record *in, int key, double max, double *out,
		      struct record *record);
/* One of words (NULL-terminated): its index. */
bool json_read_word(const struct json_record *in, int key, const char *const *words, int *out,
		    struct record *record);

#endif
