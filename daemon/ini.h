/* SPDX-License-Identifier: Apache-2.0
 *
 * ini: the lines of a configuration file -> entries (section, key, value, line). Knows the form
 * only; what a key means is the caller's.
 *
 * The form: `[section]`, `key = value`, blank lines, and comments: a line whose first byte that is
 * not a blank is `#` or `;`. The value is all after the first `=`, without the blanks at its ends;
 * nothing in it is special. There are no quotes and no continued lines.
 *
 * Why a reader of our own, and not Debian's libini_config 1.3.1: tried with INI_MV1S_ERROR,
 * INI_MV2S_ERROR, INI_PARSE_NOWRAP and INI_PARSE_NO_C_COMMENTS, it
 *   - cuts a value at a NUL byte without a word ("x=1\0 2" is "1"): we must refuse it;
 *   - takes a line of 9,000 bytes: we must refuse it;
 *   - reports a key repeated in a re-opened section at the line of the section;
 *   - gives nothing at all after a repeated key, so that the other faults stay unseen;
 *   - takes "[Log]" for "log", and keys before any section as section "default";
 *   - does not open a file with one byte that is not UTF-8, and then names no line.
 */
#ifndef TOKENTALLY_INI_H
#define TOKENTALLY_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "faults.h"
#include "text.h"

#define INI_LINE_BYTES_MAX 8192
#define INI_FILE_BYTES_MAX (1024 * 1024)
#define INI_ENTRIES_MAX 1000

struct ini_entry {
	char *section;
	char *key; /* NULL: the line of the section itself; value is NULL then */
	char *value;
	int line; /* from 1; 0: not from the file */
};

struct ini {
	struct ini_entry
	    *entries; /* in the order of the file; no two have the same section and key */
	size_t count;
};

void ini_init(struct ini *ini);
void ini_release(struct ini *ini); /* values are wiped: they can be secrets */

/* Adds the entries of the file. Every fault of form is added to faults ("FILE:LINE: ..."); the
 * other lines are there all the same. False only when the file could not be read at all, which is a
 * fault too. No text quotes a line: it can be a part of a secret. */
bool ini_read(struct ini *ini, const char *path, struct faults *faults);

/* Sets or replaces one entry; it then has line 0. */
void ini_set(struct ini *ini, struct span section, struct span key, const char *value);

const struct ini_entry *ini_find(const struct ini *ini, struct span section, struct span key);

/* The whole of a small file; free it by ini_wipe. */
bool ini_file_bytes(const char *path, size_t bytes_max, char **data, size_t *len,
		    struct err *err) ATTR_MUST_CHECK;
void ini_wipe(char *data, size_t len);

#endif
