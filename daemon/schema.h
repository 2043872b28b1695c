/* SPDX-License-Identifier: Apache-2.0
 *
 * schema: brings the schema `tokentally` to this binary's version, in one transaction, forward only. Safe
 * again and safe while daemons run.
 */
#ifndef TOKENTALLY_SCHEMA_H
#define TOKENTALLY_SCHEMA_H

#include <stdbool.h>

#include "err.h"
#include "pg.h"

struct schema_plan {
	int have, want; /* versions; have 0: none */
};
/* ERR_CONFIG when the database is newer than this binary. */
bool schema_plan(struct pg *pg, struct schema_plan *plan, struct err *err) ATTR_MUST_CHECK;
/* Calls step for every script before it is run; dry_run: only that. All of it is one transaction, tried again where
 * locks of others are in its way. */
bool schema_migrate(struct pg *pg, const struct schema_plan *plan, bool dry_run, void (*step)(const char *name),
		    struct err *err) ATTR_MUST_CHECK;

#endif
