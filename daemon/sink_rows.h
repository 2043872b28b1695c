/* SPDX-License-Identifier: Apache-2.0
 *
 * sink_rows: a batch as the binary arrays that ingest_commit takes, each sorted by the key of its table: that
 * order is what keeps workers from deadlocking (opposite orders: 5 of 8 statements; the same: none). Part of
 * sink; nobody else includes it.
 */
#ifndef TOKENTALLY_SINK_ROWS_H
#define TOKENTALLY_SINK_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "names.h"
#include "pg.h"
#include "sink.h"

/* In the order of ingest_commit's parameters; shadows are named. */
enum sink_type {
	TYPE_PROGRESS,
	TYPE_DEAD,
	TYPE_SESSION,
	TYPE_HOUR,
	TYPE_MINUTE,
	TYPE_LATENCY,
	TYPE_DEDUPE,
	TYPE_SHADOW,
	SINK_TYPES
};

/* Oids of the composite types of sql/migrations (001-20-types.sql, 001-76-teams-and-sources.sql); they differ from
 * database to database. */
struct sink_types {
	uint32_t element_oid[SINK_TYPES], array_oid[SINK_TYPES];
};
bool sink_types_read(struct sink_types *types, struct pg *pg, struct err *err) ATTR_MUST_CHECK;

struct sink_arrays {
	struct pg_array arrays[SINK_TYPES];
};
void sink_arrays_init(struct sink_arrays *arrays, const struct sink_types *types);
void sink_arrays_release(struct sink_arrays *arrays);
/* ERR_DATA when the batch is more than one statement can carry. */
bool sink_arrays_fill(struct sink_arrays *arrays, const struct batch *batch, const struct name_ids *ids,
		      struct sink_rows *rows, struct err *err) ATTR_MUST_CHECK;
void sink_arrays_add_params(struct sink_arrays *arrays, const struct sink_types *types, struct pg_params *params);

#endif
