/* SPDX-License-Identifier: Apache-2.0
 *
 * precedence: whose word counts where two senders report the same calls without an id in common. A rule names a
 * provider, a team ("*": any) and a source, the format that a record was read by. Of the rules that fit a call those
 * hold that name provider and team, else the team, else the provider, else neither; then the call counts when its
 * source is one of theirs. Where no rule fits, every source counts.
 * Pure. Filled by one thread, then only read.
 */
#ifndef TOKENTALLY_PRECEDENCE_H
#define TOKENTALLY_PRECEDENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct precedence;
struct precedence *precedence_new(void);
void precedence_free(struct precedence *precedence);
void precedence_clear(struct precedence *precedence);

void precedence_add(struct precedence *precedence, struct span provider, struct span team, struct span source);
/* False: the call belongs into the shadow. */
bool precedence_counts(const struct precedence *precedence, struct span provider, struct span team, struct span source);

size_t precedence_count(const struct precedence *precedence); /* rules */
size_t precedence_bytes(const struct precedence *precedence);

#endif
