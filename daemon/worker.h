/* SPDX-License-Identifier: Apache-2.0
 *
 * worker: the ingest threads of this process. A worker is one member of the Kafka group with its own windows
 * and its own database connection; they share nothing, and it makes no difference whether they are in one
 * process or in many.
 */
#ifndef TOKENTALLY_WORKER_H
#define TOKENTALLY_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "options.h"
#include "text.h"

struct workers;
struct mappings;
/* Starts them all; on failure none runs. options and mappings must outlive them. */
struct workers *workers_new(const struct options *options, const struct mappings *mappings, struct err *err) ATTR_MUST_CHECK;
int workers_count(const struct workers *workers);
/* False: one of them has ended by itself; err says why. */
bool workers_are_well(struct workers *workers, struct err *err);
/* Each loop moved since the last call: for a watchdog. */
bool workers_moved(struct workers *workers);
void workers_report(const struct workers *workers, struct buf *reasons);
void workers_reload(struct workers *workers, const struct options *options, const struct mappings *mappings);
/* Last commits, leave the group. False: not all ended before the deadline (monotonic); their threads still run and
 * only the process's end is left. */
bool workers_stop(struct workers *workers, int64_t deadline_ms);

#endif
