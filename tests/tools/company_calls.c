/* SPDX-License-Identifier: Apache-2.0
 *
 * company_calls: what one person's three weeks look like as model calls. A day is a few sessions
 * inside working hours; a session is a chain of calls whose context grows and is read from the
 * provider's cache, or, in wasteful teams, is sent again in full.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "company.h"

#define CACHE_LIFETIME_MS (5 * MINUTE_MS)

/* One person at work: everything the functions below need. */
struct desk {
	struct calls *calls;
	const struct person *person;
	struct span_of_time span;
	struct rng rng;
	int index;
};

/* A session under way. */
struct chain {
	const struct model *model;
	enum model_id model_id;
	enum work work;
	int64_t time_ms, last_ms;
	int64_t context; /* tokens of the conversation so far */
	uint64_t session;
	int64_t delay_ms; /* a laptop that was offline sends later */
	const char *app;
};

static const char *const coding_apps[] = { "claude-code", "claude-code", "cursor", "codex" };
static const char *const work_apps[WORKS] = { NULL, "chat", "support-copilot", "notebooks" };

static struct call *add_call(struct calls *calls)
{
	if (calls->count == calls->capacity) {
		calls->capacity = calls->capacity ? calls->capacity * 2 : 65536;
		calls->items = realloc(calls->items, calls->capacity * sizeof(*calls->items));
		if (!calls->items)
			abort();
	}
	memset(&calls->items[calls->count], 0, sizeof(*calls->items));
	return &calls->items[calls->count++];
}

int64_t workday_before(int64_t time_ms, int days)
{
	int64_t day = time_ms / DAY_MS - days;

	while ((day + 3) % 7 >= 5)
		day--;
	return day * DAY_MS;
}

/* Some days before the end Bedrock had a bad hour and a half. */
static bool in_outage(const struct desk *desk, const struct model *model, int64_t time_ms)
{
	int64_t begin = workday_before(desk->span.to_ms, 3) + 6 * HOUR_MS;

	return strcmp(model->provider, "bedrock") == 0 && time_ms >= begin &&
	       time_ms < begin + 90 * MINUTE_MS;
}

/* Where the prompt goes: to the cache, from the cache, or neither. */
static void split_prompt(struct desk *desk, struct call *call, const struct chain *chain,
			 int64_t fresh)
{
	enum caching caching = chain->model->caching;
	bool warm = chain->last_ms && chain->time_ms - chain->last_ms < CACHE_LIFETIME_MS;

	if (desk->person->team->wasteful && caching == CACHE_EXPLICIT)
		caching = CACHE_NONE;
	switch (caching) {
	case CACHE_EXPLICIT:
		call->cache_read = warm ? chain->context : 0;
		call->cache_write = warm ? fresh : chain->context + fresh;
		call->input = 4 + rng_below(&desk->rng, 60);
		break;
	case CACHE_AUTOMATIC:
		/* Whole blocks of 128, and only if the front of the prompt is the same. */
		if (warm && rng_chance(&desk->rng, desk->person->team->wasteful ? 0.1 : 0.85))
			call->cache_read = chain->context / 128 * 128;
		call->input = chain->context + fresh - call->cache_read;
		break;
	case CACHE_NONE:
		call->input = chain->context + fresh;
		break;
	}
}

static void time_call(struct desk *desk, struct call *call, const struct model *model, bool outage)
{
	double prompt = (double)(call->input + call->cache_write) + (double)call->cache_read * 0.1;
	double ttft = rng_lognormal(&desk->rng, model->ttft_ms, 0.35) + prompt * 0.02;
	double answer = (double)call->output / model->tokens_per_second * 1000;

	if (outage)
		ttft *= 6;
	call->ttft_ms = call->error ? -1 : (int)ttft;
	call->duration_ms = (int)(ttft + answer * rng_lognormal(&desk->rng, 1, 0.2));
}

static void fail_call(struct desk *desk, struct call *call, bool outage)
{
	call->error = rng_chance(&desk->rng, outage ? 0.45 : 0.012);
	if (!call->error)
		return;
	call->input = call->cache_read = call->cache_write = call->output = call->reasoning = 0;
	call->cost = 0;
}

