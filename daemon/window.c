/* SPDX-License-Identifier: Apache-2.0
 *
 * window: six lists of names and six of rows, each an array in order of first appearance with a
 * hash index beside it. Adding an event has two halves: first everything is looked up and every sum
 * is checked, then names, rows and sums are changed. So an event that does not fit changes nothing.
 *
 * A window is larger than the processor's caches, and an event touches some fifteen places of it at
 * random: nearly all its time is waiting for memory. So the hashes come first and memory is asked
 * for ahead (aim_*), and looking (find_*) comes when it has arrived: a quarter to a third faster.
 */
#include "autoconf.h"

#include "window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "mem.h"
#include "period.h"
#include "table.h"

#define ARENA_CHUNK_BYTES (256 * 1024)
#define LIST_CAPACITY_MIN 64
#define CACHE_LINE_BYTES 64
#define LATENCY_KINDS (LATENCY_TTFT + 1)

struct list {
	char *items;
	size_t item_bytes;
	uint32_t count, capacity;
	struct table index;
};

/* The lists of names come first, by enum name_kind. */
enum { LIST_HOURS = NAME_KINDS, LIST_MINUTES, LIST_SESSIONS, LIST_LATENCIES, LIST_SHADOWS, LIST_USES, LISTS };

struct window {
	struct list lists[LISTS];
	struct arena *texts; /* of the names */
	char *scratch;	     /* for provider NUL model */
	size_t scratch_bytes;
};

/* Where a name or row of the event goes: an item that is there, or the next of its list. aim_* sets
 * the hash, find_* the rest. */
struct place {
	uint64_t hash;
	uint32_t at;
	bool is_new;
};

/* What one event will change. */
struct plan {
	struct place names[NAME_KINDS];
	struct span texts[NAME_KINDS];
	struct place hour, minute, session, use, latency[LATENCY_KINDS];
	struct hour_row hour_key; /* of the *_key rows only the key is set */
	struct minute_row minute_key;
	struct session_row session_key;
	struct use_row use_key;
	struct latency_row latency_key[LATENCY_KINDS];
	bool has_session, has_latency[LATENCY_KINDS];
};

struct window *window_new(void)
{
	static const size_t row_bytes[LISTS] = {
		[LIST_HOURS] = sizeof(struct hour_row),
		[LIST_MINUTES] = sizeof(struct minute_row),
		[LIST_SESSIONS] = sizeof(struct session_row),
		[LIST_LATENCIES] = sizeof(struct latency_row),
		[LIST_SHADOWS] = sizeof(struct shadow_row),
		[LIST_USES] = sizeof(struct use_row),
	};
	struct window *window = xcalloc(1, sizeof *window);

	for (unsigned i = 0; i < LISTS; i++) {
		window->lists[i].item_bytes =
		    i < NAME_KINDS ? sizeof(struct window_name) : row_bytes[i];
		table_init(&window->lists[i].index);
	}
	window->texts = arena_new(ARENA_CHUNK_BYTES);
	return window;
}

static void list_release(struct list *list)
{
	free(list->items);
	table_release(&list->index);
	list->items = NULL;
	list->count = list->capacity = 0;
}

void window_free(struct window *window)
{
	if (!window)
		return;
	for (unsigned i = 0; i < LISTS; i++)
		list_release(&window->lists[i]);
	arena_free(window->texts);
	free(window->scratch);
	free(window);
}

static size_t list_bytes(const struct list *list)
{
	return list->capacity * list->item_bytes + table_bytes(&list->index);
}

void window_clear(struct window *window, size_t keep_bytes)
{
	size_t kept;

	arena_reset(window->texts, keep_bytes);
	kept = arena_bytes(window->texts);
	for (unsigned i = 0; i < LISTS; i++) {
		struct list *list = &window->lists[i];

		if (kept + list_bytes(list) > keep_bytes)
			list_release(list);
		table_clear(&list->index);
		list->count = 0;
		kept += list_bytes(list);
	}
}

size_t window_bytes(const struct window *window)
{
	size_t bytes = sizeof *window + arena_bytes(window->texts) + window->scratch_bytes;

	for (unsigned i = 0; i < LISTS; i++)
		bytes += list_bytes(&window->lists[i]);
	return bytes;
}

size_t window_row_count(const struct window *window)
{
	size_t count = 0;

	for (unsigned i = NAME_KINDS; i < LIST_USES; i++)
		count += window->lists[i].count;
	return count;
}

