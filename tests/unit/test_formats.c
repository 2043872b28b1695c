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
#include "faults.h"
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

/* A fenced block of docs/FORMATS.md. */
struct block {
	char info[60];
	struct span text, after; /* what stands in it, and the line after it */
};

/* Takes the next block off *rest. */
static bool next_block(struct span *rest, struct block *block)
{
	const char *at = memmem(rest->data, rest->len, "\n```", 4), *end, *newline;
	size_t left;

	if (at == NULL)
		return false;
	at += 4;
	left = rest->len - (size_t)(at - rest->data);
	newline = memchr(at, '\n', left);
	assert_non_null(newline);
	snprintf(block->info, sizeof(block->info), "%.*s", (int)(newline - at), at);
	end = memmem(newline, left - (size_t)(newline - at), "\n```", 4);
	assert_non_null(end);
	block->text = (struct span){ newline + 1, (size_t)(end - newline) };
	*rest = (struct span){ end + 4, rest->len - (size_t)(end + 4 - rest->data) };
	block->after = span_trim((struct span){ rest->data + 1, strcspn(rest->data + 1, "\n") });
	return true;
}

static struct span read_document(void)
{
	char path[1000];
	struct span text;

	snprintf(path, sizeof(path), "%s/docs/FORMATS.md", source_dir());
	text = read_file(path);
	text.data = realloc((char *)text.data, text.len + 1);
	((char *)text.data)[text.len] = '\0';
	return text;
}

/* The words in backquotes, in their order, each somewhere behind the one before. */
static void check_words(struct span after, const char *story)
{
	const char *from = story;
	struct span words = after;

	assert_true(after.len > 12 && memcmp(after.data, "Counts as: `", 12) == 0);
	words.data += 12;
	words.len -= 13;
	while (words.len > 0) {
		const char *blank = memchr(words.data, ' ', words.len);
		size_t len = blank == NULL ? words.len : (size_t)(blank - words.data);
		char word[120];

		snprintf(word, sizeof(word), " %.*s", (int)len, words.data);
		from = strstr(from, word);
		if (from == NULL || (from[len + 1] != ' ' && from[len + 1] != '\n'))
			fail_msg("no '%s' in: %s", word, story);
		len += blank != NULL;
		words = (struct span){ words.data + len, words.len - len };
	}
}

static void the_document_tells_the_truth(void **state)
{
	const struct decode_limits limits = { STORY_MESSAGE_BYTES_MAX, STORY_DEPTH_MAX, 5 * US_PER_MINUTE,
					      35 * US_PER_DAY };
	struct span document = read_document(), rest = document;
	struct err err = { 0 };
	struct mappings *all = formats_builtin(&err);
	struct decoder *reader = decoder_new(&limits);
	int mapped = 0, records = 0;
	struct block block;

	(void)state;
	while (next_block(&rest, &block))
		if (strncmp(block.info, "json mapping ", 13) == 0 && ++mapped &&
		    !mappings_add(all, span_of(block.info + 13), ORIGIN_MAPPING, block.text, &err))
			fail_msg("%s", err.text);
	decoder_use(reader, all);
	rest = document;
	while (next_block(&rest, &block)) {
		struct story story;
		struct buf out;

		if (strncmp(block.info, "json record", 11) != 0)
			continue;
		records++;
		buf_init(&out, TEXT_BYTES_MAX_HERE);
		story = (struct story){ &out, block.info };
		/* Line ends inside a record are only for the page's width. */
		for (size_t i = 0; i + 1 < block.text.len; i++)
			if (block.text.data[i] == '\n' && block.text.data[i + 1] == ' ')
				((char *)block.text.data)[i] = ' ';
		decode_message(reader, FORMAT_AUTO, block.text, noon_us(), write_record, &story);
		check_words(block.after, out.data);
		buf_release(&out);
	}
	assert_int_equal(mapped, 2);
	assert_int_equal(records, 10);
	decoder_free(reader);
	mappings_free(all);
	free((char *)document.data);
}

