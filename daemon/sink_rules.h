/* SPDX-License-Identifier: Apache-2.0
 *
 * sink_rules: reads the rules from the database. Part of sink; it never logs.
 */
#ifndef TOKENTALLY_SINK_RULES_H
#define TOKENTALLY_SINK_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "pg.h"
#include "rules.h"

/* Makes *rules those of the database; nothing is read again while the generation is the same. from_us: no event is
 * older. ERR_FENCED with PG_PROBLEM_RULES: they changed meanwhile. ERR_RETRY when they are above bytes_max: the
 * text says so. After a failure they are unknown. */
bool sink_rules_read(struct pg *pg, struct rules *rules, int64_t from_us, size_t bytes_max,
		     struct err *err) ATTR_MUST_CHECK;

#endif
