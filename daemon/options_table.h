/* SPDX-License-Identifier: Apache-2.0
 *
 * options_table: what one option is, and its value from and to text. Inner header of options*.c.
 */
#ifndef TOKENTALLY_OPTIONS_TABLE_H
#define TOKENTALLY_OPTIONS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "ini.h"
#include "options.h"

enum option_type {
	OPTION_STRING,	 /* char * */
	OPTION_TOPICS,	 /* struct topic_option *, and topic_count */
	OPTION_INT,	 /* int */
	OPTION_WORKERS,	 /* int; "auto" is 0 */
	OPTION_COUNT,	 /* int64_t, "20M" */
	OPTION_SIZE,	 /* uint64_t bytes */
	OPTION_DURATION, /* int64_t milliseconds */
	OPTION_BOOL,	 /* bool */
	OPTION_WORD,	 /* an enum: the index in words */
};

struct option_def {
	struct option_info info;
	enum option_type type;
	size_t offset;		  /* of the field in struct options */
	const char *min, *max;	  /* as text, both included; NULL: no bound */
	const char *const *words; /* OPTION_WORD; ends with NULL */
	bool (*check)(const char *value, struct err *err); /* OPTION_STRING; NULL: any text */
};

/* In the order of the file; sections are in one piece. Ends with a NULL name. */
extern const struct option_def option_defs[];
extern const char *const option_sections[];

const struct option_def *option_find(const char *section, const char *key);

/* Sets the field from text. On failure the field stays, and the text says what is wrong with the
 * value. */
bool option_set(struct options *options, const struct option_def *def, const char *text,
		struct err *err) ATTR_MUST_CHECK;

/* Adds the value as text that option_set reads back; nothing when it is NULL. */
void option_show(const struct options *options, const struct option_def *def, struct buf *out);
void option_release(struct options *options, const struct option_def *def);

/* "@FILE" and "@@": the text that a value stands for. from_file: it must not be quoted anywhere. */
bool option_resolve(const char *value, char **text, bool *from_file,
		    struct err *err) ATTR_MUST_CHECK;
void option_wipe(char *text); /* NULL is fine */

/* What two or more options must be together, and what must not be passed on to librdkafka. `where`
 * gives the start of a fault's text for an option. */
struct option_place {
	const char *path;
	const struct ini *ini; /* NULL: lines are not known */
};
void option_fault(const struct option_place *place, const char *name, const char *text,
		  struct faults *faults);
void options_check_together(const struct options *options, const struct option_place *place,
			    struct faults *faults);
bool options_kafka_key_allowed(const char *key, struct err *err) ATTR_MUST_CHECK;

/* Rules of single strings, for the table. */
bool options_check_filled(const char *value, struct err *err) ATTR_MUST_CHECK;
bool options_check_format(const char *value, struct err *err) ATTR_MUST_CHECK;
bool options_check_listen(const char *value, struct err *err) ATTR_MUST_CHECK;
bool options_check_topic(struct span name, struct err *err) ATTR_MUST_CHECK;

/* True when a connection string or URI of libpq holds a password or another secret. */
bool options_conninfo_is_secret(const char *conninfo);

#endif