static int64_t output_tokens(struct desk *desk, enum work work)
{
	static const double median[WORKS] = { 420, 650, 180, 900 };
	double tokens = rng_lognormal(&desk->rng, median[work], 0.8);

	return tokens < 1 ? 1 : tokens > 32000 ? 32000 : (int64_t)tokens;
}

static void make_call(struct desk *desk, struct chain *chain, int64_t fresh, int64_t output)
{
	const struct model *model = chain->model;
	bool outage = in_outage(desk, model, chain->time_ms);

	if (chain->time_ms >= desk->span.to_ms || chain->time_ms < desk->span.from_ms)
		return;
	struct call *call = add_call(desk->calls);
	call->person = (int16_t)desk->index;
	call->model = (int16_t)chain->model_id;
	call->app = chain->app;
	call->time_ms = chain->time_ms;
	call->session = chain->session;
	call->event_id = rng_next(&desk->rng);
	call->event_id_low = rng_next(&desk->rng);
	split_prompt(desk, call, chain, fresh);
	call->output = output;
	call->reasoning =
	    model->reasons ? (int64_t)((double)output * 0.4 * rng_unit(&desk->rng)) : 0;
	call->cost = desk->person->team->reports_cost ? cost_of(model, call) : -1;
	fail_call(desk, call, outage);
	time_call(desk, call, model, outage);
	/* A call is reported when it ends. */
	call->sent_ms = call->time_ms + call->duration_ms + 50 + chain->delay_ms;
	chain->last_ms = chain->time_ms;
	chain->time_ms += call->duration_ms;
	chain->context += call->error ? 0 : fresh + output;
}

static enum work pick_work(struct desk *desk)
{
	double left = rng_unit(&desk->rng);

	for (int work = 0; work < WORKS; work++) {
		left -= desk->person->team->share[work];
		if (left < 0)
			return (enum work)work;
	}
	return WORK_CHAT;
}

static enum model_id pick_model(struct desk *desk, enum work work)
{
	const struct team *team = desk->person->team;

	if (work == WORK_TICKETS || rng_chance(&desk->rng, 0.72))
		return desk->person->favourite;
	int n = 0;
	while (n < (int)(sizeof(team->taste) / sizeof(team->taste[0])) && team->taste[n].weight > 0)
		n++;
	return team->taste[rng_below(&desk->rng, n)].model;
}

static struct chain begin_chain(struct desk *desk, int64_t time_ms)
{
	struct rng *rng = &desk->rng;
	enum work work = pick_work(desk);
	enum model_id model = pick_model(desk, work);
	struct chain chain = {
		.work = work, .model_id = model, .model = model_of(model), .time_ms = time_ms
	};

	chain.session = rng_next(rng) | 1;
	chain.app = work == WORK_CODING ? coding_apps[rng_below(rng, 4)] : work_apps[work];
	chain.context = work == WORK_CODING    ? 14000 + rng_below(rng, 9000)
			: work == WORK_CHAT    ? 300 + rng_below(rng, 1500)
			: work == WORK_TICKETS ? 5200
					       : (int64_t)rng_lognormal(rng, 32000, 0.7);
	if (work == WORK_NOTEBOOK)
		chain.session = 0; /* notebooks know no session */
	if (rng_chance(rng, 0.004))
		chain.delay_ms = 20 * MINUTE_MS + (int64_t)rng_exponential(rng, 9 * HOUR_MS);
	return chain;
}

/* Turns of one session: fresh tokens each, pauses between them, now and then a long one. */
static void play_session(struct desk *desk, int64_t time_ms)
{
	static const double turns[WORKS] = { 16, 4, 2, 5 }, fresh[WORKS] = { 1300, 250, 500, 9000 },
			    pause_s[WORKS] = { 35, 100, 40, 150 };
	struct chain chain = begin_chain(desk, time_ms);
	int left =
	    1 + rng_poisson(&desk->rng, turns[chain.work] * rng_lognormal(&desk->rng, 1, 0.5));

	for (; left > 0; left--) {
		int64_t added = (int64_t)rng_lognormal(&desk->rng, fresh[chain.work], 0.9);

		if (chain.context > 170000)
			chain.context = 24000; /* the tool sums up and starts over */
		make_call(desk, &chain, added, output_tokens(desk, chain.work));
		chain.time_ms += (int64_t)rng_exponential(&desk->rng, pause_s[chain.work] * 1000);
		if (rng_chance(&desk->rng, 0.05))
			chain.time_ms += (int64_t)rng_exponential(&desk->rng, 12 * MINUTE_MS);
	}
}