static void *list_item(const struct list *list, uint32_t at)
{
	return list->items + at * list->item_bytes;
}

/* Room at the end, not yet counted: the caller fills it. */
static void *list_append(struct list *list, uint64_t hash)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : LIST_CAPACITY_MIN;
		list->items = xrealloc_array(list->items, list->capacity, list->item_bytes);
	}
	table_insert(&list->index, hash, list->count);
	return list_item(list, list->count++);
}

typedef bool same_fn(const void *item, const void *key);

/* Inlined into each find_*, so that `same` is a direct comparison there. */
static inline __attribute__((always_inline)) void
list_find(const struct list *list, struct place *place, const void *key, same_fn *same)
{
	struct table_cursor cursor = table_seek(&list->index, place->hash);

	while (table_next(&list->index, &cursor, &place->at))
		if (same(list_item(list, place->at), key))
			return;
	place->at = list->count;
	place->is_new = true;
}

/* Asks for the memory of the item that is probably meant. */
static void list_prefetch_item(const struct list *list, uint64_t hash)
{
	uint32_t at = table_guess(&list->index, hash);

	if (at != TABLE_EMPTY)
		for (size_t byte = 0; byte < list->item_bytes; byte += CACHE_LINE_BYTES)
			__builtin_prefetch((char *)list_item(list, at) + byte);
}

static void aim_name(const struct window *window, struct plan *plan, enum name_kind kind,
		     struct span text)
{
	plan->texts[kind] = text;
	plan->names[kind].hash = XXH3_64bits(text.data, text.len);
	table_prefetch(&window->lists[kind].index, plan->names[kind].hash);
}

/* provider NUL model. In scratch memory: valid until the next event. */
static struct span model_text(struct window *window, const struct event *event)
{
	struct span provider = event->provider, model = event->model;
	size_t len = provider.len + 1 + model.len;

	if (len > window->scratch_bytes) {
		window->scratch = xrealloc_array(window->scratch, len, 1);
		window->scratch_bytes = len;
	}
	if (provider.len > 0)
		memcpy(window->scratch, provider.data, provider.len);
	window->scratch[provider.len] = '\0';
	if (model.len > 0)
		memcpy(window->scratch + provider.len + 1, model.data, model.len);
	return (struct span){ window->scratch, len };
}

static void aim_names(struct window *window, struct plan *plan, const struct event *event)
{
	plan->has_session = event->session.len > 0;
	aim_name(window, plan, NAME_PERSON, event->user);
	if (plan->has_session)
		aim_name(window, plan, NAME_SESSION, event->session);
	aim_name(window, plan, NAME_TEAM, event->team);
	aim_name(window, plan, NAME_MODEL, model_text(window, event));
	aim_name(window, plan, NAME_APP, event->app);
	/* Only these two lists are long. */
	list_prefetch_item(&window->lists[NAME_PERSON], plan->names[NAME_PERSON].hash);
	if (plan->has_session)
		list_prefetch_item(&window->lists[NAME_SESSION], plan->names[NAME_SESSION].hash);
}

static bool name_same(const void *item, const void *key)
{
	const struct window_name *name = item, *sought = key;

	return name->hash == sought->hash && span_equal(name->text, sought->text);
}

static void find_name(const struct window *window, struct plan *plan, enum name_kind kind)
{
	struct window_name key = { plan->names[kind].hash, plan->texts[kind] };

	list_find(&window->lists[kind], &plan->names[kind], &key, name_same);
}

static void prefetch_text(const struct list *names, uint64_t hash)
{
	uint32_t at = table_guess(&names->index, hash);

	if (at != TABLE_EMPTY)
		__builtin_prefetch(((const struct window_name *)list_item(names, at))->text.data);
}

static void find_names(const struct window *window, struct plan *plan)
{
	find_name(window, plan, NAME_TEAM);
	find_name(window, plan, NAME_MODEL);
	find_name(window, plan, NAME_APP);
	prefetch_text(&window->lists[NAME_PERSON], plan->names[NAME_PERSON].hash);
	if (plan->has_session)
		prefetch_text(&window->lists[NAME_SESSION], plan->names[NAME_SESSION].hash);
	find_name(window, plan, NAME_PERSON);
	if (plan->has_session)
		find_name(window, plan, NAME_SESSION);
}