/* tokentally.conf as the document has it, with what it leaves out. */
static void the_configurations_of_the_document_are_right(void **state)
{
	static char group[] = "kafka.group.id=g", broker[] = "kafka.bootstrap.servers=b:1",
		    names[] = "privacy.names=named";
	char *overrides[] = { group, broker, names };
	struct span document = read_document(), rest = document;
	struct block block;
	int count = 0;

	(void)state;
	while (next_block(&rest, &block)) {
		FILE *file;
		struct options *options;
		struct faults faults;

		if (strcmp(block.info, "ini") != 0)
			continue;
		count++;
		file = fopen("formats.conf", "w");
		assert_non_null(file);
		fwrite(block.text.data, 1, block.text.len, file);
		fclose(file);
		faults_init(&faults);
		options = options_load("formats.conf", overrides, 3, &faults);
		if (options == NULL)
			fail_msg("%s", faults.count > 0 ? faults.texts[0] : "no options");
		for (size_t i = 0; i < options->topic_count; i++) {
			const char *name = options->kafka_topics[i].format;
			enum format format;

			assert_true(name == NULL || strcmp(name, "acme") == 0 ||
				    mappings_format(mappings, span_of(name), &format));
		}
		options_free(options);
		faults_release(&faults);
	}
	remove("formats.conf");
	assert_int_equal(count, 6);
	free((char *)document.data);
}

struct fault_case {
	const char *json, *text;
};

#define REST ",\"fields\":{\"time\":{\"path\":\"/t\",\"unit\":\"s\"},\"user\":\"/u\",\"model\":\"/m\"}}"
#define HEAD "{\"detect\":{\"path\":\"/a\",\"present\":true}"

