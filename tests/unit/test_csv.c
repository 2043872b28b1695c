/* SPDX-License-Identifier: Apache-2.0
 *
 * csv: rows of RFC 4180, by the line each begins in; a bad one is told and the next is read.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "csv.h"
#include "mem.h"
#include "seed.h"

/* "line:field|field" of each row, or "line!fault", behind one another. */
static char *rows_of(const char *text, size_t len)
{
	CLEANUP(free_ptr) char *copy = xmalloc(len + 1);
	struct buf out;
	char *result;
	struct csv_row row;
	struct csv csv;

	memcpy(copy, text, len);
	buf_init(&out, 1 << 20);
	csv_init(&csv, copy, len);
	while (csv_next(&csv, &row)) {
		buf_addf(&out, "%d%s", row.line, row.fault ? "!" : ":");
		buf_add_text(&out, row.fault ? row.fault : "");
		for (size_t i = 0; i < row.count; i++) {
			buf_add_text(&out, i ? "|" : "");
			buf_add(&out, row.fields[i].data, row.fields[i].len);
		}
		buf_add_text(&out, ";");
	}
	result = xstrdup(out.data);
	buf_release(&out);
	return result;
}

static void rows_are_read_as_rfc_4180_has_them(void **state)
{
	static const struct {
		const char *text, *rows;
	} cases[] = {
		{ "", "" },
		{ "\n\r\n\n", "" },
		{ "a", "1:a;" },
		{ "a,b\nc,d\n", "1:a|b;2:c|d;" },
		{ "a,b\r\nc,d", "1:a|b;2:c|d;" },
		{ "\xef\xbb\xbf" "a,b", "1:a|b;" },
		{ "\n\na\n\nb\n", "3:a;5:b;" },
		{ ",\n,,", "1:|;2:||;" },
		{ " a , b ", "1: a | b ;" },
		{ "\"a,b\",\"c\"\"d\"\n", "1:a,b|c\"d;" },
		{ "\"\",\"\"\"\"\n", "1:|\";" },
		{ "\"a\nb\",c\nd", "1:a\nb|c;3:d;" },
		{ "a\rb,c", "1:a\rb|c;" },
		{ "\"a\"x,b\nc", "1!text behind a closing quote;2:c;" },
		{ "a\"b\nc", "1!a quote inside of a field;2:c;" },
		{ "a\n\"b,c\nd\n", "1:a;2!a quote that is not closed;" },
		{ "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\n", "1:1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16;" },
		{ "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\nx", "1!too many fields;2:x;" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(free_ptr) char *rows = rows_of(cases[i].text, strlen(cases[i].text));

		if (strcmp(rows, cases[i].rows) != 0)
			fail_msg("case %zu: %s", i, rows);
	}
}

/* Under a sanitizer: nothing beyond the text is touched, whatever it is; and every row has a line that is there. */
static void any_bytes_are_read_to_their_end(void **state)
{
	static const char alphabet[] = "ab,,\"\"\n\n\r\xef\xbb\xbf";

	(void)state;
	seed_start(__func__);
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)seed_below(24);
		CLEANUP(free_ptr) char *text = xmalloc(len ? len : 1);
		int lines = 1, before = 0;
		struct csv_row row;
		struct csv csv;

		for (size_t i = 0; i < len; i++) {
			text[i] = alphabet[seed_below(sizeof alphabet)]; /* the NUL too */
			lines += text[i] == '\n';
		}
		csv_init(&csv, text, len);
		while (csv_next(&csv, &row)) {
			assert_in_range(row.line, before + 1, lines);
			assert_true(row.fault ? row.count == 0 : row.count > 0);
			before = row.line;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read_as_rfc_4180_has_them),
		cmocka_unit_test(any_bytes_are_read_to_their_end),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
