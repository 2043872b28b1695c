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
	bool stored;  /* false: another run was under way, or an older hour than the newest run: computed only */
	bool partial; /* a partition still held older events */
	int64_t holders, changes;
	char note[300];
	int64_t took_ms;
};

/* as_of: what PostgreSQL takes as a timestamptz; NULL: the newest closed hour. */
bool titles_recompute(struct pg *pg, const char *as_of, bool partial, struct titles_run *run,
		      struct err *err) ATTR_MUST_CHECK;
/* Runs what is due, oldest hour first, and logs each run. Sets *ran to how many. */
bool titles_run_due(struct pg *pg, const struct options *options, int64_t now_us, int *ran,
		    struct err *err) ATTR_MUST_CHECK;

#endif
