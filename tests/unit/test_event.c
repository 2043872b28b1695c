/* SPDX-License-Identifier: Apache-2.0
 *
 * test_event: classes of price and latency, and the names of dead letters' reasons.
 */
#include "autoconf.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"

static void price_class_has_three_parts(void **state)
{
	static const struct {
		int64_t prompt_tokens;
		int size;
	} cases[] = { { 0, 0 },	     { 128000, 0 }, { 128001, 1 }, { 200000, 1 },
		      { 200001, 2 }, { 272000, 2 }, { 272001, 3 }, { INT64_C(1) << 53, 3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int tier = TIER_STANDARD; tier <= TIER_PRIORITY; tier++) {
			int expected = cases[i].size * 4 + tier;

			assert_int_equal(
			    price_class_of(true, cases[i].prompt_tokens, (enum service_tier)tier),
			    expected);
			assert_int_equal(
			    price_class_of(false, cases[i].prompt_tokens, (enum service_tier)tier),
			    expected + 16);
		}
	}
}

static void bounds_are_powers_up_to_the_first_above_an_hour(void **state)
{
	volatile double base = 1.05; /* so that pow is called, as PostgreSQL calls it */

	(void)state;
	for (int16_t k = 0; k < LATENCY_CLASS_ABOVE; k++) {
		double expected = pow(base, k), bound = latency_class_le_ms(k);

		/* The library at hand may round the last bit in its own way. */
		assert_true(bound >= nextafter(expected, 0) &&
			    bound <= nextafter(expected, INFINITY));
	}
	assert_true(latency_class_le_ms(LATENCY_CLASS_ABOVE - 2) < 3600000);
	assert_true(latency_class_le_ms(LATENCY_CLASS_ABOVE - 1) >= 3600000);
	assert_true(isinf(latency_class_le_ms(LATENCY_CLASS_ABOVE)));
}

static void each_class_ends_exactly_at_its_bound(void **state)
{
	(void)state;
	for (int16_t k = 0; k < LATENCY_CLASS_ABOVE; k++) {
		double bound = latency_class_le_ms(k);

		assert_int_equal(latency_class_of(bound), k);
		assert_int_equal(latency_class_of(nextafter(bound, 0)), k);
		assert_int_equal(latency_class_of(nextafter(bound, INFINITY)), k + 1);
	}
	assert_int_equal(latency_class_of(0), 0);
	assert_int_equal(latency_class_of(1), 0);
	assert_int_equal(latency_class_of(1.0000001), 1);
	assert_int_equal(latency_class_of(1e9), LATENCY_CLASS_ABOVE);
	assert_int_equal(latency_class_of(INFINITY), LATENCY_CLASS_ABOVE);
}

static void no_bound_is_more_than_five_percent_above_a_value(void **state)
{
	(void)state;
	for (double ms = 1; ms < 3600000; ms *= 1.00037) {
		double bound = latency_class_le_ms(latency_class_of(ms));

		assert_true(bound >= ms && bound <= ms * 1.0500000001);
	}
}

static void every_reason_has_its_own_name(void **state)
{
	(void)state;
	for (int i = 0; i < DEAD_REASONS; i++) {
		assert_non_null(dead_reason_name((enum dead_reason)i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(dead_reason_name((enum dead_reason)i),
						dead_reason_name((enum dead_reason)j));
	}
	assert_string_equal(dead_reason_name(DEAD_NOT_JSON), "not_json");
	assert_string_equal(dead_reason_name(DEAD_UNKNOWN_FORMAT), "unknown_format");
	assert_string_equal(dead_reason_name(DEAD_EMPTY), "empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(price_class_has_three_parts),
		cmocka_unit_test(bounds_are_powers_up_to_the_first_above_an_hour),
		cmocka_unit_test(each_class_ends_exactly_at_its_bound),
		cmocka_unit_test(no_bound_is_more_than_five_percent_above_a_value),
		cmocka_unit_test(every_reason_has_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
