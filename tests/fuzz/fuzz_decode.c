/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_decode: any bytes as a message. What must hold of every verdict is checked here; a violation
 * aborts. Runs under libFuzzer, under AFL++, and in `make check` by replay.c.
 */
#include "autoconf.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "decode_scan.h"
#include "formats.h"
#include "period.h"

/* Small, so that the fuzzer reaches both. */
#define MESSAGE_BYTES_MAX (1 << 20)
#define DEPTH_MAX 32
#define COUNT_MAX (INT64_C(1) << 53)
#define NOW_US (INT64_C(1795435200) * US_PER_SECOND)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct span message;
	int32_t records;
	uint64_t digest; /* of all that was told, to compare two runs */
};

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void mix(struct seen *seen, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		seen->digest = (seen->digest ^ bytes[i]) * UINT64_C(1099511628211);
}

static bool is_utf8(struct span text)
{
	/* As a string of JSON, with what must be escaped there blanked out. */
	char *quoted = malloc(text.len + 2);
	struct scan scan;
	bool ok;

	MUST(quoted != NULL);
	quoted[0] = quoted[text.len + 1] = '"';
	for (size_t i = 0; i < text.len; i++)
		quoted[i + 1] =
		    (uint8_t)text.data[i] < 0x20 || text.data[i] == '"' || text.data[i] == '\\'
			? ' '
			: text.data[i];
	ok = scan_document((struct span){ quoted, text.len + 2 }, 1, &scan);
	free(quoted);
	return ok;
}

static void check_text(struct seen *seen, struct span text, size_t len_min)
{
	MUST(text.len >= len_min && text.len <= 256);
	if (text.len == 0)
		return;
	MUST(memchr(text.data, '\0', text.len) == NULL);
	MUST(is_utf8(text));
	mix(seen, text.data, text.len);
}

static void check_measures(const int64_t *m)
{
	for (int i = 0; i < MEASURES; i++)
		MUST(m[i] >= 0 && m[i] <= COUNT_MAX);
	MUST(m[M_CALLS] == 1);
	MUST(m[M_ERRORS] <= 1 && m[M_UNPRICED_CALLS] <= 1 && m[M_ZERO_OUTPUT_CALLS] <= 1);
	MUST(m[M_CACHE_WRITE_1H_TOKENS] <= m[M_CACHE_WRITE_TOKENS]);
	MUST(m[M_REASONING_TOKENS] <= m[M_OUTPUT_TOKENS]);
	MUST(m[M_INPUT_TOKENS] + m[M_CACHE_READ_TOKENS] + m[M_CACHE_WRITE_TOKENS] +
		 m[M_OUTPUT_TOKENS] <=
	     COUNT_MAX);
	MUST(m[M_COST_NANO] <= INT64_C(1000000000000000));
	MUST(m[M_UNPRICED_CALLS] == 0 || m[M_COST_NANO] == 0);
	MUST(m[M_DURATION_MS_SUM] == m[M_DURATION_MS_MAX] && m[M_DURATION_MS_MAX] <= 1000000000);
}

static void check_event(struct seen *seen, const struct event *event)
{
	check_text(seen, event->user, 1);
	check_text(seen, event->model, 1);
	check_text(seen, event->provider, 0);
	check_text(seen, event->team, 0);
	check_text(seen, event->app, 0);
	check_text(seen, event->session, 0);
	MUST(is_utf8(event->event_id)); /* of a mapping it may be longer: it is only hashed */
	mix(seen, event->event_id.data, event->event_id.len);
	check_measures(event->measures);
	mix(seen, event->measures, sizeof(event->measures));
	MUST(event->time_us >= NOW_US - 35 * US_PER_DAY &&
	     event->time_us <= NOW_US + 5 * US_PER_MINUTE);
	MUST(event->price_class >= 0 && event->price_class < 32);
	MUST((event->price_class >= PRICE_CLASS_COMPUTED) ==
	     (event->measures[M_UNPRICED_CALLS] == 1));
	MUST(event->duration_class >= LATENCY_CLASS_NONE &&
	     event->duration_class <= LATENCY_CLASS_ABOVE);
	MUST(event->ttft_class >= LATENCY_CLASS_NONE && event->ttft_class <= LATENCY_CLASS_ABOVE);
}

static void check_dead(struct seen *seen, const struct record *record)
{
	size_t len = strnlen(record->detail, sizeof(record->detail));

	MUST(record->reason < DEAD_REASONS);
	MUST(len > 0 && len < sizeof(record->detail));
	for (size_t i = 0; i < len; i++)
		MUST(record->detail[i] >= ' ' && record->detail[i] <= '~');
	mix(seen, record->detail, len);
	MUST(record->raw.len <= seen->message.len);
	if (record->raw.len > 0)
		MUST(record->raw.data >= seen->message.data &&
		     record->raw.data + record->raw.len <= seen->message.data + seen->message.len);
}

static void check_record(void *ctx, const struct record *record)
{
	struct seen *seen = ctx;

	MUST(record->index == seen->records);
	seen->records++;
	if (record->kind == RECORD_EVENT) {
		check_event(seen, &record->event);
	} else if (record->kind == RECORD_DEAD) {
		check_dead(seen, record);
	} else {
		MUST(record->kind == RECORD_SKIPPED && record->why != NULL && *record->why);
		mix(seen, record->why, strlen(record->why));
	}
}

/* Reads the message by one format, twice: nothing may stay of the first time. */
static void check_format(struct decoder *decoder, enum format format, struct span message)
{
	struct seen first = { .message = message }, again = first;

	decode_message(decoder, format, message, NOW_US, check_record, &first);
	decode_message(decoder, format, message, NOW_US, check_record, &again);
	MUST(first.records > 0);
	MUST(first.records == again.records && first.digest == again.digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct decoder *decoder;
	static struct mappings *mappings;
	static const char *const mapped[] = { "litellm", "kong", "apisix", "usage" }; /* the others are told by auto */
	const struct decode_limits limits = { MESSAGE_BYTES_MAX, DEPTH_MAX, 5 * US_PER_MINUTE,
					      35 * US_PER_DAY };
	char *copy = malloc(size); /* of exactly its size: a read beyond it is seen */
	struct span message = { copy, size };
	enum format format;
	struct err err;

	MUST(copy != NULL || size == 0);
	if (size > 0)
		memcpy(copy, data, size);
	if (decoder == NULL) {
		decoder = decoder_new(&limits);
		mappings = formats_builtin(&err);
		MUST(mappings != NULL);
		decoder_use(decoder, mappings);
	}
	check_format(decoder, FORMAT_NATIVE, message);
	check_format(decoder, FORMAT_AUTO, message);
	check_format(decoder, FORMAT_OTLP_JSON, message);
	check_format(decoder, FORMAT_OTLP_PROTO, message);
	for (size_t i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++) {
		MUST(mappings_format(mappings, span_of(mapped[i]), &format));
		check_format(decoder, format, message);
	}
	MUST(decoder_bytes(decoder) <= 3 << 20);
	free(copy);
	return 0;
}
