/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_paths: see decode_paths.h. The tree is an array of nodes and one hash table from (node,
 * key) to node.
 */
#include "autoconf.h"

#include "decode_paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "decode_scan.h"
#include "mem.h"

#define KEY_BYTES_MAX 120
#define NO_SLOT UINT16_MAX
#define TABLE_SLOTS_MIN 256

struct node {
	uint32_t parent;
	struct span key;      /* owned */
	struct span word;     /* owned: [key=word]; data NULL: a plain key */
	uint32_t chosen;      /* the first branch of this node of the form [key=word]; 0: none */
	uint32_t next_chosen; /* the next one of the same parent */
	uint16_t slot;
	bool inner; /* it has branches */
};

struct paths {
	struct node *nodes; /* 0 is none */
	uint32_t count, capacity;
	uint32_t *table; /* node or 0 */
	uint32_t mask;
	uint16_t slots;
};

struct paths *paths_new(void)
{
	struct paths *paths = xcalloc(1, sizeof(*paths));

	paths->count = 1;
	paths->capacity = 64;
	paths->nodes = xcalloc(paths->capacity, sizeof(*paths->nodes));
	paths->mask = TABLE_SLOTS_MIN - 1;
	paths->table = xcalloc(TABLE_SLOTS_MIN, sizeof(*paths->table));
	return paths;
}

void paths_free(struct paths *paths)
{
	if (paths == NULL)
		return;
	for (uint32_t i = 1; i < paths->count; i++) {
		free((char *)paths->nodes[i].key.data);
		free((char *)paths->nodes[i].word.data);
	}
	free(paths->nodes);
	free(paths->table);
	free(paths);
}

size_t paths_slots(const struct paths *paths)
{
	return paths->slots;
}

static uint32_t place_of(const struct paths *paths, uint32_t parent, struct span key)
{
	return (uint32_t)XXH3_64bits_withSeed(key.data, key.len, parent) & paths->mask;
}

static void enter(struct paths *paths, uint32_t node)
{
	uint32_t place = place_of(paths, paths->nodes[node].parent, paths->nodes[node].key);

	while (paths->table[place] != 0)
		place = (place + 1) & paths->mask;
	paths->table[place] = node;
}

static void grow_table(struct paths *paths)
{
	uint32_t slots = (paths->mask + 1) * 2;

	free(paths->table);
	paths->table = xcalloc(slots, sizeof(*paths->table));
	paths->mask = slots - 1;
	for (uint32_t i = 1; i < paths->count; i++)
		if (paths->nodes[i].parent != 0 && paths->nodes[i].word.data == NULL)
			enter(paths, i);
}

static uint32_t add_node(struct paths *paths, uint32_t parent, struct span key)
{
	struct node *node;

	if (paths->count == paths->capacity) {
		paths->capacity *= 2;
		paths->nodes = xrealloc_array(paths->nodes, paths->capacity, sizeof(*paths->nodes));
	}
	node = &paths->nodes[paths->count];
	*node = (struct node){ .parent = parent, .slot = NO_SLOT };
	node->key = (struct span){ xstrndup(key.data, key.len), key.len };
	if (parent != 0)
		paths->nodes[parent].inner = true;
	return paths->count++;
}

uint32_t paths_root(struct paths *paths)
{
	return add_node(paths, 0, SPAN(""));
}

uint32_t paths_find(const struct paths *paths, uint32_t node, struct span key)
{
	uint32_t place = place_of(paths, node, key), found;

	for (; (found = paths->table[place]) != 0; place = (place + 1) & paths->mask) {
		const struct node *branch = &paths->nodes[found];

		if (branch->parent == node && branch->key.len == key.len &&
		    memcmp(branch->key.data, key.data, key.len) == 0)
			return found;
	}
	return 0;
}

/* The branch of the form [key=word], made when it is not there. */
static uint32_t choose(struct paths *paths, uint32_t node, struct span key, struct span word)
{
	uint32_t at = paths->nodes[node].chosen;

	for (; at != 0; at = paths->nodes[at].next_chosen)
		if (span_equal(paths->nodes[at].key, key) &&
		    span_equal(paths->nodes[at].word, word))
			return at;
	at = add_node(paths, node, key);
	paths->nodes[at].word = (struct span){ xstrndup(word.data, word.len), word.len };
	paths->nodes[at].next_chosen = paths->nodes[node].chosen;
	paths->nodes[node].chosen = at;
	return at;
}

static uint32_t branch(struct paths *paths, uint32_t node, struct span key)
{
	const char *equals = key.len > 2 ? memchr(key.data, '=', key.len) : NULL;
	uint32_t found;

	if (equals != NULL && key.data[0] == '[' && key.data[key.len - 1] == ']') {
		size_t len = (size_t)(equals - key.data) - 1;

		return choose(paths, node, (struct span){ key.data + 1, len },
			      (struct span){ equals + 1, key.len - len - 3 });
	}
	found = paths_find(paths, node, key);
	if (found == 0) {
		if (paths->count * 2 > paths->mask)
			grow_table(paths);
		found = add_node(paths, node, key);
		enter(paths, found);
	}
	return found;
}

