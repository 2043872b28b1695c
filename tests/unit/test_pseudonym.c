/* SPDX-License-Identifier: Apache-2.0
 *
 * pseudonym: vectors of Python's hmac and base64.b32encode, and that one object gives the same
 * answers however often it is used.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pseudonym.h"

#define X16(c) c c c c c c c c c c c c c c c c
#define X64(c) X16(c) X16(c) X16(c) X16(c)
#define X200(c) X64(c) X64(c) X64(c) c c c c c c c c
#define NAMES 1000

static void it_is_base32_of_hmac_sha256(void **state)
{
	static const struct {
		const char *key, *name, *pseudonym;
	} vectors[] = {
		{ "k", "", "RO4ZBRAKPVQ4XF2ZPKKCCJICLP" },
		{ "k", "a", "PDNJCUI6M5KYP5NZ354L5XV26V" },
		{ "secret key", "alice@example.com", "3USTX3CMR75IQDLFEQ74IVLB6G" },
		{ X64("0"), "J\xc3\xb6rg \xe2\x98\x83", "S74OBTJJMOS7E6UTBSXMARYTBV" },
		{ X200("k"), X64("x") X64("x") X64("x") X64("x"), "AE2GTKC4EQMSTKZ7G6GKZPFG2O" },
	};
	char out[PSEUDONYM_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct pseudonymizer *p = pseudonymizer_new(vectors[i].key);

		pseudonym_of(p, span_of(vectors[i].name), out);
		assert_string_equal(out, vectors[i].pseudonym);
		pseudonymizer_free(p);
	}
}

static void without_a_key_it_is_empty(void **state)
{
	struct pseudonymizer *p = pseudonymizer_new("");
	char out[PSEUDONYM_LEN + 1] = "x";

	(void)state;
	pseudonym_of(p, SPAN("alice"), out);
	assert_string_equal(out, "");
	out[0] = 'x';
	pseudonym_key_check(p, out);
	assert_string_equal(out, "");
	pseudonymizer_free(p);
	pseudonymizer_free(NULL);
}

static void the_key_check_is_that_of_a_text_no_name_can_be(void **state)
{
	struct pseudonymizer *p = pseudonymizer_new("k"), *q = pseudonymizer_new("l");
	char check[PSEUDONYM_LEN + 1], other[PSEUDONYM_LEN + 1];

	(void)state;
	pseudonym_key_check(p, check);
	assert_string_equal(check, "HT7FLR6XBE7BGJ3VOW4FR2OQLR");
	pseudonym_key_check(q, other);
	assert_string_not_equal(check, other);
	pseudonymizer_free(p);
	pseudonymizer_free(q);
}

static void name_of(size_t i, struct pseudonymizer *p, char out[PSEUDONYM_LEN + 1])
{
	char name[300];
	size_t len = i % sizeof name;

	memset(name, 'a' + (char)(i % 26), sizeof name);
	memcpy(name, &i, sizeof i < len ? sizeof i : len);
	pseudonym_of(p, (struct span){ name, len }, out);
}

static void a_thousand_names_are_the_same_the_second_time(void **state)
{
	static char first[NAMES][PSEUDONYM_LEN + 1];
	struct pseudonymizer *p = pseudonymizer_new("key"), *fresh = pseudonymizer_new("key");
	char out[PSEUDONYM_LEN + 1];

	(void)state;
	for (size_t i = 0; i < NAMES; i++)
		name_of(i, p, first[i]);
	for (size_t i = NAMES; i-- > 0;) {
		name_of(i, i % 2 ? p : fresh, out);
		assert_string_equal(out, first[i]);
	}
	pseudonymizer_free(p);
	pseudonymizer_free(fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_base32_of_hmac_sha256),
		cmocka_unit_test(without_a_key_it_is_empty),
		cmocka_unit_test(the_key_check_is_that_of_a_text_no_name_can_be),
		cmocka_unit_test(a_thousand_names_are_the_same_the_second_time),
	};

	return cmocka_run_group_tests_name("pseudonym", tests, NULL, NULL);
}
