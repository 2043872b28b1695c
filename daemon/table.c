/* SPDX-License-Identifier: Apache-2.0
 *
 * table: growth and insertion; looking up is inline in the header.
 */
#include "autoconf.h"

#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define SLOTS_MIN 64

void table_init(struct table *table)
{
	*table = (struct table){ 0 };
}

void table_release(struct table *table)
{
	free(table->slots);
	table_init(table);
}

/* All bits set is TABLE_EMPTY. */
static void make_empty(struct table_slot *slots, size_t count)
{
	memset(slots, 0xff, count * sizeof *slots);
}

void table_clear(struct table *table)
{
	if (table->count > 0)
		make_empty(table->slots, (size_t)table->mask + 1);
	table->count = 0;
}

static void place(struct table *table, struct table_slot slot)
{
	uint32_t at = slot.tag & table->mask;

	while (table->slots[at].row != TABLE_EMPTY)
		at = (at + 1) & table->mask;
	table->slots[at] = slot;
}

static void grow(struct table *table)
{
	struct table old = *table;
	size_t old_slots = old.slots ? (size_t)old.mask + 1 : 0;
	size_t slots = old_slots ? 2 * old_slots : SLOTS_MIN;

	table->slots = xrealloc_array(NULL, slots, sizeof *table->slots);
	table->mask = (uint32_t)(slots - 1);
	make_empty(table->slots, slots);
	for (size_t i = 0; i < old_slots; i++)
		if (old.slots[i].row != TABLE_EMPTY)
			place(table, old.slots[i]);
	free(old.slots);
}

void table_insert(struct table *table, uint64_t hash, uint32_t row)
{
	assert(row < TABLE_ROWS_MAX && table->count < TABLE_ROWS_MAX);
	if (!table->slots || 2 * ((size_t)table->count + 1) > (size_t)table->mask + 1)
		grow(table);
	place(table, (struct table_slot){ (uint32_t)(hash >> 32), row });
	table->count++;
}

size_t table_bytes(const struct table *table)
{
	return table->slots ? ((size_t)table->mask + 1) * sizeof *table->slots : 0;
}
