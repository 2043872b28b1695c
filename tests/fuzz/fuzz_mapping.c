/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_mapping: any bytes as a mapping file. One with a fault changes nothing and says where the fault is; one without
 * reads records of every shape without breaking what holds of every event.
 */
#include "autoconf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "mapping.h"
#include "period.h"

#define NOW_US (INT64_C(1795435200) * US_PER_SECOND)
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Something for many a path that mappings have. */
static const char *const records[] = {
	"{\"started_at\":1795421453120,\"service\":{},\"ai\":{\"proxy\":{\"meta\":{\"response_model\":\"m\"},\"usage\":{\"prompt_"
	"tokens\":5,\"prompt_tokens_details\":{\"cached_tokens\":9},\"completion_tokens\":\"7\",\"total_tokens\":12}},\"b\":[]}}",
	"{\"startTime\":1795421446.8,\"endTime\":\"2026-11-23 08:10:53\",\"custom_llm_provider\":\"anthropic\",\"model\":\"claude\","
	"\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":9007199254740992,\"response_cost\":1e-9,\"end_user\":\"A@B\","
	"\"metadata\":{\"usage_object\":{\"cache_read_input_tokens\":3}},\"stream\":true,\"id\":\"x\"}",
	"{\"start_time\":1795421446848,\"llm_summary\":{\"model\":\"m\",\"prompt_tokens\":\"-\",\"completion_tokens\":1e2}}",
	"{\"time\":1795421446848,\"user\":{\"id\":7},\"model\":\"m\",\"usage\":{\"inputTokens\":1,\"cacheDetails\":[{\"ttl\":\"1h\","
	"\"inputTokens\":2}]},\"details\":{\"generated_tokens\":1},\"eval_count\":2,\"total_duration\":1e12}",
	"{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"s\"}}]},"
	"\"scopeSpans\":[{\"spans\":[{\"endTimeUnixNano\":\"1795421453120114000\",\"startTimeUnixNano\":1,\"attributes\":[{\"key\":"
	"\"gen_ai.operation.name\",\"value\":{\"stringValue\":\"chat\"}},{\"key\":\"gen_ai.request.model\",\"value\":{\"stringValue\":"
	"\"m\"}},{\"key\":\"gen_ai.usage.input_tokens\",\"value\":{\"intValue\":\"5\"}}]}]}]}]}",
	"{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"1795421453120114000\",\"attributes\":[{\"key\":"
	"\"event.name\",\"value\":{\"stringValue\":\"api_request\"}},{\"key\":\"model\",\"value\":{\"stringValue\":\"m\"}},{\"key\":"
	"\"user.id\",\"value\":{\"intValue\":1}}]}]}]}]}",
};

static void check_record(void *ctx, const struct record *record)
{
	const int64_t *m = record->event.measures;

	MUST(record->index == (*(int32_t *)ctx)++);
	if (record->kind == RECORD_DEAD)
		for (const char *at = record->detail; *at != '\0'; at++)
			MUST(*at >= ' ' && *at <= '~');
	if (record->kind != RECORD_EVENT)
		return;
	for (int i = 0; i < MEASURES; i++)
		MUST(m[i] >= 0 && m[i] <= INT64_C(1) << 53);
	MUST(m[M_CACHE_WRITE_1H_TOKENS] <= m[M_CACHE_WRITE_TOKENS]);
	MUST(m[M_REASONING_TOKENS] <= m[M_OUTPUT_TOKENS]);
	MUST(record->event.user.len > 0 && record->event.user.len <= 256);
	MUST(record->event.model.len > 0 && record->event.model.len <= 256);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct decode_limits limits = { 1 << 20, 32, 5 * US_PER_MINUTE, 35 * US_PER_DAY };
	struct mappings *mappings = mappings_new();
	struct err err = { 0 };
	char *copy = malloc(size > 0 ? size : 1); /* of its size: a read beyond it is seen */

	MUST(copy != NULL);
	memcpy(copy, data, size);
	if (!mappings_add(mappings, SPAN("fuzz"), ORIGIN_MAPPING, (struct span){ copy, size }, &err)) {
		MUST(err.kind == ERR_CONFIG && strncmp(err.text, "fuzz: ", 6) == 0);
		MUST(mappings->count == 0);
	} else {
		struct decoder *decoder = decoder_new(&limits);

		decoder_use(decoder, mappings);
		for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
			for (int fixed = 0; fixed < 2; fixed++) {
				int32_t told = 0;

				decode_message(decoder, fixed ? FORMAT_MAPPING : FORMAT_AUTO, span_of(records[i]),
					       NOW_US, check_record, &told);
				MUST(told > 0);
			}
		}
		decoder_free(decoder);
	}
	free(copy);
	mappings_free(mappings);
	return 0;
}
