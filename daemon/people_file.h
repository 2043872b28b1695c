/* SPDX-License-Identifier: Apache-2.0
 *
 * people_file: the teams of people as a CSV file has them. The first line names the columns: user, team and, if each
 * line has a time of its own, from. Pure; the caller reads the file.
 */
#ifndef TOKENTALLY_PEOPLE_FILE_H
#define TOKENTALLY_PEOPLE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faults.h"
#include "text.h"

struct person_line {
	struct span user, team; /* in the caller's text */
	int64_t from_us;
	int line;
};

struct people_file {
	struct person_line *lines;
	size_t count, capacity;
};
void people_file_release(struct people_file *file);

/* A time as RFC 3339 has it, or a date: its first moment in UTC. */
bool people_file_time(struct span text, int64_t *out_us);

/* Reads text, and changes it. default_from_us: of lines without a time. False: each fault is in *faults, as
 * "NAME:LINE: what". */
bool people_file_read(struct people_file *file, const char *name, char *text, size_t len, int64_t default_from_us,
		      struct faults *faults) ATTR_MUST_CHECK;

#endif
