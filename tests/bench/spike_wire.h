/* SPDX-License-Identifier: Apache-2.0
 *
 * spike_wire: rows of spike_load in the three binary forms that the spike compares: an array of a
 * composite type, one array a column, and COPY. A table of fields describes a row; nothing here
 * knows a connection.
 */
#ifndef TOKENTALLY_SPIKE_WIRE_H
#define TOKENTALLY_SPIKE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spike_load.h"

struct wire {
	char *data;
	size_t len, cap;
};
struct wire_field {
	uint32_t type; /* PostgreSQL's oid */
	size_t offset, width;
	bool raw; /* bytes as they stand, not a number */
};
struct wire_layout {
	const char *type; /* name of the composite type */
	const struct wire_field *fields;
	int count;
};

extern const struct wire_layout wire_hour, wire_session, wire_minute, wire_latency;

void wire_release(struct wire *wire);
/* They replace what is in wire. type is the oid of the composite type. */
void wire_composites(struct wire *wire, const struct wire_layout *layout, uint32_t type,
		     const struct spike_rows *rows, size_t from, size_t to);
void wire_column(struct wire *wire, const struct wire_field *field, const struct spike_rows *rows,
		 size_t from, size_t to);
void wire_number(struct wire *wire, uint64_t value, size_t width);
void wire_copy(struct wire *wire, const struct wire_layout *layout, const struct spike_rows *rows,
	       size_t from, size_t to);

#endif
