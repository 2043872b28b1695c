/* SPDX-License-Identifier: Apache-2.0
 *
 * period: UTC calendar arithmetic on microseconds since 1970. No localtime, no TZ, no leap seconds
 * (":60" is taken as the following second, as PostgreSQL does).
 */
#ifndef TOKENTALLY_PERIOD_H
#define TOKENTALLY_PERIOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define US_PER_MS INT64_C(1000)
#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_SLOT (30 * US_PER_MINUTE) /* a session slot, see sql/README.md */
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)
/* PostgreSQL counts timestamps from 2000-01-01 UTC. */
#define US_PG_EPOCH INT64_C(946684800000000)

/* Start of the period of `step_us` that t_us lies in; right for times before 1970 too. */
int64_t period_floor(int64_t t_us, int64_t step_us);

/* RFC 3339 (section 5.6): date-time with 'T' or 't' or a blank, seconds, optional fraction, and 'Z' or
 * an offset, which is required. Fractions beyond microseconds are cut. Years 0000 to 9999. */
bool period_parse_rfc3339(struct span s, int64_t *out_us);

/* "2026-11-23T10:00:00Z", with ".123456" when there is a fraction. out needs 32 bytes. */
void period_format(int64_t t_us, char *out, size_t cap);

int64_t now_wall_us(void);      /* CLOCK_REALTIME */
int64_t now_monotonic_ms(void); /* CLOCK_MONOTONIC: for every timer and deadline */

#endif
