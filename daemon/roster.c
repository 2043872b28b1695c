/* SPDX-License-Identifier: Apache-2.0
 *
 * roster: see roster.h. Moves in one array by fingerprint and time, and a directory of where the upper bits of a
 * fingerprint begin: fingerprints are spread evenly, so a look is one step there and one or two moves. 24 bytes a move
 * and 2 to 4 of the directory.
 */
#include "autoconf.h"

#include "roster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "mem.h"
#include "table.h"

#define ARENA_CHUNK_BYTES 4096
#define CAPACITY_MIN 1024

struct move {
	uint64_t user; /* fingerprint */
	int64_t from_us;
	uint32_t team;
};

struct roster {
	struct move *moves;
	size_t count, capacity;
	uint32_t *starts; /* of each value of the upper bits: its first move; one more for the end. NULL: not sorted */
	unsigned bits;
	struct span *teams;
	uint32_t team_count, team_capacity;
	struct table team_index;
	struct arena *texts; /* of the teams */
};

struct roster *roster_new(void)
{
	struct roster *roster = xcalloc(1, sizeof(*roster));

	table_init(&roster->team_index);
	return roster;
}

void roster_clear(struct roster *roster)
{
	free(roster->moves);
	free(roster->starts);
	free(roster->teams);
	table_release(&roster->team_index);
	arena_free(roster->texts);
	memset(roster, 0, sizeof(*roster));
	table_init(&roster->team_index);
}

void roster_free(struct roster *roster)
{
	if (!roster)
		return;
	roster_clear(roster);
	free(roster);
}

static uint32_t intern_team(struct roster *roster, struct span team)
{
	uint64_t hash = XXH3_64bits(team.data, team.len);
	struct table_cursor cursor = table_seek(&roster->team_index, hash);
	uint32_t at;
	char *text;

	while (table_next(&roster->team_index, &cursor, &at)) {
		if (span_equal(roster->teams[at], team))
			return at;
	}
	if (roster->team_count == roster->team_capacity) {
		roster->team_capacity = roster->team_capacity ? 2 * roster->team_capacity : 64;
		roster->teams = xrealloc_array(roster->teams, roster->team_capacity, sizeof(*roster->teams));
	}
	if (!roster->texts)
		roster->texts = arena_new(ARENA_CHUNK_BYTES);
	text = arena_alloc(roster->texts, team.len + 1);
	if (team.len)
		memcpy(text, team.data, team.len);
	text[team.len] = '\0';
	table_insert(&roster->team_index, hash, roster->team_count);
	roster->teams[roster->team_count] = (struct span){ text, team.len };
	return roster->team_count++;
}

void roster_add(struct roster *roster, struct span user, int64_t from_us, struct span team)
{
	if (roster->count == roster->capacity) {
		roster->capacity = roster->capacity ? roster->capacity + roster->capacity / 2 : CAPACITY_MIN;
		roster->moves = xrealloc_array(roster->moves, roster->capacity, sizeof(*roster->moves));
	}
	roster->moves[roster->count++] =
		(struct move){ XXH3_64bits(user.data, user.len), from_us, intern_team(roster, team) };
}

static int compare_moves(const void *a, const void *b)
{
	const struct move *x = a, *y = b;

	if (x->user != y->user)
		return x->user < y->user ? -1 : 1;
	return x->from_us < y->from_us ? -1 : x->from_us > y->from_us;
}

void roster_sort(struct roster *roster)
{
	size_t at = 0, values;

	free(roster->starts);
	roster->starts = NULL;
	if (!roster->count)
		return;
	roster->moves = xrealloc_array(roster->moves, roster->count, sizeof(*roster->moves));
	roster->capacity = roster->count;
	qsort(roster->moves, roster->count, sizeof(*roster->moves), compare_moves);
	roster->bits = 1;
	while (roster->bits < 30 && (size_t)2 << roster->bits <= roster->count)
		roster->bits++;
	values = (size_t)1 << roster->bits;
	roster->starts = xrealloc_array(NULL, values + 1, sizeof(*roster->starts));
	for (size_t value = 0; value < values; value++) {
		while (at < roster->count && roster->moves[at].user >> (64 - roster->bits) < value)
			at++;
		roster->starts[value] = (uint32_t)at;
	}
	roster->starts[values] = (uint32_t)roster->count;
}

struct span roster_team(const struct roster *roster, struct span user, int64_t time_us)
{
	struct span team = { NULL, 0 };
	uint64_t fingerprint, value;

	if (!roster->count)
		return team;
	assert(roster->starts);
	fingerprint = XXH3_64bits(user.data, user.len);
	value = fingerprint >> (64 - roster->bits);
	for (uint32_t at = roster->starts[value]; at < roster->starts[value + 1]; at++) {
		const struct move *move = &roster->moves[at];

		if (move->user == fingerprint && move->from_us <= time_us)
			team = roster->teams[move->team];
	}
	return team;
}

size_t roster_count(const struct roster *roster)
{
	return roster->count;
}

size_t roster_bytes(const struct roster *roster)
{
	size_t starts = roster->starts ? ((size_t)1 << roster->bits) + 1 : 0;

	return roster->capacity * sizeof(*roster->moves) + starts * sizeof(*roster->starts) +
	       roster->team_capacity * sizeof(*roster->teams) + table_bytes(&roster->team_index) +
	       (roster->texts ? arena_bytes(roster->texts) : 0);
}
