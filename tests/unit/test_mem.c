/* SPDX-License-Identifier: Apache-2.0
 *
 * test_mem: the arena, cleanup of locals, copies.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"

static void arena_gives_aligned_memory_that_does_not_overlap(void **state)
{
	struct arena *arena = arena_new(256);
	unsigned char *pieces[200];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		pieces[i] = arena_alloc(arena, i);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		memset(pieces[i], (int)i, i);
	}
	for (size_t i = 0; i < 200; i++) {
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], i);
	}
	arena_free(arena);
}

static void steady_load_takes_nothing_more_from_the_system(void **state)
{
	struct arena *arena = arena_new(1024);
	size_t bytes = 0;

	(void)state;
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 100; i++)
			arena_alloc(arena, i % 10 == 0 ? 3000 : 100);
		if (round == 0)
			bytes = arena_bytes(arena);
		assert_int_equal(arena_bytes(arena), bytes);
		arena_reset(arena, SIZE_MAX);
	}
	arena_free(arena);
}

static void reset_keeps_no_more_than_asked(void **state)
{
	struct arena *arena = arena_new(1024);

	(void)state;
	for (int i = 0; i < 100; i++)
		arena_alloc(arena, 1000);
	arena_alloc(arena, 1000000);
	assert_true(arena_bytes(arena) > 1100000);
	arena_reset(arena, 10000);
	assert_true(arena_bytes(arena) <= 10000);
	assert_true(arena_bytes(arena) > 8000);
	arena_reset(arena, 0);
	assert_int_equal(arena_bytes(arena), 0);
	memset(arena_alloc(arena, 10), 1, 10);
	arena_free(arena);
	arena_free(NULL);
}

static void allocations_of_nothing_are_not_null(void **state)
{
	char *none = xmalloc(0);
	char *zeroed = xcalloc(0, 8);

	(void)state;
	none = xrealloc_array(none, 0, 8);
	assert_non_null(none);
	assert_non_null(zeroed);
	free_ptr(&none);
	free_ptr(&zeroed);
	assert_null(none);
	free_ptr(&none);
}

static void copies_end_at_the_length_or_the_nul(void **state)
{
	CLEANUP(free_ptr) char *whole = xstrdup("abc");
	CLEANUP(free_ptr) char *part = xstrndup("abc", 2);
	CLEANUP(free_ptr) char *shorter = xstrndup("abc", 100);
	CLEANUP(free_ptr) char *empty = xstrndup("", 0);

	(void)state;
	assert_string_equal(whole, "abc");
	assert_string_equal(part, "ab");
	assert_string_equal(shorter, "abc");
	assert_string_equal(empty, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_gives_aligned_memory_that_does_not_overlap),
		cmocka_unit_test(steady_load_takes_nothing_more_from_the_system),
		cmocka_unit_test(reset_keeps_no_more_than_asked),
		cmocka_unit_test(allocations_of_nothing_are_not_null),
		cmocka_unit_test(copies_end_at_the_length_or_the_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
