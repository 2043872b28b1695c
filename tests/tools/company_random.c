/* SPDX-License-Identifier: Apache-2.0
 *
 * company_random: splitmix64 and the few distributions that people's habits need. One stream a
 * person, so that a change to one does not move the others.
 */
#include <math.h>

#include "company.h"

struct rng rng_of(uint64_t seed, uint64_t stream)
{
	struct rng rng = { .state = seed * 0x9e3779b97f4a7c15ULL + stream };

	rng.state = rng_next(&rng) ^ (stream << 32);
	return rng;
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = (rng->state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

double rng_unit(struct rng *rng)
{
	return (double)(rng_next(rng) >> 11) * 0x1.0p-53;
}

bool rng_chance(struct rng *rng, double probability)
{
	return rng_unit(rng) < probability;
}

int rng_below(struct rng *rng, int n)
{
	return (int)(rng_unit(rng) * n);
}

double rng_exponential(struct rng *rng, double mean)
{
	return -mean * log(1.0 - rng_unit(rng));
}

double rng_normal(struct rng *rng, double mean, double deviation)
{
	double radius = sqrt(-2.0 * log(1.0 - rng_unit(rng)));

	return mean + deviation * radius * cos(2.0 * 3.14159265358979323846 * rng_unit(rng));
}

double rng_lognormal(struct rng *rng, double median, double sigma)
{
	return median * exp(rng_normal(rng, 0, sigma));
}

int rng_poisson(struct rng *rng, double mean)
{
	double limit = exp(-mean), product = rng_unit(rng);
	int count = 0;

	while (product > limit) {
		product *= rng_unit(rng);
		count++;
	}
	return count;
}
