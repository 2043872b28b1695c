/* SPDX-License-Identifier: Apache-2.0
 *
 * csv: see csv.h. After a fault reading goes on with the next line, so that one run names all of them.
 */
#include "autoconf.h"

#include "csv.h"

#include <string.h>

#define BOM "\xef\xbb\xbf"

void csv_init(struct csv *csv, char *text, size_t len)
{
	size_t bom = sizeof(BOM) - 1;

	*csv = (struct csv){ text, text + len, 1 };
	if (len >= bom && !memcmp(text, BOM, bom))
		csv->at += bom;
}

/* At the end of a line, or of the text. */
static bool is_line_end(const struct csv *csv)
{
	return csv->at == csv->end || *csv->at == '\n' ||
	       (*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n');
}

static void skip_line_end(struct csv *csv)
{
	if (csv->at == csv->end)
		return;
	csv->at += *csv->at == '\r' ? 2 : 1;
	csv->line++;
}

/* The text between quotes; `at` is behind the first of them. */
static const char *read_quoted(struct csv *csv, struct span *field)
{
	char *start = csv->at, *to = csv->at;

	while (csv->at < csv->end) {
		if (*csv->at == '"' && (csv->at + 1 == csv->end || csv->at[1] != '"')) {
			csv->at++;
			*field = (struct span){ start, (size_t)(to - start) };
			if (!is_line_end(csv) && *csv->at != ',')
				return "text behind a closing quote";
			return NULL;
		}
		csv->at += *csv->at == '"';
		csv->line += *csv->at == '\n';
		*to++ = *csv->at++;
	}
	return "a quote that is not closed";
}

static const char *read_field(struct csv *csv, struct span *field)
{
	char *start = csv->at;

	if (csv->at < csv->end && *csv->at == '"') {
		csv->at++;
		return read_quoted(csv, field);
	}
	while (!is_line_end(csv) && *csv->at != ',') {
		if (*csv->at == '"')
			return "a quote inside of a field";
		csv->at++;
	}
	*field = (struct span){ start, (size_t)(csv->at - start) };
	return NULL;
}

static const char *read_fields(struct csv *csv, struct csv_row *row)
{
	for (;;) {
		const char *fault;

		if (row->count == CSV_FIELDS_MAX)
			return "too many fields";
		fault = read_field(csv, &row->fields[row->count++]);
		if (fault)
			return fault;
		if (is_line_end(csv))
			return NULL;
		csv->at++; /* the comma */
	}
}

bool csv_next(struct csv *csv, struct csv_row *row)
{
	while (csv->at < csv->end && is_line_end(csv))
		skip_line_end(csv);
	if (csv->at == csv->end)
		return false;
	*row = (struct csv_row){ .line = csv->line };
	row->fault = read_fields(csv, row);
	if (row->fault) {
		row->count = 0;
		while (!is_line_end(csv))
			csv->at++;
	}
	skip_line_end(csv);
	return true;
}