static uint64_t pair(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

static void aim_row(const struct list *list, struct place *place, int64_t bucket_us, uint64_t b,
		    uint64_t c)
{
	const uint64_t words[] = { (uint64_t)bucket_us, b, c };

	place->hash = XXH3_64bits(words, sizeof words);
	table_prefetch(&list->index, place->hash);
}

static void aim_hour(const struct window *window, struct plan *plan, const struct event *event)
{
	struct hour_row *key = &plan->hour_key;

	key->bucket_us = period_floor(event->time_us, US_PER_HOUR);
	key->person = plan->names[NAME_PERSON].at;
	key->team = plan->names[NAME_TEAM].at;
	key->model = plan->names[NAME_MODEL].at;
	key->price_class = event->price_class;
	aim_row(&window->lists[LIST_HOURS], &plan->hour, key->bucket_us,
		pair(key->person, key->team), pair(key->model, (uint16_t)key->price_class));
}

static void aim_minute(const struct window *window, struct plan *plan, const struct event *event)
{
	struct minute_row *key = &plan->minute_key;

	key->bucket_us = period_floor(event->time_us, US_PER_MINUTE);
	key->team = plan->names[NAME_TEAM].at;
	key->model = plan->names[NAME_MODEL].at;
	key->app = plan->names[NAME_APP].at;
	key->price_class = event->price_class;
	aim_row(&window->lists[LIST_MINUTES], &plan->minute, key->bucket_us,
		pair(key->team, key->model), pair(key->app, (uint16_t)key->price_class));
}

static void aim_session(const struct window *window, struct plan *plan, const struct event *event)
{
	struct session_row *key = &plan->session_key;

	key->slot_us = period_floor(event->time_us, US_PER_SLOT);
	key->first_us = key->last_us = event->time_us;
	key->person = plan->names[NAME_PERSON].at;
	key->session = plan->names[NAME_SESSION].at;
	aim_row(&window->lists[LIST_SESSIONS], &plan->session, key->slot_us, key->person,
		key->session);
}

static void aim_latency(const struct window *window, struct plan *plan, const struct event *event,
			enum latency_kind kind)
{
	struct latency_row *key = &plan->latency_key[kind];

	key->bucket_us = period_floor(event->time_us, US_PER_MINUTE);
	key->model = plan->names[NAME_MODEL].at;
	key->kind = (int16_t)kind;
	key->latency_class = kind == LATENCY_TTFT ? event->ttft_class : event->duration_class;
	plan->has_latency[kind] = key->latency_class != LATENCY_CLASS_NONE;
	aim_row(&window->lists[LIST_LATENCIES], &plan->latency[kind], key->bucket_us, key->model,
		pair(kind, (uint16_t)key->latency_class));
}

static void aim_use(const struct window *window, struct plan *plan, const struct event *event)
{
	struct use_row *key = &plan->use_key;

	key->day_us = period_floor(event->time_us, US_PER_DAY);
	key->person = plan->names[NAME_PERSON].at;
	key->app = plan->names[NAME_APP].at;
	aim_row(&window->lists[LIST_USES], &plan->use, key->day_us, key->person, key->app);
}

static void aim_rows(const struct window *window, struct plan *plan, const struct event *event)
{
	aim_hour(window, plan, event);
	if (plan->has_session)
		aim_session(window, plan, event);
	aim_minute(window, plan, event);
	aim_use(window, plan, event);
	aim_latency(window, plan, event, LATENCY_DURATION);
	aim_latency(window, plan, event, LATENCY_TTFT);
	list_prefetch_item(&window->lists[LIST_MINUTES], plan->minute.hash);
	list_prefetch_item(&window->lists[LIST_HOURS], plan->hour.hash);
	if (plan->has_session)
		list_prefetch_item(&window->lists[LIST_SESSIONS], plan->session.hash);
}

static bool hour_same(const void *item, const void *key)
{
	const struct hour_row *row = item, *sought = key;

	return row->bucket_us == sought->bucket_us && row->person == sought->person &&
	       row->team == sought->team && row->model == sought->model &&
	       row->price_class == sought->price_class;
}

static bool minute_same(const void *item, const void *key)
{
	const struct minute_row *row = item, *sought = key;

	return row->bucket_us == sought->bucket_us && row->team == sought->team &&
	       row->model == sought->model && row->app == sought->app &&
	       row->price_class == sought->price_class;
}

static bool session_same(const void *item, const void *key)
{
	const struct session_row *row = item, *sought = key;

	return row->slot_us == sought->slot_us && row->person == sought->person &&
	       row->session == sought->session;
}

static bool latency_same(const void *item, const void *key)
{
	const struct latency_row *row = item, *sought = key;

	return row->bucket_us == sought->bucket_us && row->model == sought->model &&
	       row->kind == sought->kind && row->latency_class == sought->latency_class;
}

static bool use_same(const void *item, const void *key)
{
	const struct use_row *row = item, *sought = key;

	return row->day_us == sought->day_us && row->person == sought->person && row->app == sought->app;
}

static void find_rows(const struct window *window, struct plan *plan)
{
	for (unsigned kind = 0; kind < LATENCY_KINDS; kind++)
		if (plan->has_latency[kind])
			list_find(&window->lists[LIST_LATENCIES], &plan->latency[kind],
				  &plan->latency_key[kind], latency_same);
	list_find(&window->lists[LIST_MINUTES], &plan->minute, &plan->minute_key, minute_same);
	list_find(&window->lists[LIST_HOURS], &plan->hour, &plan->hour_key, hour_same);
	list_find(&window->lists[LIST_USES], &plan->use, &plan->use_key, use_same);
	if (plan->has_session)
		list_find(&window->lists[LIST_SESSIONS], &plan->session, &plan->session_key,
			  session_same);
}

static bool sums_fit(const int64_t *row, const int64_t *event, unsigned count)
{
	bool overflow = false;
	int64_t sum;

	for (unsigned i = 0; i < count; i++)
		if (i != M_DURATION_MS_MAX)
			overflow |= __builtin_add_overflow(row[i], event[i], &sum);
	return !overflow;
}

/* A new row holds what one event holds: that always fits. */
static bool plan_fits(const struct window *window, const struct plan *plan,
		      const struct event *event)
{
	const struct hour_row *hours = (const void *)window->lists[LIST_HOURS].items;
	const struct minute_row *minutes = (const void *)window->lists[LIST_MINUTES].items;
	const struct session_row *sessions = (const void *)window->lists[LIST_SESSIONS].items;
	const struct latency_row *latencies = (const void *)window->lists[LIST_LATENCIES].items;
	const int64_t *measures = event->measures;

	if (!plan->hour.is_new && !sums_fit(hours[plan->hour.at].measures, measures, MEASURES))
		return false;
	if (!plan->minute.is_new &&
	    !sums_fit(minutes[plan->minute.at].measures, measures, MEASURES))
		return false;
	if (plan->has_session && !plan->session.is_new &&
	    !sums_fit(sessions[plan->session.at].measures, measures, MEASURES_SESSION))
		return false;
	for (unsigned kind = 0; kind < LATENCY_KINDS; kind++)
		if (plan->has_latency[kind] && !plan->latency[kind].is_new &&
		    !sums_fit(&latencies[plan->latency[kind].at].calls, &measures[M_CALLS], 1))
			return false;
	return true;
}

static void add_measures(int64_t *row, const int64_t *event, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (i != M_DURATION_MS_MAX)
			row[i] += event[i];
		else if (row[i] < event[i])
			row[i] = event[i];
}

static void apply_names(struct window *window, const struct plan *plan)
{
	for (unsigned kind = 0; kind < NAME_KINDS; kind++) {
		struct span text = plan->texts[kind];
		struct window_name *name;
		char *copy;

		if (!plan->names[kind].is_new)
			continue;
		copy = arena_alloc(window->texts, text.len + 1);
		if (text.len > 0)
			memcpy(copy, text.data, text.len);
		copy[text.len] = '\0';
		name = list_append(&window->lists[kind], plan->names[kind].hash);
		*name = (struct window_name){ plan->names[kind].hash, { copy, text.len } };
	}
}

/* The item at a place, made from the key and zeros where it is new. */
static void *list_at(struct list *list, const struct place *place, const void *key)
{
	void *item;

	if (!place->is_new)
		return list_item(list, place->at);
	item = list_append(list, place->hash);
	memcpy(item, key, list->item_bytes);
	return item;
}

static void apply_session(struct window *window, const struct plan *plan, const struct event *event)
{
	struct session_row *row =
	    list_at(&window->lists[LIST_SESSIONS], &plan->session, &plan->session_key);

	if (event->time_us < row->first_us)
		row->first_us = event->time_us;
	if (event->time_us > row->last_us)
		row->last_us = event->time_us;
	add_measures(row->measures, event->measures, MEASURES_SESSION);
}

static void apply(struct window *window, const struct plan *plan, const struct event *event)
{
	struct hour_row *hour;
	struct minute_row *minute;
	struct latency_row *latency;

	apply_names(window, plan);
	hour = list_at(&window->lists[LIST_HOURS], &plan->hour, &plan->hour_key);
	add_measures(hour->measures, event->measures, MEASURES);
	minute = list_at(&window->lists[LIST_MINUTES], &plan->minute, &plan->minute_key);
	add_measures(minute->measures, event->measures, MEASURES);
	list_at(&window->lists[LIST_USES], &plan->use, &plan->use_key);
	if (plan->has_session)
		apply_session(window, plan, event);
	for (unsigned kind = 0; kind < LATENCY_KINDS; kind++)
		if (plan->has_latency[kind]) {
			latency = list_at(&window->lists[LIST_LATENCIES], &plan->latency[kind],
					  &plan->latency_key[kind]);
			latency->calls += event->measures[M_CALLS];
		}
}

bool window_add(struct window *window, const struct event *event)
{
	struct plan plan = { 0 };

	aim_names(window, &plan, event);
	find_names(window, &plan);
	aim_rows(window, &plan, event);
	find_rows(window, &plan);
	if (!plan_fits(window, &plan, event))
		return false;
	apply(window, &plan, event);
	return true;
}

static bool shadow_same(const void *item, const void *key)
{
	const struct shadow_row *row = item, *sought = key;

	return row->bucket_us == sought->bucket_us && row->team == sought->team &&
	       row->model == sought->model && row->source == sought->source;
}

/* Few rows, and calls that nobody waits for: memory is not asked for ahead here. */
bool window_add_shadow(struct window *window, const struct event *event, struct span source)
{
	struct list *list = &window->lists[LIST_SHADOWS];
	struct shadow_row key = { .bucket_us = period_floor(event->time_us, US_PER_HOUR) }, *row;
	struct place place = { 0 };
	struct plan plan = { 0 };

	aim_name(window, &plan, NAME_TEAM, event->team);
	aim_name(window, &plan, NAME_MODEL, model_text(window, event));
	aim_name(window, &plan, NAME_SOURCE, source);
	find_name(window, &plan, NAME_TEAM);
	find_name(window, &plan, NAME_MODEL);
	find_name(window, &plan, NAME_SOURCE);
	key.team = plan.names[NAME_TEAM].at;
	key.model = plan.names[NAME_MODEL].at;
	key.source = plan.names[NAME_SOURCE].at;
	aim_row(list, &place, key.bucket_us, pair(key.team, key.model), key.source);
	list_find(list, &place, &key, shadow_same);
	if (!place.is_new && !sums_fit(((const struct shadow_row *)list_item(list, place.at))->measures,
				       event->measures, MEASURES_SESSION))
		return false;
	apply_names(window, &plan);
	row = list_at(list, &place, &key);
	add_measures(row->measures, event->measures, MEASURES_SESSION);
	return true;
}

const struct hour_row *window_hours(const struct window *window, size_t *count)
{
	*count = window->lists[LIST_HOURS].count;
	return (const void *)window->lists[LIST_HOURS].items;
}

const struct minute_row *window_minutes(const struct window *window, size_t *count)
{
	*count = window->lists[LIST_MINUTES].count;
	return (const void *)window->lists[LIST_MINUTES].items;
}

const struct session_row *window_sessions(const struct window *window, size_t *count)
{
	*count = window->lists[LIST_SESSIONS].count;
	return (const void *)window->lists[LIST_SESSIONS].items;
}

const struct latency_row *window_latencies(const struct window *window, size_t *count)
{
	*count = window->lists[LIST_LATENCIES].count;
	return (const void *)window->lists[LIST_LATENCIES].items;
}

const struct shadow_row *window_shadows(const struct window *window, size_t *count)
{
	*count = window->lists[LIST_SHADOWS].count;
	return (const void *)window->lists[LIST_SHADOWS].items;
}

const struct use_row *window_uses(const struct window *window, size_t *count)
{
	*count = window->lists[LIST_USES].count;
	return (const void *)window->lists[LIST_USES].items;
}

const struct window_name *window_names(const struct window *window, enum name_kind kind,
				       size_t *count)
{
	assert(kind < NAME_KINDS);
	*count = window->lists[kind].count;
	return (const void *)window->lists[kind].items;
}

void window_model_name(const struct window_name *name, struct span *provider, struct span *model)
{
	const char *text = name->text.data;
	const char *nul = memchr(text, '\0', name->text.len);

	assert(nul);
	*provider = (struct span){ text, (size_t)(nul - text) };
	*model = (struct span){ nul + 1, name->text.len - provider->len - 1 };
}
