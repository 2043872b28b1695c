/* SPDX-License-Identifier: Apache-2.0
 *
 * spike: what the parts of the write-path comparison share: the load of issue 3 and the arguments
 * of one whole commit.
 */
#ifndef TOKENTALLY_SPIKE_H
#define TOKENTALLY_SPIKE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "spike_load.h"
#include "spike_wire.h"

enum {
	ARGUMENT_PARTITION,
	ARGUMENT_EVENTS,
	ARGUMENT_SESSIONS,
	ARGUMENT_HOURS,
	ARGUMENT_MINUTES,
	ARGUMENT_LATENCIES,
	ARGUMENT_DAYS,
	ARGUMENT_HOT_FIRST,
	ARGUMENTS
};

struct commit_arguments {
	uint32_t types[ARGUMENTS]; /* of the composites */
	struct wire wires[ARGUMENTS];
};

extern const struct spike_load_options spike_issue_load;

void commit_arguments_init(struct commit_arguments *arguments, PGconn *conn);
void commit_arguments_release(struct commit_arguments *arguments);
void commit_arguments_fill(struct commit_arguments *arguments, const struct spike_load *load,
			   int partition, bool days, bool hot_first);
size_t commit_arguments_bytes(const struct commit_arguments *arguments);
/* False on a deadlock. */
bool commit_arguments_call(PGconn *conn, const struct commit_arguments *arguments);

void part_clients(void);

#endif
