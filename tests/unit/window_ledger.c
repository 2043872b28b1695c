/* SPDX-License-Identifier: Apache-2.0
 *
 * window_ledger: a list of (key as text, values), sorted and merged when two are compared.
 */
#include "autoconf.h"

#include "window_ledger.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define KEY_BYTES 160
#define MINUTE INT64_C(60000000)
#define NO_TIME INT64_MAX

struct entry {
	char key[KEY_BYTES];
	int64_t measures[MEASURES];
	int64_t first_us, last_us; /* of sessions */
};

struct ledger {
	struct entry *entries;
	size_t count, capacity;
};

struct ledger *ledger_new(void)
{
	return xcalloc(1, sizeof(struct ledger));
}

void ledger_free(struct ledger *ledger)
{
	free(ledger->entries);
	free(ledger);
}

static struct entry *add(struct ledger *ledger, const int64_t *measures, size_t count,
			 const char *fmt, ...) ATTR_PRINTF(4, 5);

static struct entry *add(struct ledger *ledger, const int64_t *measures, size_t count,
			 const char *fmt, ...)
{
	struct entry *entry;
	va_list args;

	if (ledger->count == ledger->capacity) {
		ledger->capacity = ledger->capacity ? 2 * ledger->capacity : 64;
		ledger->entries = xrealloc_array(ledger->entries, ledger->capacity, sizeof *entry);
	}
	entry = &ledger->entries[ledger->count++];
	*entry = (struct entry){ .first_us = NO_TIME, .last_us = -NO_TIME };
	if (count > 0)
		memcpy(entry->measures, measures, count * sizeof *measures);
	va_start(args, fmt);
	vsnprintf(entry->key, sizeof entry->key, fmt, args);
	va_end(args);
	return entry;
}

static const char *name_of(const struct window *window, enum name_kind kind, uint32_t slot)
{
	size_t count;
	const struct window_name *names = window_names(window, kind, &count);

	return slot < count ? names[slot].text.data : "(no such slot)";
}

static const char *model_of(const struct window *window, uint32_t slot)
{
	static char text[KEY_BYTES];
	struct span provider, model;
	size_t count;
	const struct window_name *names = window_names(window, NAME_MODEL, &count);

	window_model_name(&names[slot], &provider, &model);
	snprintf(text, sizeof text, "%.*s/%.*s", (int)provider.len, provider.data, (int)model.len,
		 model.data);
	return text;
}

static void add_hours(struct ledger *ledger, const struct window *window)
{
	size_t count;
	const struct hour_row *rows = window_hours(window, &count);

	for (size_t i = 0; i < count; i++)
		add(ledger, rows[i].measures, MEASURES, "hour %" PRId64 " %s|%s|%s|%d",
		    rows[i].bucket_us, name_of(window, NAME_PERSON, rows[i].person),
		    name_of(window, NAME_TEAM, rows[i].team), model_of(window, rows[i].model),
		    rows[i].price_class);
}

static void add_minutes(struct ledger *ledger, const struct window *window)
{
	size_t count;
	const struct minute_row *rows = window_minutes(window, &count);

	for (size_t i = 0; i < count; i++)
		add(ledger, rows[i].measures, MEASURES, "minute %" PRId64 " %s|%s|%s|%d",
		    rows[i].bucket_us, name_of(window, NAME_TEAM, rows[i].team),
		    model_of(window, rows[i].model), name_of(window, NAME_APP, rows[i].app),
		    rows[i].price_class);
}

static void add_sessions(struct ledger *ledger, const struct window *window)
{
	size_t count;
	const struct session_row *rows = window_sessions(window, &count);

	for (size_t i = 0; i < count; i++) {
		struct entry *entry =
		    add(ledger, rows[i].measures, MEASURES_SESSION, "session %" PRId64 " %s|%s",
			rows[i].slot_us, name_of(window, NAME_PERSON, rows[i].person),
			name_of(window, NAME_SESSION, rows[i].session));

		entry->first_us = rows[i].first_us;
		entry->last_us = rows[i].last_us;
	}
}

static void add_latencies(struct ledger *ledger, const struct window *window)
{
	size_t count;
	const struct latency_row *rows = window_latencies(window, &count);

	for (size_t i = 0; i < count; i++)
		add(ledger, &rows[i].calls, 1, "latency %" PRId64 " %s|%d|%d", rows[i].bucket_us,
		    model_of(window, rows[i].model), rows[i].kind, rows[i].latency_class);
}

static void add_uses(struct ledger *ledger, const struct window *window)
{
	size_t count;
	const struct use_row *rows = window_uses(window, &count);

	for (size_t i = 0; i < count; i++)
		add(ledger, NULL, 0, "use %" PRId64 " %s|%s", rows[i].day_us,
		    name_of(window, NAME_PERSON, rows[i].person),
		    name_of(window, NAME_APP, rows[i].app));
}

