/* SPDX-License-Identifier: Apache-2.0
 *
 * event: one model call as `decode` understood it, and the words all modules share for it: measures,
 * price class, latency class, why a record is dead. Plain data; spans point into memory of the decoder
 * and live until its next message.
 */
#ifndef TOKENTALLY_EVENT_H
#define TOKENTALLY_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/* The measures of a rollup row, in the order of the columns of every rollup table and *_delta type. All
 * are sums except the last, which is a maximum. Session rows hold the first MEASURES_SESSION. */
enum measure {
	M_CALLS,
	M_ERRORS,
	M_INPUT_TOKENS, /* uncached only: disjoint from the cache counters */
	M_CACHE_READ_TOKENS,
	M_CACHE_WRITE_TOKENS,
	M_CACHE_WRITE_1H_TOKENS, /* part of M_CACHE_WRITE_TOKENS */
	M_OUTPUT_TOKENS,         /* reasoning included */
	M_REASONING_TOKENS,      /* part of M_OUTPUT_TOKENS */
	M_COST_NANO,             /* 1e-9 USD */
	M_UNPRICED_CALLS,
	M_ZERO_OUTPUT_CALLS,  /* ok, no output, not an embedding */
	M_CACHE_KNOWN_TOKENS, /* input side of calls whose sender reports cache */
	M_DURATION_MS_SUM,
	M_DURATION_MS_MAX,
	MEASURES
};
#define MEASURES_SESSION M_DURATION_MS_SUM

enum event_status { STATUS_OK, STATUS_ERROR };
enum service_tier { TIER_STANDARD, TIER_BATCH, TIER_FLEX, TIER_PRIORITY };

/* price_class = computed * 16 + prompt size * 4 + service tier: what a price depends on beside the model,
 * so that cost can be computed again from sums (docs/ARCHITECTURE.md, "Price class"). */
#define PRICE_CLASS_COMPUTED 16 /* cost was not reported by the sender */
enum prompt_size { PROMPT_128K, PROMPT_200K, PROMPT_272K, PROMPT_MORE }; /* <= 128,000 / 200,000 / 272,000 / more */
int16_t price_class_of(bool cost_reported, int64_t prompt_tokens, enum service_tier tier);

/* Latency classes: class 0 is <= 1 ms; class k is (1.05^(k-1), 1.05^k] ms up to the first bound >= 1 h; the
 * last, LATENCY_CLASS_ABOVE, is everything longer. SQL has the same bounds: power(1.05, class). */
#define LATENCY_CLASS_NONE (-1) /* not sent */
#define LATENCY_CLASS_ABOVE 311
int16_t latency_class_of(double ms); /* 0 <= ms */
double latency_class_le_ms(int16_t latency_class);

struct event {
	int64_t time_us; /* since 1970, UTC */
	struct span user, model, provider, team, app, session;
	struct span event_id; /* empty: no dedupe */
	int64_t measures[MEASURES];
	int16_t price_class;
	int16_t duration_class, ttft_class; /* LATENCY_CLASS_NONE when not sent */
};

/* Why a record is a dead letter; names are the contract's. */
enum dead_reason {
	DEAD_NOT_JSON,
	DEAD_NOT_UTF8,
	DEAD_NUL_BYTE,
	DEAD_TOO_DEEP,
	DEAD_TOO_LARGE,
	DEAD_MISSING_FIELD,
	DEAD_BAD_TYPE,
	DEAD_OUT_OF_RANGE,
	DEAD_BAD_TIME,
	DEAD_TOO_OLD,
	DEAD_IN_FUTURE,
	DEAD_UNKNOWN_FORMAT,
	DEAD_EMPTY,
	DEAD_REASONS
};
const char *dead_reason_name(enum dead_reason reason); /* "not_json" ... */

/* Where a record came from, as far as metrics tell it. */
enum record_origin {
	ORIGIN_UNKNOWN,
	ORIGIN_NATIVE,
	ORIGIN_OTLP_JSON,
	ORIGIN_OTLP_PROTO,
	ORIGIN_LITELLM,
	ORIGIN_KONG,
	ORIGIN_APISIX,
	ORIGIN_USAGE,   /* a provider's own counters in somebody's envelope */
	ORIGIN_MAPPING, /* a mapping that did not come with the program */
	RECORD_ORIGINS
};
const char *record_origin_name(enum record_origin origin); /* "native" ... */

/* What did not add up in a record and was mended, as bits 1 << n of record->suspects. */
enum suspect {
	SUSPECT_CACHED_ABOVE_INPUT,     /* cached tokens are part of the input, and more than it: cut */
	SUSPECT_CACHE_OUTSIDE,          /* provider or total say: the cached tokens come on top of the input */
	SUSPECT_REASONING_ABOVE_OUTPUT, /* cut */
	SUSPECT_REASONING_OUTSIDE,      /* the total says: reasoning comes on top of the output */
	SUSPECT_REASONING_INSIDE,       /* the total says: reasoning is part of the output already */
	SUSPECT_CACHE_PART,             /* long-lived cache writes above all cache writes: cut */
	SUSPECT_TOTAL,                  /* the total fits no reading of its parts */
	SUSPECTS
};
const char *suspect_name(enum suspect suspect); /* "cached_above_input" ... */

#endif
