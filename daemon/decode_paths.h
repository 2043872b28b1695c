/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_paths: many JSON pointers looked up in one pass. Part of `decode`.
 *
 * Pointers are put into a tree once, each with a slot of its own; a walk over an object follows the
 * tree, and only where it has a branch, so its cost is the message's and not the number of
 * pointers. Other readers (OTLP) descend the tree themselves by paths_find().
 *
 * A pointer is RFC 6901: "/usage/prompt_tokens", ~1 for a slash, ~0 for a tilde; ASCII. A number is
 * an index when it meets an array, and the segment [key=word] is the element of an array whose
 * member `key` is that string: "/usage/cacheDetails/[ttl=1h]/inputTokens".
 */
#ifndef TOKENTALLY_DECODE_PATHS_H
#define TOKENTALLY_DECODE_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode_value.h"
#include "err.h"
#include "text.h"

#define PATHS_NODES_MAX 20000
#define PATHS_SEGMENTS_MAX 8

struct paths;
struct paths *paths_new(void);
void paths_free(struct paths *paths);
uint32_t paths_root(struct paths *paths); /* one more tree, empty */
/* The same pointer under the same root has the same slot. */
bool paths_add(struct paths *paths, uint32_t root, struct span pointer, uint16_t *slot,
	       struct err *err) ATTR_MUST_CHECK;
size_t paths_slots(const struct paths *paths);
/* The branch of a node; 0: none. */
uint32_t paths_find(const struct paths *paths, uint32_t node, struct span key);

/* What was found, by slot. */
struct values {
	struct value *items;
	uint16_t *touched; /* slots that are filled, in the order they were */
	size_t touched_count, slots;
	bool twice; /* some key was met twice */
};
void values_init(struct values *values, size_t slots);
void values_release(struct values *values);
/* Forgets what was filled since touched_count was `mark`. */
void values_back(struct values *values, size_t mark);
void values_put(struct values *values, uint16_t slot, const struct value *value);
/* Puts a value to the slot of a node, when it has one. */
void paths_put(const struct paths *paths, uint32_t node, const struct value *value,
	       struct values *values);

/* object: a JSON object that passed the scan. */
void paths_walk(const struct paths *paths, uint32_t root, struct span object,
		struct values *values);

#endif
