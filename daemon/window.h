/* SPDX-License-Identifier: Apache-2.0
 *
 * window: what came in since the last commit, as deltas keyed by (bucket, dimensions). After a commit it is
 * empty, so a late event is only a delta for an old bucket, and losing a window is always recoverable: go
 * back to the committed offset. Pure: no clock, no I/O, no log, no SQL.
 *
 * Rows name their dimensions by slots of the window's own name lists; `sink` turns slots into database ids.
 * Owned by one thread at a time (ingest fills it, then hands it to the writer).
 */
#ifndef TOKENTALLY_WINDOW_H
#define TOKENTALLY_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

enum name_kind { NAME_PERSON, NAME_TEAM, NAME_MODEL, NAME_APP, NAME_SESSION, NAME_SOURCE, NAME_KINDS };

/* A distinct name of this window. For NAME_MODEL text is provider NUL model; see window_model_name(). */
struct window_name {
	uint64_t hash; /* XXH3 of text */
	struct span text;
};

/* Hour rows, by person. Days are folded from hours in the database (docs/PERFORMANCE.md). */
struct hour_row {
	int64_t bucket_us;
	uint32_t person, team, model;
	int16_t price_class;
	int64_t measures[MEASURES];
};
/* Minute rows, by team and app. Team-hours are summed from them by the commit. */
struct minute_row {
	int64_t bucket_us;
	uint32_t team, model, app;
	int16_t price_class;
	int64_t measures[MEASURES];
};
/* 30-minute slots of sessions; only for events with a session. */
struct session_row {
	int64_t slot_us, first_us, last_us;
	uint32_t person, session;
	int64_t measures[MEASURES_SESSION];
};
enum latency_kind { LATENCY_DURATION, LATENCY_TTFT };
struct latency_row {
	int64_t bucket_us; /* minute */
	uint32_t model;
	int16_t kind, latency_class;
	int64_t calls;
};

/* Who used an app on which day: no sums, only to count the people of an app. */
struct use_row {
	int64_t day_us;
	uint32_t person, app;
};

/* Calls that a source rule keeps out of all of the above, by hour. */
struct shadow_row {
	int64_t bucket_us;
	uint32_t team, model, source;
	int64_t measures[MEASURES_SESSION];
};

struct window;
struct window *window_new(void);
void window_free(struct window *window);
/* Empties it; keeps memory for the next round up to keep_bytes. */
void window_clear(struct window *window, size_t keep_bytes);

/* False, and nothing is changed, when a sum would leave int64. */
bool window_add(struct window *window, const struct event *event) ATTR_MUST_CHECK;
/* The same, into the shadow rows only. */
bool window_add_shadow(struct window *window, const struct event *event, struct span source) ATTR_MUST_CHECK;

size_t window_row_count(const struct window *window); /* all five kinds with measures together */
size_t window_bytes(const struct window *window);     /* memory in use, names included */

/* Rows in order of first appearance. Valid until the next add or clear. */
const struct hour_row *window_hours(const struct window *window, size_t *count);
const struct minute_row *window_minutes(const struct window *window, size_t *count);
const struct session_row *window_sessions(const struct window *window, size_t *count);
const struct latency_row *window_latencies(const struct window *window, size_t *count);
const struct shadow_row *window_shadows(const struct window *window, size_t *count);
const struct use_row *window_uses(const struct window *window, size_t *count);
const struct window_name *window_names(const struct window *window, enum name_kind kind, size_t *count);
/* Splits the text of a NAME_MODEL. */
void window_model_name(const struct window_name *name, struct span *provider, struct span *model);

#endif
