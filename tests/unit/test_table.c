/* SPDX-License-Identifier: Apache-2.0
 *
 * table: every row is found again by its hash, whatever the hashes are.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table.h"

#define ROWS 20000

/* Does looking up the hash pass by the row? */
static bool holds(const struct table *table, uint64_t hash, uint32_t wanted)
{
	struct table_cursor cursor = table_seek(table, hash);
	uint32_t row;

	while (table_next(table, &cursor, &row))
		if (row == wanted)
			return true;
	return false;
}

static uint64_t even_hash(uint32_t row)
{
	return (row + 1) * UINT64_C(0x9E3779B97F4A7C15);
}

/* Rows 4n to 4n + 3 have one hash. */
static uint64_t shared_hash(uint32_t row)
{
	return even_hash(row / 4);
}

/* All want the last slots, so that probing goes round the end. */
static uint64_t end_hash(uint32_t row)
{
	return UINT64_MAX - ((uint64_t)(row % 7) << 32);
}

static void check_all_found(uint64_t (*hash_of)(uint32_t row), uint32_t rows)
{
	struct table table;

	table_init(&table);
	for (uint32_t row = 0; row < rows; row++) {
		assert_false(holds(&table, hash_of(row), row));
		table_insert(&table, hash_of(row), row);
	}
	assert_int_equal(table.count, rows);
	for (uint32_t row = 0; row < rows; row++)
		assert_true(holds(&table, hash_of(row), row));
	assert_false(holds(&table, even_hash(rows), rows));
	table_release(&table);
}

static void rows_are_found_again(void **state)
{
	(void)state;
	check_all_found(even_hash, ROWS);
	check_all_found(shared_hash, ROWS);
	check_all_found(end_hash, 500);
}

static void an_empty_table_finds_nothing_and_holds_no_memory(void **state)
{
	struct table table;

	(void)state;
	table_init(&table);
	assert_false(holds(&table, 1, 0));
	assert_int_equal(table_guess(&table, 1), TABLE_EMPTY);
	table_prefetch(&table, 1);
	table_clear(&table);
	assert_int_equal(table_bytes(&table), 0);
	table_release(&table);
}

static void clear_forgets_rows_and_keeps_memory(void **state)
{
	struct table table;
	size_t bytes;

	(void)state;
	table_init(&table);
	for (uint32_t row = 0; row < ROWS; row++)
		table_insert(&table, even_hash(row), row);
	bytes = table_bytes(&table);
	table_clear(&table);
	assert_int_equal(table_bytes(&table), bytes);
	for (uint32_t row = 0; row < ROWS; row++)
		assert_false(holds(&table, even_hash(row), row));
	table_insert(&table, even_hash(7), 0);
	assert_true(holds(&table, even_hash(7), 0));
	table_release(&table);
	assert_int_equal(table_bytes(&table), 0);
}

static void half_of_the_slots_at_least_are_free(void **state)
{
	struct table table;

	(void)state;
	table_init(&table);
	for (uint32_t row = 0; row < ROWS; row++) {
		table_insert(&table, even_hash(row), row);
		assert_true(2 * (size_t)table.count * sizeof(struct table_slot) <=
			    table_bytes(&table));
	}
	table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_found_again),
		cmocka_unit_test(an_empty_table_finds_nothing_and_holds_no_memory),
		cmocka_unit_test(clear_forgets_rows_and_keeps_memory),
		cmocka_unit_test(half_of_the_slots_at_least_are_free),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
