/* SPDX-License-Identifier: Apache-2.0
 *
 * people_file: lines with their times, and one fault a bad line, with its number.
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

#include "mem.h"
#include "people_file.h"
#include "period.h"

#define NOW INT64_C(1795428000000000)

/* "line user team from" of each line, or the faults, behind one another. */
static char *read_text(const char *text, size_t len)
{
	CLEANUP(free_ptr) char *copy = xmalloc(len + 1);
	CLEANUP(people_file_release) struct people_file file = { 0 };
	struct faults faults;
	struct buf out;
	char *result;

	memcpy(copy, text, len);
	faults_init(&faults);
	buf_init(&out, 1 << 20);
	if (people_file_read(&file, "f", copy, len, NOW, &faults)) {
		for (size_t i = 0; i < file.count; i++)
			buf_addf(&out, "%d %.*s %.*s %lld;", file.lines[i].line, (int)file.lines[i].user.len, file.lines[i].user.data,
				 (int)file.lines[i].team.len, file.lines[i].team.data, (long long)(file.lines[i].from_us / US_PER_SECOND));
		assert_int_equal(faults.count, 0);
	}
	for (size_t i = 0; i < faults.count; i++)
		buf_addf(&out, "%s;", faults.texts[i]);
	faults_release(&faults);
	result = xstrdup(out.data);
	buf_release(&out);
	return result;
}

static void lines_and_faults_have_their_numbers(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "user,team\nann,red\nbob,\n", "2 ann red 1795428000;3 bob  1795428000;" },
		{ "team,from,user\nred,2026-11-01,ann\n\nblue,,ann\n", "2 ann red 1793491200;4 ann blue 1795428000;" },
		{ "user,team,from\n\"ann, b\",red,2026-11-01T12:00:00+01:00\n", "2 ann, b red 1793530800;" },
		{ "user,team\n", "" },
		{ "", "f:1: the file is empty;" },
		{ "ann,red\n", "f:1: the first line names the columns: user, team and perhaps from, once each; not 'ann';" },
		{ "user,team,team\n", "f:1: the first line names the columns: user, team and perhaps from, once each; not 'team';" },
		{ "\nuser,from\n", "f:2: the first line names the columns, and 'team' is missing;" },
		{ "team\n", "f:1: the first line names the columns, and 'user' is missing;" },
		{ "\"user,team\n", "f:1: a quote that is not closed;" },
		{ "user,team,from\n,red,\nann\nann,red,yesterday\nbob,red,\n\"a\"b,c,d\nann,red,2026-11-31\nann,red,0000-01-01\n",
		  "f:2: user is empty;f:3: 1 fields, the first line has 3;"
		  "f:4: from is neither a date such as 2026-11-23 nor a time such as 2026-11-23T10:00:00+01:00;"
		  "f:6: text behind a closing quote;"
		  "f:7: from is neither a date such as 2026-11-23 nor a time such as 2026-11-23T10:00:00+01:00;"
		  "f:8: from is neither a date such as 2026-11-23 nor a time such as 2026-11-23T10:00:00+01:00;" },
		{ "user,team\nann,r\xff" "d\n\xc3,red\n", "f:2: team is not UTF-8;f:3: user is not UTF-8;" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(free_ptr) char *got = read_text(cases[i].text, strlen(cases[i].text));

		if (strcmp(got, cases[i].expected) != 0)
			fail_msg("case %zu: %s", i, got);
	}
}

static void names_have_the_bounds_of_events(void **state)
{
	static const struct {
		size_t user, team;
		const char *fault; /* NULL: none */
	} cases[] = {
		{ 256, 256, NULL }, { 257, 1, "f:2: user is longer than 256 bytes;" }, { 1, 257, "f:2: team is longer than 256 bytes;" }
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[700];
		size_t len = (size_t)sprintf(text, "user,team\n%0*d,%0*d\n", (int)cases[i].user, 1, (int)cases[i].team, 2);
		CLEANUP(free_ptr) char *got = read_text(text, len);

		if (cases[i].fault)
			assert_string_equal(got, cases[i].fault);
		else
			assert_int_equal(got[0], '2');
	}
	{
		CLEANUP(free_ptr) char *got = read_text("user,team\na\0b,red\n", 18);

		assert_string_equal(got, "f:2: user holds a NUL byte;");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_faults_have_their_numbers),
		cmocka_unit_test(names_have_the_bounds_of_events),
	};

	return cmocka_run_group_tests_name("people_file", tests, NULL, NULL);
}
