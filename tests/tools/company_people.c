/* SPDX-License-Identifier: Apache-2.0
 *
 * company_people: who works at Kestrel Robotics, where, in which team, and how. Three people stand
 * out on purpose: one left an agent running day and night, one runs a nightly job under their own
 * key, and a handful do ten times what their neighbours do. Two teams are so small that a reader
 * must not see them alone.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "company.h"

enum { BERLIN, LONDON, NEW_YORK, SAN_FRANCISCO, BENGALURU, MANILA };
static const struct office offices[] = {
	[BERLIN] = { "Berlin", 60 },	    [LONDON] = { "London", 0 },
	[NEW_YORK] = { "New York", -300 },  [SAN_FRANCISCO] = { "San Francisco", -480 },
	[BENGALURU] = { "Bengaluru", 330 }, [MANILA] = { "Manila", 480 },
};

/* name, size, office, sessions a day, share of coding, chat, tickets, notebook; taste; wasteful,
 * reports cost */
static const struct team teams[] = {
	{ "platform",
	  34,
	  BERLIN,
	  2.4,
	  { .8, .2, 0, 0 },
	  { { SONNET, 6 }, { OPUS, 3 }, { HAIKU, 1 } },
	  false,
	  true },
	{ "checkout",
	  28,
	  BERLIN,
	  1.9,
	  { .75, .25, 0, 0 },
	  { { SONNET, 5 }, { GPT, 3 }, { HAIKU, 1 } },
	  false,
	  true },
	{ "search-ranking",
	  22,
	  LONDON,
	  2.0,
	  { .6, .15, 0, .25 },
	  { { GPT, 5 }, { SONNET, 3 }, { GEMINI_PRO, 2 } },
	  false,
	  true },
	{ "mobile",
	  26,
	  NEW_YORK,
	  1.8,
	  { .8, .2, 0, 0 },
	  { { GPT, 5 }, { SONNET, 3 }, { GPT_MINI, 2 } },
	  false,
	  true },
	{ "data-science",
	  24,
	  NEW_YORK,
	  2.2,
	  { .15, .15, 0, .7 },
	  { { GEMINI_PRO, 4 }, { GPT, 3 }, { MISTRAL, 2 }, { DEEPSEEK, 2 } },
	  true,
	  true },
	{ "firmware",
	  20,
	  BENGALURU,
	  1.7,
	  { .85, .15, 0, 0 },
	  { { QWEN_CODER, 5 }, { SONNET, 4 }, { DEEPSEEK, 1 } },
	  false,
	  true },
	{ "cloud-infra",
	  24,
	  BENGALURU,
	  2.0,
	  { .8, .2, 0, 0 },
	  { { SONNET_BEDROCK, 7 }, { OPUS, 1 }, { HAIKU, 2 } },
	  false,
	  true },
	{ "security",
	  12,
	  SAN_FRANCISCO,
	  1.6,
	  { .5, .3, 0, .2 },
	  { { OPUS, 4 }, { GPT, 3 }, { LLAMA, 3 } },
	  false,
	  true },
	{ "research",
	  18,
	  SAN_FRANCISCO,
	  2.0,
	  { .35, .15, 0, .5 },
	  { { LLAMA, 3 }, { QWEN_CODER, 3 }, { GPT_OSS, 3 }, { GEMINI_PRO, 2 }, { DEEPSEEK, 2 } },
	  true,
	  false },
	{ "support",
	  40,
	  MANILA,
	  5.0,
	  { 0, .1, .9, 0 },
	  { { SONNET_BEDROCK, 3 }, { GEMINI_FLASH, 6 } },
	  false,
	  true },
	{ "marketing",
	  20,
	  LONDON,
	  1.3,
	  { 0, 1, 0, 0 },
	  { { GPT, 4 }, { GEMINI_FLASH, 3 }, { MISTRAL, 2 } },
	  false,
	  true },
	{ "design",
	  14,
	  NEW_YORK,
	  1.2,
	  { .2, .8, 0, 0 },
	  { { GPT, 4 }, { SONNET, 3 } },
	  false,
	  true },
	{ "finance",
	  10,
	  BERLIN,
	  0.9,
	  { 0, .7, 0, .3 },
	  { { MISTRAL, 4 }, { GPT_MINI, 4 } },
	  false,
	  true },
	{ "legal", 4, LONDON, 0.8, { 0, 1, 0, 0 }, { { MISTRAL, 1 } }, false, true },
	{ "people-ops", 3, BERLIN, 0.8, { 0, 1, 0, 0 }, { { GPT_MINI, 1 } }, false, true },
	{ "", 1, BERLIN, 3.0, { .5, .5, 0, 0 }, { { DEEPSEEK, 1 } }, false, false },
};

