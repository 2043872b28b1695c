/* SPDX-License-Identifier: Apache-2.0
 *
 * err: what went wrong, in one line, and what to do about it.
 *
 * Every function that can fail returns bool and takes a `struct err *` last. The kind is the
 * caller's instruction, never a code of the library below: only `source` translates Kafka's codes
 * and only `pg` translates SQLSTATEs. On failure out-parameters are left untouched.
 *
 * Text follows git's form: lower case, no full stop, what failed first, the subject in quotes:
 * "cannot read '/etc/x.conf': Permission denied". Nothing secret ever goes into a text.
 */
#ifndef TOKENTALLY_ERR_H
#define TOKENTALLY_ERR_H

#include <stdbool.h>

#define ATTR_MUST_CHECK __attribute__((warn_unused_result))
#define ATTR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum err_kind {
	ERR_NONE = 0,
	ERR_CONFIG, /* a restart cannot mend it: configuration, schema, permission. Exit status 78 */
	ERR_DATA,   /* this input is bad: count it, dead-letter it, go on */
	ERR_RETRY,  /* passing trouble: back off, then the same thing again */
	ERR_FENCED, /* what we held is not ours any more: forget it and claim anew */
	ERR_FATAL,  /* leave with exit status 1; systemd restarts us */
};

struct err {
	enum err_kind kind;
	char text[512];
};

/* Both return false, so that a failing function ends in `return err_set(err, ...)`. */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) ATTR_PRINTF(3, 4);

/* Puts "prefix: " before the text that is there; the kind stays. */
bool err_wrap(struct err *err, const char *fmt, ...) ATTR_PRINTF(2, 3);

const char *err_kind_name(enum err_kind kind);

#endif
