/* SPDX-License-Identifier: Apache-2.0
 *
 * titles: has the database recompute titles: what is due is a row there, not a timer's memory, and of many
 * processes that ask at the same time one does the work.
 */
#ifndef TOKENTALLY_TITLES_H
#define TOKENTALLY_TITLES_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "options.h"
#include "pg.h"

struct titles_run {
	char as_of[40];
	bool stored;
	bool busy;    /* another run was under way, and nothing was done. Neither: computed only, see titles_preview */
	bool partial; /* a partition still held older events */
	int64_t holders, changes;
	char note[1200];
	int64_t took_ms;
};

/* as_of: what PostgreSQL takes as a timestamptz; NULL: the newest closed hour. */
bool titles_recompute(struct pg *pg, const char *as_of, bool partial, struct titles_run *run,
		      struct err *err) ATTR_MUST_CHECK;
/* The titles of an hour that is not stored: rows of title, tier, rank, who, value. */
bool titles_preview(struct pg *pg, const char *as_of, struct pg_result **holders, struct err *err) ATTR_MUST_CHECK;
/* Runs what is due, oldest hour first, at most titles.catch_up_max hours, and logs each run. Ends early, and quietly,
 * where another process is at it. Sets *ran to how many were stored. */
bool titles_run_due(struct pg *pg, const struct options *options, int64_t now_us, int *ran,
		    struct err *err) ATTR_MUST_CHECK;

#endif
