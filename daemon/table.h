/* SPDX-License-Identifier: Apache-2.0
 *
 * table: a hash index. It maps 64-bit hashes to the numbers of rows that the caller keeps in an
 *array of its own; the caller compares the rows. So one implementation serves every kind of row,
 *and the order of rows is the order in which they came, on every machine.
 *
 *	struct table_cursor cursor = table_seek(table, hash);
 *	uint32_t row;
 *	while (table_next(table, &cursor, &row))
 *		if (same(&rows[row], key))
 *			return row;
 *	table_insert(table, hash, row_count);
 *
 * A slot is 8 bytes, at least half of them empty (linear probing then meets an empty one after two
 *or three). It keeps the upper 32 bits of the hash: they give the place, so the table grows without
 *asking the caller, and they sort out nearly all other rows without touching the caller's memory.
 * Not for sharing between threads. Rows are never removed one by one.
 */
#ifndef TOKENTALLY_TABLE_H
#define TOKENTALLY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_ROWS_MAX (UINT32_C(1) << 30)

struct table_slot {
	uint32_t tag; /* upper half of the hash */
	uint32_t row; /* TABLE_EMPTY: free */
};
#define TABLE_EMPTY UINT32_MAX

struct table {
	struct table_slot *slots; /* NULL: never used */
	uint32_t mask;		  /* number of slots - 1; a power of two */
	uint32_t count;
};

struct table_cursor {
	uint32_t tag, at;
};

void table_init(struct table *table);
void table_release(struct table *table);
/* Empties it; the memory stays. */
void table_clear(struct table *table);
/* Does not look whether the row is there already. The row numbers are below TABLE_ROWS_MAX. */
void table_insert(struct table *table, uint64_t hash, uint32_t row);
size_t table_bytes(const struct table *table);

static inline struct table_cursor table_seek(const struct table *table, uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash >> 32);

	return (struct table_cursor){ tag, tag & table->mask };
}

/* The next row whose hash may be the one sought. False: there is none. */
static inline bool table_next(const struct table *table, struct table_cursor *cursor, uint32_t *row)
{
	if (!table->slots)
		return false;
	for (;;) {
		const struct table_slot *slot = &table->slots[cursor->at];

		if (slot->row == TABLE_EMPTY)
			return false;
		cursor->at = (cursor->at + 1) & table->mask;
		if (slot->tag == cursor->tag) {
			*row = slot->row;
			return true;
		}
	}
}

/* For callers that look up several things at once in tables larger than the caches: first ask for
 * the slots of all hashes, then for the rows these point to, then look. */
static inline void table_prefetch(const struct table *table, uint64_t hash)
{
	if (table->slots)
		__builtin_prefetch(&table->slots[table_seek(table, hash).at]);
}

/* Most probably the row, if it is there at all; TABLE_EMPTY: it is not. */
static inline uint32_t table_guess(const struct table *table, uint64_t hash)
{
	return table->slots ? table->slots[table_seek(table, hash).at].row : TABLE_EMPTY;
}

#endif