static const char *const first_names[] = {
	"amara",   "anouk",  "arjun", "astrid", "bao",	 "beatriz", "caspar", "chiara", "dalia",
	"dmitri",  "eilidh", "emeka", "farah",	"felix", "gita",    "goran",  "hana",	"henrik",
	"imani",   "ivo",    "jiho",  "joana",	"kaito", "katya",   "lars",   "leila",	"lucia",
	"mateo",   "mira",   "nadia", "nikhil", "noor",	 "olek",    "oriol",  "paloma", "priya",
	"quentin", "rafa",   "rosa",  "sanjay", "sefa",	 "tariq",   "thea",   "uma",	"viktor",
	"wanjiru", "xenia",  "yusuf", "zofia",	"zuri",
};
static const char *const last_names[] = {
	"abara",  "almeida",   "baptiste", "brandt",   "castellano", "dufresne",
	"ekberg", "farouk",    "gallo",	   "hakimi",   "ibarra",     "jansson",
	"kowal",  "lindqvist", "mbeki",	   "nakagawa", "okafor",     "petrov",
	"quispe", "rahman",    "santos",   "tanaka",   "ullman",     "varga",
	"wojcik", "yilmaz",    "zamora",   "oyelaran", "mehta",	     "santoro",
};
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* 31 has no divisor in common with 50 * 30, so no pair is met twice. */
static void name_person(struct person *person, int number)
{
	int pair = number * 31 % (COUNT(first_names) * COUNT(last_names));

	snprintf(person->key, sizeof(person->key), "%s.%s@kestrel.example",
		 first_names[pair % COUNT(first_names)],
		 last_names[pair / COUNT(first_names) % COUNT(last_names)]);
}

static enum model_id pick_taste(const struct team *team, struct rng *rng)
{
	double total = 0;

	for (int i = 0; i < COUNT(team->taste) && team->taste[i].weight > 0; i++)
		total += team->taste[i].weight;
	double left = rng_unit(rng) * total;
	for (int i = 0; i < COUNT(team->taste); i++) {
		left -= team->taste[i].weight;
		if (left < 0)
			return team->taste[i].model;
	}
	return team->taste[0].model;
}

static void give_habits(struct person *person, struct rng *rng)
{
	person->office = &offices[person->team->office];
	person->diligence = rng_lognormal(rng, 1.15, 0.6);
	if (person->diligence > 3)
		person->diligence = 3;
	person->weekend = rng_chance(rng, 0.1) ? 0.5 : 0.03;
	person->start_hour = rng_normal(rng, 9.2, 0.7);
	person->favourite = pick_taste(person->team, rng);
	person->away_from = person->away_to = -1;
	if (person->team->size > 1 && rng_chance(rng, 0.15)) {
		person->away_from = rng_below(rng, 18);
		person->away_to = person->away_from + 3 + rng_below(rng, 6);
	}
}

/* Ten heavy users, the agent nobody watches, and the owner of the nightly job. */
static void mark_the_remarkable(struct person people[PEOPLE])
{
	static const struct {
		const char *team;
		double diligence;
	} heavy[] = { { "platform", 6.5 },	 { "platform", 5.5 },	 { "checkout", 5.0 },
		      { "search-ranking", 5.2 }, { "mobile", 4.6 },	 { "data-science", 4.2 },
		      { "firmware", 4.5 },	 { "cloud-infra", 4.8 }, { "research", 4.0 },
		      { "support", 3.2 } };
	int taken = 0;

	for (int i = 0; i < PEOPLE && taken < COUNT(heavy); i++) {
		if (strcmp(people[i].team->name, heavy[taken].team) != 0)
			continue;
		people[i].diligence = heavy[taken++].diligence;
		people[i].weekend = 0.25;
		people[i].away_from = people[i].away_to = -1;
	}
	assert(taken == COUNT(heavy));
	for (int i = 1; i < PEOPLE; i++) {
		bool last_of_team = i + 1 == PEOPLE || people[i + 1].team != people[i].team;

		people[i].idle_agent =
		    last_of_team && strcmp(people[i].team->name, "cloud-infra") == 0;
		people[i].nightly_job =
		    last_of_team && strcmp(people[i].team->name, "data-science") == 0;
	}
}

void people_init(struct person people[PEOPLE], uint64_t seed)
{
	int number = 0;

	memset(people, 0, sizeof(*people) * PEOPLE);
	for (int t = 0; t < COUNT(teams); t++) {
		for (int member = 0; member < teams[t].size; member++, number++) {
			struct rng rng = rng_of(seed, 1000 + (uint64_t)number);

			assert(number < PEOPLE);
			people[number].team = &teams[t];
			name_person(&people[number], number);
			give_habits(&people[number], &rng);
		}
	}
	assert(number == PEOPLE);
	mark_the_remarkable(people);
}
