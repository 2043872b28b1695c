/* SPDX-License-Identifier: Apache-2.0
 *
 * verdicts: what the decoder makes of messages, for a judge in another language. Reads messages from standard input,
 * each after its length in decimal and a line feed; prints a line for each: "event", or the dead letter's reason and
 * detail. Format native, the clock at 2026-11-23T12:00:00Z, ages of 10,000 years allowed. With --mappings they are mapping
 * files: "mapping", or the fault.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "mapping.h"
#include "period.h"

#define NOW_US (INT64_C(1795435200) * US_PER_SECOND)
#define AGE_US (INT64_C(10000) * 366 * US_PER_DAY)

static void print_record(void *ctx, const struct record *record)
{
	(void)ctx;
	if (record->index > 0)
		printf("; ");
	if (record->kind == RECORD_EVENT)
		printf("event");
	else
		printf("%s %s", dead_reason_name(record->reason), record->detail);
}

static void print_mapping(struct span json)
{
	struct mappings *mappings = mappings_new();
	struct err err;

	puts(mappings_add(mappings, SPAN("x"), ORIGIN_MAPPING, json, &err) ? "mapping" : err.text);
	mappings_free(mappings);
}

int main(int argc, char *argv[])
{
	const struct decode_limits limits = { 1 << 20, 32, AGE_US, AGE_US };
	struct decoder *decoder = decoder_new(&limits);
	char line[32];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		size_t len = strtoul(line, NULL, 10);
		char *message = malloc(len > 0 ? len : 1);

		if (message == NULL || fread(message, 1, len, stdin) != len)
			return 1;
		if (argc > 1 && !strcmp(argv[1], "--mappings")) {
			print_mapping((struct span){ message, len });
		} else {
			decode_message(decoder, FORMAT_NATIVE, (struct span){ message, len }, NOW_US, print_record, NULL);
			putchar('\n');
		}
		free(message);
	}
	decoder_free(decoder);
	return 0;
}
