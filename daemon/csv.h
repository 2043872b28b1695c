/* SPDX-License-Identifier: Apache-2.0
 *
 * csv: comma-separated values as RFC 4180 has them: fields may stand in double quotes, and then hold commas, line
 * breaks and, doubled, quotes. Blanks belong to a field. Lines end with LF or CRLF; empty ones are passed over.
 * Works in place: fields point into the caller's text, which is changed.
 */
#ifndef TOKENTALLY_CSV_H
#define TOKENTALLY_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

#define CSV_FIELDS_MAX 16

struct csv {
	char *at, *end;
	int line; /* that `at` is in, from 1 */
};

struct csv_row {
	int line; /* where it begins */
	size_t count;
	struct span fields[CSV_FIELDS_MAX];
	const char *fault; /* NULL, or what is wrong with it; there are no fields then */
};

/* A byte order mark at the start is passed over. */
void csv_init(struct csv *csv, char *text, size_t len);
/* False: there is no more. */
bool csv_next(struct csv *csv, struct csv_row *row);

#endif
