/* SPDX-License-Identifier: Apache-2.0
 *
 * replay: runs a fuzz target without a fuzzer, so that it never rots: over each file named, each
 * file in each folder named, and, with -m, over so many mutations of them. Mutations are a function
 * of the seed alone.
 *
 * Usage: fuzz_X [-m MUTATIONS] [-s SEED] PATH...
 */
#include "autoconf.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 4096
#define FILE_BYTES_MAX (1 << 20)
#define EDITS_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	uint8_t *data;
	size_t len;
};

static struct bytes corpus[FILES_MAX];
static size_t corpus_count;
static uint64_t random_state;

/* What syntax is made of, and what has hurt parsers. */
static const char *const tokens[] = {
	"{",
	"}",
	"[",
	"]",
	",",
	":",
	"\"",
	"\\",
	"\n",
	" ",
	"null",
	"true",
	"-",
	"0",
	"1e400",
	"9007199254740993",
	"1.5",
	"\\u0000",
	"\\ud83d",
	"\\ude80",
	"\xef\xbb\xbf",
	"\xff",
	"\xed\xa0\x80",
	"{}",
	"[[[[[[[[",
	"]]]]]]]]",
	"\"user\":",
	"\"time\":",
	"\"input_tokens\":",
	"}\n{",
	"1795435200000",
	"\"2026-11-23T12:00:00Z\"",
	"-62167219200001",
	"\"\"",
};

static void die(const char *what, const char *path)
{
	fprintf(stderr, "%s '%s'\n", what, path);
	exit(1);
}

/* splitmix64 */
static uint64_t next_random(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static size_t below(size_t limit)
{
	return limit == 0 ? 0 : (size_t)(next_random() % limit);
}

static void add_file(const char *path)
{
	struct bytes *file = &corpus[corpus_count];
	FILE *stream = fopen(path, "rb");

	if (stream == NULL)
		die("cannot open", path);
	if (corpus_count == FILES_MAX)
		die("too many files at", path);
	file->data = malloc(FILE_BYTES_MAX);
	if (file->data == NULL)
		die("no memory for", path);
	file->len = fread(file->data, 1, FILE_BYTES_MAX, stream);
	fclose(stream);
	file->data = realloc(file->data, file->len + 1);
	corpus_count++;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* In the order of their bytes, whatever the locale: mutations must not depend on it. */
static void add_folder(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, by_name);

	if (count < 0)
		die("cannot read", path);
	for (int i = 0; i < count; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			add_file(name);
		free(entries[i]);
	}
	free(entries);
}

static void add_path(const char *path)
{
	struct stat stat_of;

	if (stat(path, &stat_of) != 0)
		die("cannot find", path);
	if (S_ISDIR(stat_of.st_mode))
		add_folder(path);
	else
		add_file(path);
}

/* Puts len bytes in the place of cut ones at `at`. */
static void splice(struct bytes *text, size_t at, size_t cut, const void *data, size_t len)
{
	if (text->len - cut + len > FILE_BYTES_MAX)
		return;
	memmove(text->data + at + len, text->data + at + cut, text->len - at - cut);
	memcpy(text->data + at, data, len);
	text->len += len - cut;
}

/* Another value for some member: what keeps the syntax reaches deeper. */
static void change_value(struct bytes *text)
{
	static const char *const values[] = {
		"null",
		"true",
		"-1",
		"0",
		"1e2",
		"1.5",
		"1e400",
		"-1e400",
		"9007199254740992",
		"9007199254740993",
		"1795435200000",
		"\"\"",
		"\"ok\"",
		"\"batch\"",
		"\"\\u0000\"",
		"\"\\ud83d\"",
		"\"2026-11-23T12:00:00.5+00:00\"",
		"[]",
		"{\"user\":1}",
	};
	const char *value = values[below(sizeof(values) / sizeof(values[0]))];
	size_t from = below(text->len + 1), to;

	while (from < text->len && text->data[from] != ':')
		from++;
	if (from++ >= text->len)
		return;
	for (to = from; to < text->len && text->data[to] != ',' && text->data[to] != '}';)
		to++;
	splice(text, from, to - from, value, strlen(value));
}

static void edit(struct bytes *text)
{
	size_t at = below(text->len + 1), left = text->len - at;
	const char *token = tokens[below(sizeof(tokens) / sizeof(tokens[0]))];
	const struct bytes *other = &corpus[below(corpus_count)];
	size_t from = below(other->len);
	uint8_t byte = (uint8_t)next_random();

	switch (below(12)) {
	case 0: /* a bit */
		if (left > 0)
			text->data[at] ^= (uint8_t)(1 << below(8));
		break;
	case 1: /* a byte more */
		splice(text, at, 0, &byte, 1);
		break;
	case 2: /* some bytes less */
		splice(text, at, below(left < 16 ? left + 1 : 16), "", 0);
		break;
	case 3: /* a token more */
		splice(text, at, 0, token, strlen(token));
		break;
	case 4: /* a token instead */
		splice(text, at, left < strlen(token) ? left : strlen(token), token, strlen(token));
		break;
	case 5: /* a piece of another file */
		splice(text, at, 0, other->data + from, below(other->len - from + 1));
		break;
	default:
		change_value(text);
		break;
	}
}

static void run_mutations(uint64_t mutations)
{
	struct bytes text = { malloc(FILE_BYTES_MAX), 0 };

	if (text.data == NULL || corpus_count == 0)
		die("nothing to mutate", "");
	for (uint64_t i = 0; i < mutations; i++) {
		const struct bytes *seed = &corpus[below(corpus_count)];

		memcpy(text.data, seed->data, seed->len);
		text.len = seed->len;
		for (size_t edits = 1 + below(EDITS_MAX); edits > 0; edits--)
			edit(&text);
		LLVMFuzzerTestOneInput(text.data, text.len);
	}
	free(text.data);
}

int main(int argc, char **argv)
{
	uint64_t mutations = 0, seed = 20261123;
	int option;

	while ((option = getopt(argc, argv, "m:s:")) != -1) {
		if (option == 'm')
			mutations = strtoull(optarg, NULL, 10);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	for (int i = optind; i < argc; i++)
		add_path(argv[i]);
	for (size_t i = 0; i < corpus_count; i++)
		LLVMFuzzerTestOneInput(corpus[i].data, corpus[i].len);
	random_state = seed;
	if (mutations > 0)
		run_mutations(mutations);
	printf("%zu files, %" PRIu64 " mutations of them (seed %" PRIu64 "): all right\n",
	       corpus_count, mutations, seed);
	for (size_t i = 0; i < corpus_count; i++)
		free(corpus[i].data);
	return 0;
}
