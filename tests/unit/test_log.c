/* SPDX-License-Identifier: Apache-2.0
 *
 * test_log: what a line looks like, and that a reader who does not read cannot stop us. Standard
 * error is a pipe while a test runs.
 */
#include "autoconf.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "period.h"

static int saved_stderr, reader, writer;

static int redirect(void **state)
{
	int fds[2];

	(void)state;
	unsetenv("JOURNAL_STREAM");
	unsetenv("INVOCATION_ID");
	log_set(LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	if (pipe(fds) < 0)
		return -1;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	reader = fds[0];
	writer = fds[1];
	saved_stderr = dup(STDERR_FILENO);
	return dup2(writer, STDERR_FILENO) < 0 ? -1 : 0;
}

static int restore(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(writer);
	if (reader >= 0)
		close(reader);
	return 0;
}

/* All that was written since. */
static const char *logged(void)
{
	static char text[1 << 17];
	size_t len = 0;
	ssize_t got;

	while ((got = read(reader, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	return text;
}

static void plain_line_has_time_and_level(void **state)
{
	const char *line;
	int64_t us;

	(void)state;
	log_warn("hello %d", 7);
	line = logged();
	assert_true(period_parse_rfc3339((struct span){ line, strcspn(line, " ") }, &us));
	assert_true(now_wall_us() - us < 60 * US_PER_SECOND);
	assert_string_equal(strchr(line, ' '), " warn hello 7\n");
}

static void journald_gets_its_priority(void **state)
{
	(void)state;
	log_set(LOG_LEVEL_DEBUG, LOG_FORMAT_AUTO);
	setenv("INVOCATION_ID", "x", 1);
	log_debug("a");
	log_info("b");
	unsetenv("INVOCATION_ID");
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_warn("c");
	log_error("d");
	assert_string_equal(logged(), "<7>a\n<6>b\n<4>c\n<3>d\n");
}

static void json_line_is_one_escaped_object(void **state)
{
	const char *line;

	(void)state;
	log_set(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	setenv("INVOCATION_ID", "x", 1);
	log_error("say \"%s\" c:\\dir\nnext \xff gr\xc3\xbc\xc3\x9f", "x");
	line = logged();
	assert_memory_equal(line, "{\"time\":\"", 9);
	assert_string_equal(
	    strstr(line, "Z\""),
	    "Z\",\"level\":\"error\",\"message\":\"say \\\"x\\\" c:\\\\dir\\\\x0anext "
	    "\\\\xff gr\xc3\xbc\xc3\x9f\"}\n");
}

static void message_cannot_forge_a_line(void **state)
{
	(void)state;
	setenv("INVOCATION_ID", "x", 1);
	log_info("user %s", "x\n<3>all is lost\r\x1b[2J\x7f");
	assert_string_equal(logged(), "<6>user x\\x0a<3>all is lost\\x0d\\x1b[2J\\x7f\n");
}

static void levels_below_the_set_one_are_silent(void **state)
{
	(void)state;
	setenv("INVOCATION_ID", "x", 1);
	log_debug("no");
	assert_false(log_enabled(LOG_LEVEL_DEBUG));
	log_set(LOG_LEVEL_ERROR, LOG_FORMAT_AUTO);
	log_warn("no");
	log_error("yes");
	assert_true(log_enabled(LOG_LEVEL_ERROR));
	assert_string_equal(logged(), "<3>yes\n");
}

static void long_lines_are_cut_between_characters(void **state)
{
	static const char *const units[] = { "x", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\"", "\n" };
	static char text[12001];

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		bool json = i % 2;
		const char *end = json ? "...\"}\n" : "...\n", *line;
		size_t len;

		text[0] = '\0';
		for (int n = 0; n < 3000; n++)
			strcat(text, units[i / 8]);
		log_set(LOG_LEVEL_INFO, json ? LOG_FORMAT_JSON : LOG_FORMAT_AUTO);
		/* From another place each time. */
		log_info("%.*s%s", (int)(i / 2 % 4), "abc", text);
		line = logged();
		len = strlen(line);
		assert_int_equal(strcspn(line, "\n") + 1, len);
		assert_in_range(len, LOG_LINE_BYTES_MAX - 16, LOG_LINE_BYTES_MAX);
		assert_string_equal(line + len - strlen(end), end);
	}
}

static void errno_stays(void **state)
{
	(void)state;
	errno = EILSEQ;
	log_info("%m");
	assert_int_equal(errno, EILSEQ);
	assert_non_null(strstr(logged(), strerror(EILSEQ)));
}

static void full_pipe_drops_lines_and_says_so(void **state)
{
	uint64_t dropped_before = log_dropped();
	char block[4096] = "";
	int64_t start_ms;

	(void)state;
	setenv("INVOCATION_ID", "x", 1);
	fcntl(writer, F_SETFL, O_NONBLOCK);
	while (write(writer, block, sizeof(block)) > 0)
		;
	fcntl(writer, F_SETFL, 0);
	start_ms = now_monotonic_ms();
	for (int i = 0; i < 1000; i++)
		log_info("lost");
	assert_true(now_monotonic_ms() - start_ms < 2000);
	assert_int_equal(log_dropped() - dropped_before, 1000);
	logged();
	log_info("again");
	log_info("more");
	assert_string_equal(logged(),
			    "<4>1000 log lines lost: stderr took none\n<6>again\n<6>more\n");
	assert_int_equal(log_dropped() - dropped_before, 1000);
}

static void closed_reader_is_survived(void **state)
{
	uint64_t dropped_before = log_dropped();

	(void)state;
	close(reader);
	reader = -1;
	log_info("nobody reads");
	assert_int_equal(log_dropped() - dropped_before, 1);
}

static void *log_many(void *arg)
{
	for (int i = 0; i < 100; i++)
		log_info("thread %s line %d of the many", (const char *)arg, i);
	return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
	static char names[4][2] = { "a", "b", "c", "d" };
	pthread_t threads[4];
	int count = 0;

	(void)state;
	setenv("INVOCATION_ID", "x", 1);
	log_info("let a loss of the test before be told");
	logged();
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, log_many, names[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (const char *line = logged(); *line; line = strchr(line, '\n') + 1) {
		char name;
		int number, used = 0;

		sscanf(line, "<6>thread %c line %d of the many%n", &name, &number, &used);
		assert_int_equal(line[used], '\n');
		count++;
	}
	assert_int_equal(count, 400);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, redirect, restore)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(plain_line_has_time_and_level),
		LOG_TEST(journald_gets_its_priority),
		LOG_TEST(json_line_is_one_escaped_object),
		LOG_TEST(message_cannot_forge_a_line),
		LOG_TEST(levels_below_the_set_one_are_silent),
		LOG_TEST(long_lines_are_cut_between_characters),
		LOG_TEST(errno_stays),
		LOG_TEST(full_pipe_drops_lines_and_says_so),
		LOG_TEST(closed_reader_is_survived),
		LOG_TEST(lines_of_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
