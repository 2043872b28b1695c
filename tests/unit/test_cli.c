/* SPDX-License-Identifier: Apache-2.0
 *
 * cli: which arguments a command takes, and the exit statuses of what needs no configuration. What
 * commands do is tested in tests/integration.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli.h"
#include "status.h"

#define ARGUMENTS_MAX 5

struct line {
	const char *arguments[ARGUMENTS_MAX];
	int status;
	const char *out, *err; /* a part of what is printed; NULL: nothing is */
};

static const struct line lines[] = {
	{ { NULL }, STATUS_USAGE, NULL, "usage: tokentally COMMAND" },
	{ { "" }, STATUS_USAGE, NULL, "usage: tokentally COMMAND" },
	{ { "nope" }, STATUS_USAGE, NULL, "no command 'nope'" },
	{ { "--help" }, STATUS_DONE, "  migrate ", NULL },
	{ { "-h" }, STATUS_DONE, "usage: tokentally COMMAND", NULL },
	{ { "help" }, STATUS_DONE, "usage: tokentally COMMAND", NULL },
	{ { "help", "top" }, STATUS_DONE, "--metric", NULL },
	{ { "help", "nope" }, STATUS_USAGE, NULL, "no command 'nope'" },
	{ { "help", "top", "run" }, STATUS_USAGE, NULL, "too many arguments" },
	{ { "top", "--help" }, STATUS_DONE, "usage: tokentally top", NULL },
	{ { "run", "--help" }, STATUS_DONE, "-o SECTION.KEY=VALUE", NULL },
	{ { "version" }, STATUS_DONE, "tokentally " PACKAGE_VERSION "\n", NULL },
	{ { "--version" }, STATUS_DONE, PACKAGE_VERSION, NULL },
	{ { "version", "x" }, STATUS_USAGE, NULL, "too many arguments" },
	{ { "run", "--json" }, STATUS_USAGE, NULL, "does not take" },
	{ { "run", "x" }, STATUS_USAGE, NULL, "too many arguments" },
	{ { "check", "--dry-run" }, STATUS_USAGE, NULL, "does not take" },
	{ { "titles", "-n", "3" }, STATUS_USAGE, NULL, "does not take" },
	{ { "rekey", "--user", "ann" }, STATUS_USAGE, NULL, "does not take" },
	{ { "rekey", "new.key" }, STATUS_USAGE, NULL, "too many arguments" },
	{ { "top", "--to", "3" }, STATUS_USAGE, NULL, "does not take" },
	{ { "migrate", "--nope" }, STATUS_USAGE, NULL, "wrong options" },
	{ { "migrate", "-c" }, STATUS_USAGE, NULL, "wrong options" },
	{ { "help", "people" }, STATUS_DONE, "user,team,from", NULL },
	{ { "people" }, STATUS_USAGE, NULL, "people import FILE" },
	{ { "people", "import" }, STATUS_USAGE, NULL, "people import FILE" },
	{ { "people", "export", "x" }, STATUS_USAGE, NULL, "people import FILE" },
	{ { "people", "import", "x", "--from", "now" }, STATUS_USAGE, NULL, "--from wants" },
	{ { "titles", "--from", "2026-11-23" }, STATUS_USAGE, NULL, "does not take" },
	{ { "run", "-c", "/nonexistent/file" }, STATUS_CONFIG, NULL, "/nonexistent/file" },
	{ { "check", "-c", "/nonexistent/file" }, STATUS_CONFIG, NULL, "/nonexistent/file" },
};

/* Standard output or error goes into a file from here; returns what to give to unhook. */
static int hook(FILE *stream, FILE *file)
{
	int saved = dup(fileno(stream));

	fflush(stream);
	dup2(fileno(file), fileno(stream));
	return saved;
}

static void unhook(FILE *stream, int saved, FILE *file, char *text, size_t cap)
{
	size_t len;

	fflush(stream);
	dup2(saved, fileno(stream));
	close(saved);
	rewind(file);
	len = fread(text, 1, cap - 1, file);
	text[len] = '\0';
	fclose(file);
}

static int run_line(const struct line *line, char *out, char *err, size_t cap)
{
	char words[ARGUMENTS_MAX + 1][64] = { "tokentally" };
	char *argv[ARGUMENTS_MAX + 2] = { words[0] };
	FILE *out_file = tmpfile(), *err_file = tmpfile();
	int argc = 1, status, out_saved, err_saved;

	assert_true(out_file && err_file);
	for (; argc <= ARGUMENTS_MAX && line->arguments[argc - 1]; argc++) {
		snprintf(words[argc], sizeof words[argc], "%s", line->arguments[argc - 1]);
		argv[argc] = words[argc];
	}
	out_saved = hook(stdout, out_file);
	err_saved = hook(stderr, err_file);
	status = cli_main(argc, argv);
	unhook(stderr, err_saved, err_file, err, cap);
	unhook(stdout, out_saved, out_file, out, cap);
	return status;
}

static void assert_part(const struct line *line, const char *stream, const char *text, const char *part)
{
	if (part ? !strstr(text, part) : *text)
		fail_msg("%s %s: on standard %s: '%s'", line->arguments[0] ? line->arguments[0] : "(nothing)",
			 line->arguments[0] && line->arguments[1] ? line->arguments[1] : "", stream, text);
}

static void command_lines(void **state)
{
	char out[8192], err[8192];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int status = run_line(&lines[i], out, err, sizeof out);

		assert_part(&lines[i], "output", out, lines[i].out);
		assert_part(&lines[i], "error", err, lines[i].err);
		assert_int_equal(status, lines[i].status);
	}
}

static void more_overrides_than_there_is_room_for_are_refused(void **state)
{
	static char name[] = "tokentally", command[] = "version", option[] = "-o", value[] = "a.b=c";
	char *argv[2 * CLI_OVERRIDES_MAX + 5] = { name, command };
	FILE *err_file = tmpfile();
	char err[1000];
	int argc = 2, status, saved;

	(void)state;
	assert_non_null(err_file);
	for (int i = 0; i <= CLI_OVERRIDES_MAX; i++) {
		argv[argc++] = option;
		argv[argc++] = value;
	}
	saved = hook(stderr, err_file);
	status = cli_main(argc, argv);
	unhook(stderr, saved, err_file, err, sizeof err);
	assert_int_equal(status, STATUS_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines),
		cmocka_unit_test(more_overrides_than_there_is_room_for_are_refused),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
