/* SPDX-License-Identifier: Apache-2.0
 *
 * upkeep: the thread that does what has to be done now and then, on a database connection of its own:
 * partitions ahead, retention, folding hours into days, titles. Every process has one; what the database
 * shows as done is not done again, so any number of them is fine.
 */
#ifndef TOKENTALLY_UPKEEP_H
#define TOKENTALLY_UPKEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "options.h"

struct upkeep;
struct mappings;
/* Connects first: ERR_CONFIG when the database says no to schema, key or role; passing trouble is none, it goes on
 * trying. */
struct upkeep *upkeep_new(const struct options *options, const struct mappings *mappings, struct err *err) ATTR_MUST_CHECK;
/* Joins the thread; a statement under way is given up. */
void upkeep_free(struct upkeep *upkeep);
/* Both must outlive upkeep. */
void upkeep_reload(struct upkeep *upkeep, const struct options *options, const struct mappings *mappings);
/* False: err tells what a restart cannot mend; the process should end. */
bool upkeep_is_well(struct upkeep *upkeep, struct err *err);
/* Has the database answered lately? */
bool upkeep_is_connected(const struct upkeep *upkeep);

#endif