/* Takes the next segment off *rest, without its slash, into out. False: none that is legal. */
static bool take_segment(struct span *rest, char *out, size_t *len)
{
	size_t used = 0, at = 1;

	if (rest->len == 0 || rest->data[0] != '/')
		return false;
	for (; at < rest->len && rest->data[at] != '/'; at++) {
		char c = rest->data[at];

		if (c == '~') {
			if (++at == rest->len || (rest->data[at] != '0' && rest->data[at] != '1'))
				return false;
			c = rest->data[at] == '0' ? '~' : '/';
		}
		if (used == KEY_BYTES_MAX || c < ' ' || c == '\x7f')
			return false;
		out[used++] = c;
	}
	*len = used;
	*rest = (struct span){ rest->data + at, rest->len - at };
	return true;
}

bool paths_add(struct paths *paths, uint32_t root, struct span pointer, uint16_t *slot,
	       struct err *err)
{
	struct span rest = pointer;
	uint32_t node = root;
	char key[KEY_BYTES_MAX];
	size_t len;

	for (int depth = 0; depth == 0 || rest.len > 0; depth++) {
		if (depth == PATHS_SEGMENTS_MAX || !take_segment(&rest, key, &len))
			return err_set(err, ERR_CONFIG,
				       "is no JSON pointer: /key/key, at most %d printable ASCII "
				       "segments of %d bytes",
				       PATHS_SEGMENTS_MAX, KEY_BYTES_MAX);
		if (paths->count >= PATHS_NODES_MAX)
			return err_set(err, ERR_CONFIG, "is one pointer too many");
		node = branch(paths, node, (struct span){ key, len });
	}
	if (paths->nodes[node].slot == NO_SLOT)
		paths->nodes[node].slot = paths->slots++;
	*slot = paths->nodes[node].slot;
	return true;
}

void values_init(struct values *values, size_t slots)
{
	*values = (struct values){ .slots = slots };
	values->items = xcalloc(slots + 1, sizeof(*values->items));
	values->touched = xcalloc(slots + 1, sizeof(*values->touched));
}

void values_release(struct values *values)
{
	free(values->items);
	free(values->touched);
	*values = (struct values){ 0 };
}

void values_back(struct values *values, size_t mark)
{
	while (values->touched_count > mark)
		values->items[values->touched[--values->touched_count]] = (struct value){ 0 };
	if (mark == 0)
		values->twice = false;
}

void values_put(struct values *values, uint16_t slot, const struct value *value)
{
	struct value *item = &values->items[slot];

	if (item->kind != VALUE_NONE) {
		item->twice = values->twice = true;
		return;
	}
	*item = *value;
	values->touched[values->touched_count++] = slot;
}

void paths_put(const struct paths *paths, uint32_t node, const struct value *value,
	       struct values *values)
{
	uint16_t slot = paths->nodes[node].slot;

	if (slot != NO_SLOT)
		values_put(values, slot, value);
}

static void walk_array(const struct paths *paths, uint32_t node, struct span array,
		       struct values *values);

static void take(const struct paths *paths, uint32_t node, struct span json, struct values *values)
{
	const struct node *at = &paths->nodes[node];

	if (at->slot != NO_SLOT) {
		struct value value = value_of_json(json);

		values_put(values, at->slot, &value);
	}
	if (!at->inner)
		return;
	if (json.data[0] == '{')
		paths_walk(paths, node, json, values);
	else if (json.data[0] == '[')
		walk_array(paths, node, json, values);
}

static bool has_word(struct span object, struct span key, struct span word)
{
	struct span rest = { object.data + 1, object.len - 1 }, name, json;

	if (object.data[0] != '{')
		return false;
	while (scan_member(&rest, &name, &json))
		if (span_equal(name, key))
			return json.len == word.len + 2 && json.data[0] == '"' &&
			       memcmp(json.data + 1, word.data, word.len) == 0;
	return false;
}

static void walk_array(const struct paths *paths, uint32_t node, struct span array,
		       struct values *values)
{
	struct span rest = { array.data + 1, array.len - 1 }, element;

	for (unsigned index = 0; scan_element(&rest, &element); index++) {
		uint32_t at = paths->nodes[node].chosen;
		char key[16];
		uint32_t found;

		for (; at != 0; at = paths->nodes[at].next_chosen)
			if (has_word(element, paths->nodes[at].key, paths->nodes[at].word))
				take(paths, at, element, values);
		snprintf(key, sizeof(key), "%u", index);
		found = paths_find(paths, node, span_of(key));
		if (found != 0)
			take(paths, found, element, values);
	}
}

void paths_walk(const struct paths *paths, uint32_t root, struct span object, struct values *values)
{
	struct span rest = { object.data + 1, object.len - 1 }, key, json;

	while (scan_member(&rest, &key, &json)) {
		char plain[KEY_BYTES_MAX];
		uint32_t found;

		if (key.len > 0 && memchr(key.data, '\\', key.len) != NULL) {
			size_t len;

			if (!scan_key(key, plain, sizeof(plain), &len))
				continue;
			key = (struct span){ plain, len };
		}
		found = paths_find(paths, root, key);
		if (found != 0)
			take(paths, found, json, values);
	}
}
