/* SPDX-License-Identifier: Apache-2.0
 *
 * pg_array: parameters and arrays in PostgreSQL's binary format (network order; times are microseconds since
 * 2000-01-01). A composite element is its field count, then for each field type oid, length, bytes.
 */
#include "autoconf.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "period.h"
#include "pg.h"

static void put32(struct buf *buf, uint32_t value)
{
	uint32_t wire = htobe32(value);

	buf_add(buf, &wire, sizeof(wire));
}

static void patch32(struct buf *buf, size_t at, uint32_t value)
{
	uint32_t wire = htobe32(value);

	if (!buf->truncated)
		memcpy(buf->data + at, &wire, sizeof(wire));
}

#define HEADER_COUNT_AT 12 /* ndim, has_nulls, element type, then the count */

void pg_array_init(struct pg_array *array, uint32_t element_oid, int32_t fields, size_t bytes_max)
{
	memset(array, 0, sizeof(*array));
	array->element_oid = element_oid;
	array->fields = fields;
	buf_init(&array->buf, bytes_max);
	put32(&array->buf, 1);
	put32(&array->buf, 0);
	put32(&array->buf, element_oid);
	put32(&array->buf, 0);
	put32(&array->buf, 1);
}

void pg_array_release(struct pg_array *array)
{
	buf_release(&array->buf);
}

void pg_array_row(struct pg_array *array)
{
	array->row_at = array->buf.len;
	array->count++;
	put32(&array->buf, 0);
	put32(&array->buf, (uint32_t)array->fields);
}

void pg_array_row_end(struct pg_array *array)
{
	patch32(&array->buf, array->row_at, (uint32_t)(array->buf.len - array->row_at - 4));
}

/* What stands before a value: its type inside a row, and its length. */
static void open_value(struct pg_array *array, uint32_t oid, size_t len)
{
	if (array->fields)
		put32(&array->buf, oid);
	else
		array->count++;
	put32(&array->buf, (uint32_t)len);
}

void pg_array_bytes(struct pg_array *array, uint32_t oid, const void *data, size_t len)
{
	open_value(array, oid, len);
	buf_add(&array->buf, data, len);
}

/* The hot one: 14 measures a row. Type, length and value in one go. */
void pg_array_int8(struct pg_array *array, int64_t value)
{
	struct {
		uint32_t oid, len;
		uint64_t value;
	} wire = { htobe32(PG_OID_INT8), htobe32(8), htobe64((uint64_t)value) };

	if (array->fields) {
		buf_add(&array->buf, &wire, sizeof(wire));
		return;
	}
	pg_array_bytes(array, PG_OID_INT8, &wire.value, sizeof(wire.value));
}

void pg_array_int4(struct pg_array *array, int32_t value)
{
	uint32_t wire = htobe32((uint32_t)value);

	pg_array_bytes(array, PG_OID_INT4, &wire, sizeof(wire));
}

void pg_array_int2(struct pg_array *array, int16_t value)
{
	uint16_t wire = htobe16((uint16_t)value);

	pg_array_bytes(array, PG_OID_INT2, &wire, sizeof(wire));
}

void pg_array_time(struct pg_array *array, int64_t t_us)
{
	uint64_t wire = htobe64((uint64_t)(t_us - US_PG_EPOCH));

	pg_array_bytes(array, PG_OID_TIMESTAMPTZ, &wire, sizeof(wire));
}

void pg_array_text(struct pg_array *array, struct span value)
{
	pg_array_bytes(array, PG_OID_TEXT, value.data, value.len);
}

void pg_array_null(struct pg_array *array, uint32_t oid)
{
	if (array->fields)
		put32(&array->buf, oid);
	else
		array->count++;
	put32(&array->buf, UINT32_MAX);
}

static int next_param(struct pg_params *params, uint32_t oid, const char *value, size_t len, int format)
{
	int i = params->count++;

	params->types[i] = oid;
	params->values[i] = value;
	params->lengths[i] = (int)len;
	params->formats[i] = format;
	return i;
}

void pg_param_text(struct pg_params *params, const char *value)
{
	next_param(params, 0, value, 0, 0);
}

void pg_param_int8(struct pg_params *params, int64_t value)
{
	int i = next_param(params, 0, NULL, 0, 0);

	snprintf(params->scratch[i], sizeof(params->scratch[i]), "%lld", (long long)value);
	params->values[i] = params->scratch[i];
}

void pg_param_bool(struct pg_params *params, bool value)
{
	next_param(params, 0, value ? "true" : "false", 0, 0);
}

void pg_param_time(struct pg_params *params, int64_t t_us)
{
	uint64_t wire = htobe64((uint64_t)(t_us - US_PG_EPOCH));
	int i = next_param(params, PG_OID_TIMESTAMPTZ, NULL, sizeof(wire), 1);

	memcpy(params->scratch[i], &wire, sizeof(wire));
	params->values[i] = params->scratch[i];
}

void pg_param_uuid(struct pg_params *params, const unsigned char uuid[16])
{
	int i = next_param(params, PG_OID_UUID, NULL, 16, 1);

	memcpy(params->scratch[i], uuid, 16);
	params->values[i] = params->scratch[i];
}

void pg_param_array(struct pg_params *params, uint32_t array_oid, struct pg_array *array)
{
	patch32(&array->buf, HEADER_COUNT_AT, (uint32_t)array->count);
	next_param(params, array_oid, array->buf.data, array->buf.len, 1);
}
