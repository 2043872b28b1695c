/* SPDX-License-Identifier: Apache-2.0
 *
 * people_file: see people_file.h. Each line has one fault at most, the first that is found. What only the database can
 * tell, two teams from the same time, is not looked for here.
 */
#include "autoconf.h"

#include "people_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "decode_scan.h"
#include "mem.h"
#include "period.h"

#define NAME_BYTES_MAX 256

enum column { COLUMN_USER, COLUMN_TEAM, COLUMN_FROM, COLUMNS };
static const char *const column_names[COLUMNS] = { "user", "team", "from" };

struct columns {
	int at[COLUMNS]; /* -1: not there */
	size_t count;
};

void people_file_release(struct people_file *file)
{
	free(file->lines);
	*file = (struct people_file){ 0 };
}

bool people_file_time(struct span text, int64_t *out_us)
{
	char moment[32];
	int64_t at_us;

	if (text.len == 10) {
		snprintf(moment, sizeof(moment), "%.10sT00:00:00Z", text.data);
		text = span_of(moment);
	}
	/* PostgreSQL knows no year 0. */
	if (!period_parse_rfc3339(text, &at_us) || (text.len >= 4 && !memcmp(text.data, "0000", 4)))
		return false;
	*out_us = at_us;
	return true;
}

static int column_of(struct span name)
{
	for (int i = 0; i < COLUMNS; i++)
		if (span_is(name, column_names[i]))
			return i;
	return -1;
}

static bool read_header(const struct csv_row *row, const char *name, struct columns *columns, struct faults *faults)
{
	char shown[64];

	*columns = (struct columns){ { -1, -1, -1 }, row->count };
	for (size_t i = 0; i < row->count; i++) {
		int column = column_of(row->fields[i]);

		text_printable(shown, sizeof(shown), row->fields[i]);
		if (column < 0 || columns->at[column] >= 0) {
			faults_add(faults, "%s:%d: the first line names the columns: user, team and perhaps from, once each; not '%s'",
				   name, row->line, shown);
			return false;
		}
		columns->at[column] = (int)i;
	}
	if (columns->at[COLUMN_USER] >= 0 && columns->at[COLUMN_TEAM] >= 0)
		return true;
	faults_add(faults, "%s:%d: the first line names the columns, and '%s' is missing", name, row->line,
		   column_names[columns->at[COLUMN_USER] < 0 ? COLUMN_USER : COLUMN_TEAM]);
	return false;
}

static const char *fault_of_name(struct span name, bool may_be_empty)
{
	if (!name.len && !may_be_empty)
		return "is empty";
	if (name.len > NAME_BYTES_MAX)
		return "is longer than 256 bytes";
	if (!scan_is_utf8(name))
		return "is not UTF-8";
	if (name.len && memchr(name.data, '\0', name.len))
		return "holds a NUL byte";
	return NULL;
}

/* False: *column and *what say what is wrong. */
static bool read_line(const struct csv_row *row, const struct columns *columns, int64_t default_from_us,
		      struct person_line *line, enum column *column, const char **what)
{
	struct span from = { NULL, 0 };

	*line = (struct person_line){ row->fields[columns->at[COLUMN_USER]], row->fields[columns->at[COLUMN_TEAM]],
				      default_from_us, row->line };
	if (columns->at[COLUMN_FROM] >= 0)
		from = row->fields[columns->at[COLUMN_FROM]];
	*column = COLUMN_USER;
	*what = fault_of_name(line->user, false);
	if (!*what) {
		*column = COLUMN_TEAM;
		*what = fault_of_name(line->team, true);
	}
	if (!*what && from.len && !people_file_time(from, &line->from_us)) {
		*column = COLUMN_FROM;
		*what = "is neither a date such as 2026-11-23 nor a time such as 2026-11-23T10:00:00+01:00";
	}
	return !*what;
}

static void add_line(struct people_file *file, const struct person_line *line)
{
	if (file->count == file->capacity) {
		file->capacity = file->capacity ? 2 * file->capacity : 256;
		file->lines = xrealloc_array(file->lines, file->capacity, sizeof(*file->lines));
	}
	file->lines[file->count++] = *line;
}

static void take_row(struct people_file *file, const struct csv_row *row, const struct columns *columns, const char *name,
		     int64_t default_from_us, struct faults *faults)
{
	struct person_line line;
	enum column column;
	const char *what;

	if (row->fault)
		faults_add(faults, "%s:%d: %s", name, row->line, row->fault);
	else if (row->count != columns->count)
		faults_add(faults, "%s:%d: %zu fields, the first line has %zu", name, row->line, row->count, columns->count);
	else if (!read_line(row, columns, default_from_us, &line, &column, &what))
		faults_add(faults, "%s:%d: %s %s", name, row->line, column_names[column], what);
	else
		add_line(file, &line);
}

bool people_file_read(struct people_file *file, const char *name, char *text, size_t len, int64_t default_from_us,
		      struct faults *faults)
{
	struct columns columns;
	struct csv_row row;
	struct csv csv;

	csv_init(&csv, text, len);
	if (!csv_next(&csv, &row)) {
		faults_add(faults, "%s:1: the file is empty", name);
		return false;
	}
	if (row.fault) {
		faults_add(faults, "%s:%d: %s", name, row.line, row.fault);
		return false;
	}
	if (!read_header(&row, name, &columns, faults))
		return false;
	while (csv_next(&csv, &row))
		take_row(file, &row, &columns, name, default_from_us, faults);
	return !faults->count;
}