static void add_shadows(struct ledger *ledger, const struct window *window)
{
	size_t count;
	const struct shadow_row *rows = window_shadows(window, &count);

	for (size_t i = 0; i < count; i++)
		add(ledger, rows[i].measures, MEASURES_SESSION, "shadow %" PRId64 " %s|%s|%s",
		    rows[i].bucket_us, name_of(window, NAME_TEAM, rows[i].team),
		    model_of(window, rows[i].model), name_of(window, NAME_SOURCE, rows[i].source));
}

void ledger_add_window(struct ledger *ledger, const struct window *window)
{
	add_hours(ledger, window);
	add_minutes(ledger, window);
	add_sessions(ledger, window);
	add_latencies(ledger, window);
	add_uses(ledger, window);
	add_shadows(ledger, window);
}

/* The time at which it was read is left out: another reading has another one. */
static void add_dead(struct ledger *ledger, const struct batch *batch, const struct batch_dead *dead)
{
	const struct batch_progress *progress = &batch->progress[dead->progress];

	add(ledger, &dead->count, 1, "dead %s/%" PRId32 " %" PRId64 ".%" PRId32 " %s %.*s %s",
	    progress->topic, progress->partition, dead->offset, dead->record,
	    dead_reason_name(dead->reason), (int)dead->payload_len,
	    dead->payload_len ? dead->payload : "", dead->detail);
}

void ledger_add_batch(struct ledger *ledger, const struct batch *batch)
{
	ledger_add_window(ledger, batch->window);
	for (size_t i = 0; i < batch->dead_count; i++)
		add_dead(ledger, batch, &batch->dead[i]);
}

/* Events of tests lie after 1970, and their names are NUL-terminated. */
void ledger_add_event(struct ledger *ledger, const struct event *event)
{
	int64_t minute = event->time_us - event->time_us % MINUTE;
	const char *user = event->user.data, *team = event->team.data, *app = event->app.data;
	char model[KEY_BYTES];

	snprintf(model, sizeof model, "%s/%s", event->provider.data, event->model.data);
	add(ledger, event->measures, MEASURES, "hour %" PRId64 " %s|%s|%s|%d",
	    event->time_us - event->time_us % (60 * MINUTE), user, team, model, event->price_class);
	add(ledger, event->measures, MEASURES, "minute %" PRId64 " %s|%s|%s|%d", minute, team,
	    model, app, event->price_class);
	if (event->session.len > 0) {
		struct entry *entry =
		    add(ledger, event->measures, MEASURES_SESSION, "session %" PRId64 " %s|%s",
			event->time_us - event->time_us % (30 * MINUTE), user, event->session.data);

		entry->first_us = entry->last_us = event->time_us;
	}
	add(ledger, NULL, 0, "use %" PRId64 " %s|%s",
	    event->time_us - event->time_us % (24 * 60 * MINUTE), user, app);
	if (event->duration_class != LATENCY_CLASS_NONE)
		add(ledger, event->measures, 1, "latency %" PRId64 " %s|0|%d", minute, model,
		    event->duration_class);
	if (event->ttft_class != LATENCY_CLASS_NONE)
		add(ledger, event->measures, 1, "latency %" PRId64 " %s|1|%d", minute, model,
		    event->ttft_class);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static void merge_into(struct entry *to, const struct entry *from)
{
	for (int i = 0; i < M_DURATION_MS_MAX; i++)
		to->measures[i] += from->measures[i];
	if (from->measures[M_DURATION_MS_MAX] > to->measures[M_DURATION_MS_MAX])
		to->measures[M_DURATION_MS_MAX] = from->measures[M_DURATION_MS_MAX];
	if (from->first_us < to->first_us)
		to->first_us = from->first_us;
	if (from->last_us > to->last_us)
		to->last_us = from->last_us;
}

static void merge(struct ledger *ledger)
{
	size_t kept = 0;

	if (ledger->count == 0)
		return;
	qsort(ledger->entries, ledger->count, sizeof *ledger->entries, compare_keys);
	for (size_t i = 1; i < ledger->count; i++)
		if (compare_keys(&ledger->entries[kept], &ledger->entries[i]) == 0)
			merge_into(&ledger->entries[kept], &ledger->entries[i]);
		else
			ledger->entries[++kept] = ledger->entries[i];
	ledger->count = kept + 1;
}

int64_t ledger_sum(const struct ledger *ledger, const char *kind, int measure)
{
	int64_t sum = 0;

	for (size_t i = 0; i < ledger->count; i++)
		if (strncmp(ledger->entries[i].key, kind, strlen(kind)) == 0)
			sum += ledger->entries[i].measures[measure];
	return sum;
}

bool ledger_equal(struct ledger *a, struct ledger *b)
{
	merge(a);
	merge(b);
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (memcmp(&a->entries[i].measures, &b->entries[i].measures,
			   sizeof(struct entry) - offsetof(struct entry, measures)) != 0 ||
		    compare_keys(&a->entries[i], &b->entries[i]) != 0) {
			fprintf(stderr, "# they differ at '%s' and '%s'\n", a->entries[i].key,
				b->entries[i].key);
			return false;
		}
	if (a->count != b->count)
		fprintf(stderr, "# one has %zu rows, the other %zu\n", a->count, b->count);
	return a->count == b->count;
}
