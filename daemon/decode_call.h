/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_call: one model call in the words of the canonical event, as a format's reader leaves it,
 * and the rules that hold for every format: parts are not above their wholes, exact nano-dollars,
 * derived measures. Part of `decode`; knows nothing of JSON.
 */
#ifndef TOKENTALLY_DECODE_CALL_H
#define TOKENTALLY_DECODE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode.h"
#include "err.h"
#include "event.h"
#include "text.h"

/* Makes the record a dead letter; returns false. No value of the payload may go into the text. */
bool record_dead(struct record *record, enum dead_reason reason, const char *fmt, ...)
    ATTR_PRINTF(3, 4);

struct call {
	int64_t time_us;
	struct span user, model, event_id, team, app, session, provider;
	int status; /* enum event_status */
	int tier;   /* enum service_tier */
	int64_t input, cache_read, cache_write, cache_write_1h, output,
	    reasoning; /* tokens: 0 to 2^53 each */
	bool
	    cache_known; /* the sender reports its cache: no cache counter means 0, not "unknown" */
	double cost_usd, duration_ms, ttft_ms; /* CALL_NOT_SENT, or 0 and above */
};
#define CALL_NOT_SENT (-1.0)
#define NATIVE_FIELDS 19 /* of the canonical event */
#define COST_USD_MAX 1e6
#define MS_MAX 1e9
extern const char *const status_words[]; /* NULL-terminated, by enum event_status */
extern const char *const tier_words[];	 /* by enum service_tier */

/* offsetof(struct call, member), but only if the member has this type: otherwise an array has size
 * -1. */
#define CALL_AT(member, type)                                                                      \
	(offsetof(struct call, member) +                                                           \
	 0 * sizeof(char[_Generic(&((struct call *)0)->member, type * : 1, default                 \
				  : -1)]))

extern const struct call call_empty; /* what holds for a call that says nothing */

/* Fills record->event, or makes the record a dead letter and returns false. */
bool call_to_event(const struct call *call, struct record *record);

/* usd * 10^9, exactly, rounded half to even. 0 <= usd <= 1,000,000. */
int64_t call_cost_nano(double usd);

#endif
