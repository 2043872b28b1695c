/* SPDX-License-Identifier: Apache-2.0
 *
 * seed: random numbers for property tests. Each run has another seed and prints it;
 * TOKENTALLY_SEED=N runs that one again.
 */
#ifndef TOKENTALLY_TESTS_SEED_H
#define TOKENTALLY_TESTS_SEED_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t seed_state;

/* splitmix64 */
static inline uint64_t seed_next(void)
{
	uint64_t z = (seed_state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* 0 to below - 1 */
static inline int64_t seed_below(int64_t below)
{
	return (int64_t)(seed_next() % (uint64_t)below);
}

/* At the start of each property test. Standard output belongs to TAP. */
static inline void seed_start(const char *test)
{
	const char *given = getenv("TOKENTALLY_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	seed_state = given ? strtoull(given, NULL, 10)
			   : (uint64_t)now.tv_sec * 1000003 + (uint64_t)now.tv_nsec;
	fprintf(stderr, "# %s: TOKENTALLY_SEED=%" PRIu64 "\n", test, seed_state);
}

#endif