/* Two humps with lunch between, and some evenings; local hours. */
static double hour_of_session(struct desk *desk)
{
	double start = desk->person->start_hour, u = rng_unit(&desk->rng);

	if (u < 0.46)
		return rng_normal(&desk->rng, start + 1.4, 0.8);
	if (u < 0.94)
		return rng_normal(&desk->rng, start + 6.0, 1.5);
	return rng_normal(&desk->rng, start + 11.8, 0.8);
}

static void play_day(struct desk *desk, int day)
{
	const struct person *person = desk->person;
	int64_t midnight =
	    desk->span.from_ms + day * DAY_MS - person->office->offset_min * MINUTE_MS;
	int weekday = (int)((desk->span.from_ms / DAY_MS + day + 3) % 7); /* 0 = Monday */
	double mean = person->team->sessions_a_day * person->diligence;

	if (day >= person->away_from && day < person->away_to)
		return;
	if (weekday >= 5)
		mean *= person->weekend;
	else
		mean *= weekday == 4 ? 0.85 : 1.05;
	for (int left = rng_poisson(&desk->rng, mean); left > 0; left--)
		play_session(desk, midnight + (int64_t)(hour_of_session(desk) * HOUR_MS));
}

/* An agent that was told to wait for something and looks every six minutes, for eleven days: its
 * cache has always just expired, so it pays for the whole context each time and says next to
 * nothing. */
static void play_idle_agent(struct desk *desk)
{
	struct chain chain = { .model_id = SONNET_BEDROCK,
			       .model = model_of(SONNET_BEDROCK),
			       .app = "claude-code" };

	chain.session = rng_next(&desk->rng) | 1;
	chain.time_ms = desk->span.to_ms - 11 * DAY_MS;
	while (chain.time_ms < desk->span.to_ms) {
		chain.context = 61000;
		make_call(desk, &chain, 180, 2 + rng_below(&desk->rng, 5));
		chain.time_ms += 6 * MINUTE_MS + rng_below(&desk->rng, 4000);
	}
}

/* Every night at 01:30 UTC: about a hundred documents, half price, no session. */
static void play_nightly_job(struct desk *desk, int day)
{
	struct chain chain = { .model_id = GEMINI_PRO,
			       .model = model_of(GEMINI_PRO),
			       .app = "nightly-digest" };

	chain.time_ms = desk->span.from_ms + day * DAY_MS + 90 * MINUTE_MS;
	for (int left = 80 + rng_below(&desk->rng, 40); left > 0; left--) {
		size_t before = desk->calls->count;

		chain.context = (int64_t)rng_lognormal(&desk->rng, 42000, 0.9);
		chain.last_ms = 0;
		make_call(desk, &chain, 400, output_tokens(desk, WORK_CHAT));
		if (desk->calls->count == before)
			break;
		struct call *call = &desk->calls->items[before];
		call->tier = "batch";
		if (call->cost > 0)
			call->cost = cost_of(chain.model, call);
		call->ttft_ms = -1;
		chain.time_ms = call->time_ms + 9000;
	}
}

void calls_of_person(struct calls *calls, const struct person *person, int index, uint64_t seed,
		     struct span_of_time span)
{
	struct desk desk = { .calls = calls, .person = person, .span = span, .index = index };
	int days = (int)((span.to_ms - span.from_ms) / DAY_MS) + 2;

	desk.rng = rng_of(seed, 5000 + (uint64_t)index);
	for (int day = -1; day < days; day++) {
		play_day(&desk, day);
		if (person->nightly_job && day >= 0)
			play_nightly_job(&desk, day);
	}
	if (person->idle_agent)
		play_idle_agent(&desk);
}
