/* SPDX-License-Identifier: Apache-2.0
 *
 * company: the made-up company of the demo and its parts. The same seed and the same end of time
 * give the same calls, to the byte. Nobody in it exists.
 *
 *   company_random  numbers from a seed
 *   company_models  models, their list prices and speed, and what a call costs
 *   company_people  offices, teams, people and their habits
 *   company_calls   three weeks of calls of one person
 *   company         sorts all calls by arrival and sends or prints them
 */
#ifndef COMPANY_H
#define COMPANY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEOPLE 300
#define DAY_MS 86400000LL
#define HOUR_MS 3600000LL
#define MINUTE_MS 60000LL

/* company_random */
struct rng {
	uint64_t state;
};
struct rng rng_of(uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *rng);
double rng_unit(struct rng *rng); /* 0 <= u < 1 */
bool rng_chance(struct rng *rng, double probability);
int rng_below(struct rng *rng, int n);
double rng_exponential(struct rng *rng, double mean);
double rng_normal(struct rng *rng, double mean, double deviation);
double rng_lognormal(struct rng *rng, double median, double sigma);
int rng_poisson(struct rng *rng, double mean);

/* company_models */
enum caching { CACHE_EXPLICIT, CACHE_AUTOMATIC, CACHE_NONE };
enum model_id {
	OPUS,
	SONNET,
	HAIKU,
	SONNET_BEDROCK,
	GPT,
	GPT_MINI,
	GEMINI_PRO,
	GEMINI_FLASH,
	MISTRAL,
	DEEPSEEK,
	GPT_OSS,
	QWEN_CODER,
	LLAMA,
	MODELS
};
struct model {
	const char *provider, *name;
	double input, output, cache_read,
	    cache_write; /* USD per million tokens; input 0: nobody reports a cost */
	enum caching caching;
	double ttft_ms, tokens_per_second;
	bool reasons;
};
const struct model *model_of(enum model_id id);

/* company_people */
enum work { WORK_CODING, WORK_CHAT, WORK_TICKETS, WORK_NOTEBOOK, WORKS };
struct office {
	const char *city;
	int offset_min; /* from UTC */
};
struct team {
	const char *name;
	int size, office;
	double sessions_a_day;
	double share[WORKS]; /* of its sessions */
	struct {
		enum model_id model;
		double weight;
	} taste[5];    /* up to the first weight 0 */
	bool wasteful; /* sends the whole context again with each call */
	bool reports_cost;
};
struct person {
	char key[64];
	const struct team *team;
	const struct office *office;
	double diligence; /* times the team's sessions a day */
	double weekend;	  /* weekend sessions as a share of a weekday's */
	double start_hour;
	enum model_id favourite;
	int away_from, away_to; /* days */
	bool idle_agent;	/* left an agent running, with nobody looking */
	bool nightly_job;
};
void people_init(struct person people[PEOPLE], uint64_t seed);

/* company_calls */
enum mangle { SOUND, HTML_PAGE, NO_USER, TEXT_AS_NUMBER, HALF_A_LINE };
struct call {
	int64_t time_ms, sent_ms;		  /* when it was made, when it reached Kafka */
	uint64_t event_id, event_id_low, session; /* session 0: none */
	int64_t input, cache_read, cache_write, output, reasoning;
	double cost;		  /* below 0: not reported */
	int duration_ms, ttft_ms; /* below 0: not reported */
	int16_t person, model;
	const char *app, *tier; /* tier NULL: standard */
	bool error, duplicate;
	enum mangle mangle;
};
struct calls {
	struct call *items;
	size_t count, capacity;
};
struct span_of_time {
	int64_t from_ms, to_ms; /* from_ms is a UTC midnight */
};
/* Adds all calls of person number `index` that are made before to_ms. */
void calls_of_person(struct calls *calls, const struct person *person, int index, uint64_t seed,
		     struct span_of_time span);
/* UTC midnight of the nearest weekday at least `days` before time_ms. */
int64_t workday_before(int64_t time_ms, int days);
double cost_of(const struct model *model, const struct call *call);

#endif
