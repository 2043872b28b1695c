/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_call: see decode_call.h. Sums are money here, so the one place where a double becomes an
 * integer of another scale does it in integers.
 */
#include "autoconf.h"

#include "decode_call.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#define NANO_PER_USD 1000000000u
#define MANTISSA_BITS 53
#define TOKENS_MAX (INT64_C(1) << 53)

const char *const status_words[] = { "ok", "error", NULL };
const char *const tier_words[] = { "standard", "batch", "flex", "priority", NULL };

const struct call call_empty = {
	.status = STATUS_OK,
	.tier = TIER_STANDARD,
	.cost_usd = CALL_NOT_SENT,
	.duration_ms = CALL_NOT_SENT,
	.ttft_ms = CALL_NOT_SENT,
};

bool record_dead(struct record *record, enum dead_reason reason, const char *fmt, ...)
{
	va_list args;

	record->kind = RECORD_DEAD;
	record->reason = reason;
	va_start(args, fmt);
	vsnprintf(record->detail, sizeof(record->detail), fmt, args);
	va_end(args);
	return false;
}

/* usd = mantissa * 2^exponent, with 53 bits of mantissa: the product with 10^9 has 83 bits, so
 * nothing is lost before the one rounding. A product of doubles would round twice. */
int64_t call_cost_nano(double usd)
{
	int exponent;
	uint64_t mantissa = (uint64_t)ldexp(frexp(usd, &exponent), MANTISSA_BITS);
	unsigned __int128 product = (unsigned __int128)mantissa * NANO_PER_USD, rest, half;
	int shift = MANTISSA_BITS - exponent;
	uint64_t nano;

	if (shift > 100)
		return 0; /* below 2^-17 nano-dollars */
	nano = (uint64_t)(product >> shift);
	half = (unsigned __int128)1 << (shift - 1);
	rest = product & ((half << 1) - 1);
	nano += rest > half || (rest == half && (nano & 1) == 1);
	return (int64_t)nano;
}

/* No output is nothing strange from a model that embeds; the name is all there is to tell it by. */
static bool is_embedding(struct span model)
{
	static const struct span word = { "embed", 5 };

	for (size_t i = 0; i + word.len <= model.len; i++)
		if (strncasecmp(model.data + i, word.data, word.len) == 0)
			return true;
	return false;
}

static bool check_tokens(const struct call *call, struct record *record)
{
	if (call->cache_write_1h > call->cache_write)
		return record_dead(record, DEAD_OUT_OF_RANGE,
				   "cache_write_1h_tokens is above cache_write_tokens");
	if (call->reasoning > call->output)
		return record_dead(record, DEAD_OUT_OF_RANGE,
				   "reasoning_tokens is above output_tokens");
	if (call->input + call->cache_read + call->cache_write + call->output > TOKENS_MAX)
		return record_dead(record, DEAD_OUT_OF_RANGE, "total_tokens is above 2^53");
	return true;
}

static void fill_measures(const struct call *call, int64_t *measures)
{
	bool priced = call->cost_usd >= 0;
	/* The default rounding mode is half to even. */
	int64_t duration_ms = call->duration_ms >= 0 ? llrint(call->duration_ms) : 0;

	measures[M_CALLS] = 1;
	measures[M_ERRORS] = call->status == STATUS_ERROR;
	measures[M_INPUT_TOKENS] = call->input;
	measures[M_CACHE_READ_TOKENS] = call->cache_read;
	measures[M_CACHE_WRITE_TOKENS] = call->cache_write;
	measures[M_CACHE_WRITE_1H_TOKENS] = call->cache_write_1h;
	measures[M_OUTPUT_TOKENS] = call->output;
	measures[M_REASONING_TOKENS] = call->reasoning;
	measures[M_COST_NANO] = priced ? call_cost_nano(call->cost_usd) : 0;
	measures[M_UNPRICED_CALLS] = !priced;
	measures[M_ZERO_OUTPUT_CALLS] =
	    call->status == STATUS_OK && call->output == 0 && !is_embedding(call->model);
	measures[M_CACHE_KNOWN_TOKENS] =
	    call->cache_known ? call->input + call->cache_read + call->cache_write : 0;
	measures[M_DURATION_MS_SUM] = duration_ms;
	measures[M_DURATION_MS_MAX] = duration_ms;
}

static int16_t class_of(double ms)
{
	return ms >= 0 ? latency_class_of(ms) : LATENCY_CLASS_NONE;
}

bool call_to_event(const struct call *call, struct record *record)
{
	struct event *event = &record->event;

	if (!check_tokens(call, record))
		return false;
	event->time_us = call->time_us;
	event->user = call->user;
	event->model = call->model;
	event->provider = call->provider;
	event->team = call->team;
	event->app = call->app;
	event->session = call->session;
	event->event_id = call->event_id;
	fill_measures(call, event->measures);
	event->price_class =
	    price_class_of(call->cost_usd >= 0, call->input + call->cache_read + call->cache_write,
			   (enum service_tier)call->tier);
	event->duration_class = class_of(call->duration_ms);
	event->ttft_class = class_of(call->ttft_ms);
	return true;
}
