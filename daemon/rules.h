/* SPDX-License-Identifier: Apache-2.0
 *
 * rules: what each event is looked up by before it is counted: the roster and the precedence of sources, as the
 * database had them at one moment, its generation. A commit is refused once the database has another generation
 * (TT005); then the writer reads them anew with the next claim, and the messages again. Plain data; intake owns it, the
 * writer fills it while it has a claim under way.
 */
#ifndef TOKENTALLY_RULES_H
#define TOKENTALLY_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "precedence.h"
#include "roster.h"

#define RULES_UNKNOWN (-1) /* the generation of rules that were not read */

struct rules {
	int64_t generation;
	struct roster *roster;
	struct precedence *precedence;
};

static inline void rules_init(struct rules *rules)
{
	*rules = (struct rules){ RULES_UNKNOWN, roster_new(), precedence_new() };
}

static inline void rules_release(struct rules *rules)
{
	roster_free(rules->roster);
	precedence_free(rules->precedence);
}

static inline void rules_clear(struct rules *rules)
{
	rules->generation = RULES_UNKNOWN;
	roster_clear(rules->roster);
	precedence_clear(rules->precedence);
}

static inline size_t rules_bytes(const struct rules *rules)
{
	return roster_bytes(rules->roster) + precedence_bytes(rules->precedence);
}

#endif
