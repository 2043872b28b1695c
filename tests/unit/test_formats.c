/* SPDX-License-Identifier: Apache-2.0
 *
 * Every sample of schemas/samples but the native ones, read as `auto` does by the mappings in the program, and
 * compared with schemas/samples/expected.txt: a line a record. When they differ, what came out is in
 * formats.actual where the test ran.
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
#include "formats.h"
#include "mem.h"
#include "period.h"

#define TEXT_BYTES_MAX_HERE (1 << 20)

static struct mappings *mappings;
static struct decoder *decoder;

static void add_text(struct buf *out, const char *name, struct span text)
{
	if (text.len > 0)
		buf_addf(out, " %s=%.*s", name, (int)text.len, text.data);
}

static void add_count(struct buf *out, const char *name, int64_t count)
{
	if (count != 0)
		buf_addf(out, " %s=%lld", name, (long long)count);
}

static void add_event(struct buf *out, const struct event *event)
{
	static const char *const names[MEASURES] = {
		[M_CALLS] = NULL,
		[M_ERRORS] = "errors",
		[M_INPUT_TOKENS] = "in",
		[M_CACHE_READ_TOKENS] = "read",
		[M_CACHE_WRITE_TOKENS] = "write",
		[M_CACHE_WRITE_1H_TOKENS] = "write1h",
		[M_OUTPUT_TOKENS] = "out",
		[M_REASONING_TOKENS] = "reasoning",
		[M_COST_NANO] = "nano",
		[M_UNPRICED_CALLS] = "unpriced",
		[M_ZERO_OUTPUT_CALLS] = "zero_output",
		[M_CACHE_KNOWN_TOKENS] = "cache_known",
		[M_DURATION_MS_SUM] = "ms",
		[M_DURATION_MS_MAX] = NULL,
	};
	char time[40];

	period_format(event->time_us, time, sizeof(time));
	buf_addf(out, "%s", time);
	add_text(out, "user", event->user);
	add_text(out, "model", event->model);
	add_text(out, "provider", event->provider);
	add_text(out, "team", event->team);
	add_text(out, "app", event->app);
	add_text(out, "session", event->session);
	add_text(out, "id", event->event_id);
	for (int i = 0; i < MEASURES; i++)
		if (names[i] != NULL)
			add_count(out, names[i], event->measures[i]);
	add_count(out, "tier", event->price_class % 4);
	add_count(out, "ttft_class", event->ttft_class + 1);
}

struct story {
	struct buf *out;
	const char *name;
};

static void write_record(void *ctx, const struct record *record)
{
	struct story *story = ctx;
	struct buf *out = story->out;

	buf_addf(out, "%s %d %s: ", story->name, record->index, record_origin_name(record->origin));
	if (record->kind == RECORD_EVENT)
		add_event(out, &record->event);
	else if (record->kind == RECORD_SKIPPED)
		buf_addf(out, "skipped: %s", record->why);
	else
		buf_addf(out, "dead: %s: %s", dead_reason_name(record->reason), record->detail);
	for (unsigned i = 0; i < SUSPECTS; i++)
		if (record->kind == RECORD_EVENT && record->suspects & 1u << i)
			buf_addf(out, " suspect=%s", suspect_name((enum suspect)i));
	buf_add_text(out, "\n");
}

/* Into a block of exactly its size. */
static struct span read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *data = malloc(TEXT_BYTES_MAX_HERE);
	size_t len;

	if (file == NULL || data == NULL)
		fail_msg("cannot read %s", path);
	len = fread(data, 1, TEXT_BYTES_MAX_HERE, file);
	fclose(file);
	data = realloc(data, len > 0 ? len : 1);
	return (struct span){ data, len };
}

static const char *source_dir(void)
{
	const char *dir = getenv("srcdir");

	return dir != NULL ? dir : ".";
}

static int is_sample(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void tell_folder(struct buf *out, const char *folder)
{
	struct dirent **entries;
	char path[1000], name[600];
	int count;

	snprintf(path, sizeof(path), "%s/schemas/samples/%s", source_dir(), folder);
	count = scandir(path, &entries, is_sample, alphasort);
	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		struct story story = { out, name };
		struct span message;

		snprintf(name, sizeof(name), "%s/%s", folder, entries[i]->d_name);
		snprintf(path, sizeof(path), "%s/schemas/samples/%s", source_dir(), name);
		message = read_file(path);
		decode_message(decoder, FORMAT_AUTO, message, noon_us(), write_record, &story);
		free((char *)message.data);
		free(entries[i]);
	}
	free(entries);
}

static void keep_actual(const struct buf *out)
{
	FILE *file = fopen("formats.actual", "w");

	if (file == NULL)
		return;
	fwrite(out->data, 1, out->len, file);
	fclose(file);
}

static void every_sample_is_what_it_should_be(void **state)
{
	static const char *const folders[] = { "apisix",    "kong",	  "litellm",
					       "otlp_json", "otlp_proto", "usage" };
	char path[1000];
	struct buf out;
	struct span expected;
	size_t at = 0, line = 1;

	(void)state;
	buf_init(&out, TEXT_BYTES_MAX_HERE);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		tell_folder(&out, folders[i]);
	snprintf(path, sizeof(path), "%s/schemas/samples/expected.txt", source_dir());
	expected = read_file(path);
	while (at < expected.len && at < out.len && expected.data[at] == out.data[at])
		line += out.data[at++] == '\n';
	if (at != expected.len || at != out.len) {
		keep_actual(&out);
		fail_msg("expected.txt line %zu: see formats.actual", line);
	}
	free((char *)expected.data);
	buf_release(&out);
}

static int set_up(void **state)
{
	const struct decode_limits limits = { STORY_MESSAGE_BYTES_MAX, STORY_DEPTH_MAX, 5 * US_PER_MINUTE,
					      35 * US_PER_DAY };
	struct err err;

	(void)state;
	mappings = formats_builtin(&err);
	if (mappings == NULL) {
		print_error("%s\n", err.text);
		return -1;
	}
	decoder = decoder_new(&limits);
	decoder_use(decoder, mappings);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	decoder_free(decoder);
	mappings_free(mappings);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_sample_is_what_it_should_be) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
