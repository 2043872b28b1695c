/* SPDX-License-Identifier: Apache-2.0
 *
 * schemas/README.md tells what becomes of each file in schemas/samples/native: here it is held to
 * that, and to telling it of every file. srcdir in the environment is the project's root.
 */
#include "autoconf.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode.h"
#include "decode_story.h"

#define SAMPLE_BYTES_MAX 65536

static const char *path_of(const char *name)
{
	static char path[4096];
	const char *root = getenv("srcdir");

	snprintf(path, sizeof(path), "%s/schemas/%s", root != NULL ? root : ".", name);
	return path;
}

static struct span read_file(const char *name)
{
	static char text[SAMPLE_BYTES_MAX];
	FILE *file = fopen(path_of(name), "rb");
	size_t len;

	if (file == NULL)
		fail_msg("cannot open '%s'", path_of(name));
	len = fread(text, 1, sizeof(text), file);
	assert_true(len < sizeof(text));
	fclose(file);
	return (struct span){ text, len };
}

/* "event, bad_type" -> "event; bad_type", the way outcome_of() writes it. */
static void as_outcome(char *list)
{
	for (; *list != '\0'; list++)
		if (*list == ',')
			*list = ';';
}

/* A row of the table, "| `name` | outcome, outcome | meaning |"; false when the line is none. */
static bool parse_row(const char *line, char name[128], char outcome[256])
{
	if (sscanf(line, "| `%127[^`]` | %255[^|]", name, outcome) != 2 ||
	    strstr(name, ".json") == NULL)
		return false;
	outcome[strcspn(outcome, "|")] = '\0';
	while (strlen(outcome) > 0 && outcome[strlen(outcome) - 1] == ' ')
		outcome[strlen(outcome) - 1] = '\0';
	as_outcome(outcome);
	return true;
}

static int count_files(void)
{
	DIR *dir = opendir(path_of("samples/native"));
	int count = 0;

	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
		count += strstr(entry->d_name, ".json") != NULL;
	closedir(dir);
	return count;
}

static void every_sample_becomes_what_the_readme_says(void **state)
{
	FILE *readme = fopen(path_of("README.md"), "r");
	char line[1024], name[128], outcome[256];
	int rows = 0;

	(void)state;
	assert_non_null(readme);
	while (fgets(line, sizeof(line), readme) != NULL) {
		char path[256];
		const char *is;

		if (!parse_row(line, name, outcome))
			continue;
		rows++;
		snprintf(path, sizeof(path), "samples/native/%s", name);
		is = outcome_of(FORMAT_AUTO, read_file(path));
		if (strcmp(is, outcome) != 0)
			fail_msg("%s: is '%s', README.md says '%s'", name, is, outcome);
	}
	fclose(readme);
	assert_int_equal(rows, count_files());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sample_becomes_what_the_readme_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
