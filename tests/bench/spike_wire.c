/* SPDX-License-Identifier: Apache-2.0
 *
 * spike_wire: see spike_wire.h.
 */
#include "spike_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INT2 21
#define INT4 23
#define INT8 20
#define TEXT 25
#define UUID 2950
#define TIMESTAMPTZ 1184

#define NUMBER(type, row, field)                                                                   \
	{                                                                                          \
		type, offsetof(struct row, field), sizeof(((struct row *)0)->field), false         \
	}
#define BYTES(type, row, field)                                                                    \
	{                                                                                          \
		type, offsetof(struct row, field), sizeof(((struct row *)0)->field), true          \
	}
#define MEASURES_12(row)                                                                           \
	NUMBER(INT8, row, measures[0]), NUMBER(INT8, row, measures[1]),                            \
	    NUMBER(INT8, row, measures[2]), NUMBER(INT8, row, measures[3]),                        \
	    NUMBER(INT8, row, measures[4]), NUMBER(INT8, row, measures[5]),                        \
	    NUMBER(INT8, row, measures[6]), NUMBER(INT8, row, measures[7]),                        \
	    NUMBER(INT8, row, measures[8]), NUMBER(INT8, row, measures[9]),                        \
	    NUMBER(INT8, row, measures[10]), NUMBER(INT8, row, measures[11])
#define MEASURES_14(row)                                                                           \
	MEASURES_12(row), NUMBER(INT8, row, measures[12]), NUMBER(INT8, row, measures[13])
#define COUNT(fields) ((int)(sizeof(fields) / sizeof((fields)[0])))

static const struct wire_field hour_fields[] = {
	NUMBER(TIMESTAMPTZ, spike_hour, bucket), NUMBER(INT8, spike_hour, person),
	NUMBER(INT4, spike_hour, team),		 NUMBER(INT4, spike_hour, model),
	NUMBER(INT2, spike_hour, price_class),	 MEASURES_14(spike_hour),
};
static const struct wire_field session_fields[] = {
	NUMBER(TIMESTAMPTZ, spike_session, slot),
	NUMBER(INT8, spike_session, person),
	BYTES(UUID, spike_session, id),
	BYTES(TEXT, spike_session, session_key),
	BYTES(TEXT, spike_session, shown_key),
	NUMBER(TIMESTAMPTZ, spike_session, first_seen),
	NUMBER(TIMESTAMPTZ, spike_session, last_seen),
	MEASURES_12(spike_session),
};
static const struct wire_field minute_fields[] = {
	NUMBER(TIMESTAMPTZ, spike_minute, bucket), NUMBER(INT4, spike_minute, team),
	NUMBER(INT4, spike_minute, model),	   NUMBER(INT4, spike_minute, app),
	NUMBER(INT2, spike_minute, price_class),   MEASURES_14(spike_minute),
};
static const struct wire_field latency_fields[] = {
	NUMBER(TIMESTAMPTZ, spike_latency, bucket), NUMBER(INT4, spike_latency, model),
	NUMBER(INT2, spike_latency, kind),	    NUMBER(INT2, spike_latency, latency_class),
	NUMBER(INT8, spike_latency, calls),
};

const struct wire_layout wire_hour = { "spike.hour_delta", hour_fields, COUNT(hour_fields) };
const struct wire_layout wire_session = { "spike.session_delta", session_fields,
					  COUNT(session_fields) };
const struct wire_layout wire_minute = { "spike.minute_delta", minute_fields,
					 COUNT(minute_fields) };
const struct wire_layout wire_latency = { "spike.latency_delta", latency_fields,
					  COUNT(latency_fields) };

void wire_release(struct wire *wire)
{
	free(wire->data);
	memset(wire, 0, sizeof(*wire));
}

static void reserve(struct wire *wire, size_t more)
{
	if (wire->len + more <= wire->cap)
		return;
	wire->cap = (wire->len + more) * 2;
	wire->data = realloc(wire->data, wire->cap);
	if (!wire->data) {
		fputs("spike: out of memory\n", stderr);
		abort();
	}
}

static inline void put(struct wire *wire, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		wire->data[wire->len + i] = (char)(value >> (8 * (width - 1 - i)));
	wire->len += width;
}

static inline void put_field(struct wire *wire, const struct wire_field *field,
			     const unsigned char *row)
{
	const unsigned char *at = row + field->offset;
	uint64_t value = 0;

	put(wire, field->width, 4);
	if (field->raw) {
		memcpy(wire->data + wire->len, at, field->width);
		wire->len += field->width;
		return;
	}
	memcpy(&value, at, field->width); /* little-endian machines only: this is a bench */
	put(wire, value, field->width);
}

void wire_number(struct wire *wire, uint64_t value, size_t width)
{
	wire->len = 0;
	reserve(wire, width);
	put(wire, value, width);
}

static size_t row_width(const struct wire_layout *layout)
{
	size_t width = 0;

	for (int i = 0; i < layout->count; i++)
		width += layout->fields[i].width;
	return width;
}

/* Dimensions 1, no nulls, element type, length, lower bound 1. */
static void put_array_head(struct wire *wire, uint32_t type, size_t count)
{
	wire->len = 0;
	reserve(wire, 20);
	put(wire, 1, 4);
	put(wire, 0, 4);
	put(wire, type, 4);
	put(wire, count, 4);
	put(wire, 1, 4);
}

void wire_composites(struct wire *wire, const struct wire_layout *layout, uint32_t type,
		     const struct spike_rows *rows, size_t from, size_t to)
{
	size_t width = 4 + row_width(layout) + 8 * (size_t)layout->count;

	put_array_head(wire, type, to - from);
	reserve(wire, (width + 4) * (to - from));
	for (size_t i = from; i < to; i++) {
		const unsigned char *row = rows->rows + i * rows->row_size;

		put(wire, width, 4);
		put(wire, (uint64_t)layout->count, 4);
		for (int f = 0; f < layout->count; f++) {
			put(wire, layout->fields[f].type, 4);
			put_field(wire, &layout->fields[f], row);
		}
	}
}

void wire_column(struct wire *wire, const struct wire_field *field, const struct spike_rows *rows,
		 size_t from, size_t to)
{
	put_array_head(wire, field->type, to - from);
	reserve(wire, (field->width + 4) * (to - from));
	for (size_t i = from; i < to; i++)
		put_field(wire, field, rows->rows + i * rows->row_size);
}

void wire_copy(struct wire *wire, const struct wire_layout *layout, const struct spike_rows *rows,
	       size_t from, size_t to)
{
	static const char head[19] = "PGCOPY\n\377\r\n";

	wire->len = 0;
	reserve(wire, sizeof(head) + 2 +
			  (2 + row_width(layout) + 4 * (size_t)layout->count) * (to - from));
	memcpy(wire->data, head, sizeof(head));
	wire->len = sizeof(head);
	for (size_t i = from; i < to; i++) {
		put(wire, (uint64_t)layout->count, 2);
		for (int f = 0; f < layout->count; f++)
			put_field(wire, &layout->fields[f], rows->rows + i * rows->row_size);
	}
	put(wire, 0xffff, 2);
}