static void faults_name_the_file_and_the_place(void **state)
{
	static const struct fault_case cases[] = {
		{ "", "x: line 1: ends too early" },
		{ "{\n\n1}", "x: line 3: no key" },
		{ "[]", "x: is not an object" },
		{ "{}", "x: /: has no detect: by what is a record known?" },
		{ "{\"detekt\":1}", "x: /: has no key 'detekt'; nearest: detect" },
		{ HEAD ",\"detect\":1" REST, "x: /: the key 'detect' stands twice" },
		{ HEAD "}", "x: /: says nothing of the field time" },
		{ HEAD ",\"shape\":\"spam\"" REST, "x: /shape: is none of record span log" },
		{ "{\"detect\":{\"path\":\"a\",\"present\":true}" REST,
		  "x: /detect/path: is no JSON pointer: it does not start with /" },
		{ "{\"detect\":[{\"path\":\"/a\"}]" REST, "x: /detect/0: needs a path and one test of it" },
		{ "{\"detect\":[{\"path\":\"/a\",\"is\":\"b\"}]" REST,
		  "x: /detect/0/is: is not a list of words" },
		{ HEAD ",\"fields\":{\"usr\":\"/u\"}}", "x: /fields: has no key 'usr'; nearest: user" },
		{ HEAD ",\"fields\":{\"time\":\"/t\"}}",
		  "x: /fields/time: needs a unit: {\"path\": ..., \"unit\": ...}" },
		{ HEAD ",\"fields\":{\"time\":[{\"path\":\"/t\",\"unit\":\"h\"}]}}",
		  "x: /fields/time/0/unit: is none of s ms us ns iso8601" },
		{ HEAD ",\"fields\":{\"user\":{\"sum\":[\"/t\"]}}}",
		  "x: /fields/user: join is for texts, sum for counts, from and to for durations" },
		{ HEAD ",\"fields\":{\"user\":\"^/t\"}}",
		  "x: /fields/user: starts with ^, but there is no /records" },
		{ HEAD ",\"fields\":{\"input_tokens\":{\"path\":\"/t\",\"unit\":\"s\"}}}",
		  "x: /fields/input_tokens/unit: this field has no unit" },
		{ HEAD ",\"tokens\":{\"cache\":\"in\"}" REST,
		  "x: /tokens/cache: is none of unreported inside outside" },
		{ HEAD ",\"defaults\":{\"status\":\"bad\"}" REST, "x: /defaults/status: is none of ok error" },
		{ HEAD ",\"defaults\":{\"time\":\"bad\"}" REST,
		  "x: /defaults/time: this field can have no default" },
		{ HEAD ",\"skip\":[{\"why\":\"w\"}]" REST, "x: /skip/0: needs why and if" },
		{ HEAD ",\"variants\":[{}]" REST, "x: /variants/0: has no name" },
		{ HEAD ",\"shape\":\"log\"" REST,
		  "x: /detect/path: is none of attributes resource scope time observed_time body event_name "
		  "trace_id span_id" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mappings *set = mappings_new();
		struct err err = { 0 };

		if (mappings_add(set, SPAN("x"), ORIGIN_MAPPING, span_of(cases[i].json), &err))
			fail_msg("no fault: %s", cases[i].json);
		if (strcmp(err.text, cases[i].text) != 0)
			fail_msg("%s\n is       '%s'\n expected '%s'", cases[i].json, err.text, cases[i].text);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_int_equal(set->count, 0);
		mappings_free(set);
	}
}

/* A sample of schemas/samples under a fixed format: the first line of its story. */
static void check_fixed(const char *format_name, const char *sample, const char *expected)
{
	char path[1000];
	struct story story = { .name = "x" };
	struct span message;
	enum format format;
	struct buf out;

	assert_true(mappings_format(mappings, span_of(format_name), &format));
	snprintf(path, sizeof(path), "%s/schemas/samples/%s", source_dir(), sample);
	message = read_file(path);
	buf_init(&out, TEXT_BYTES_MAX_HERE);
	story.out = &out;
	decode_message(decoder, format, message, noon_us(), write_record, &story);
	if (strncmp(out.data, expected, strlen(expected)) != 0)
		fail_msg("%s as %s: %s", sample, format_name, out.data);
	buf_release(&out);
	free((char *)message.data);
}

static void a_fixed_format_is_the_only_one(void **state)
{
	(void)state;
	check_fixed("litellm", "litellm/object.json", "x 0 litellm: 2026");
	check_fixed("litellm", "otlp_json/genai-span.json", "x 0 litellm: dead: missing_field");
	check_fixed("native", "litellm/object.json", "x 0 native: dead: missing_field");
	check_fixed("otlp_json", "otlp_json/genai-span.json", "x 0 otlp_json: 2026");
	check_fixed("otlp_json", "otlp_proto/genai-span.bin", "x 0 unknown: dead: not_");
	check_fixed("otlp_proto", "otlp_proto/genai-span.bin", "x 0 otlp_proto: 2026");
	check_fixed("otlp_proto", "otlp_json/genai-span.json", "x 0 unknown: dead: unknown_format");
	check_fixed("otlp_json", "native/minimal.json", "x 0 unknown: dead: unknown_format");
	check_fixed("claude_code", "otlp_json/claude-code.json", "x 0 otlp_json: 2026");
	check_fixed("claude_code", "otlp_proto/claude-code.bin", "x 0 otlp_proto: 2026");
	check_fixed("claude_code", "otlp_json/codex.json", "x 0 otlp_json: skipped");
	check_fixed("usage", "native/minimal.json", "x 0 unknown: dead: unknown_format");
	check_fixed("kong", "kong/two-plugins.json", "x 0 kong: 2026");
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sample_is_what_it_should_be),
		cmocka_unit_test(a_fixed_format_is_the_only_one),
		cmocka_unit_test(the_document_tells_the_truth),
		cmocka_unit_test(the_configurations_of_the_document_are_right),
		cmocka_unit_test(faults_name_the_file_and_the_place),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
