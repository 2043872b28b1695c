/* SPDX-License-Identifier: Apache-2.0
 *
 * roster: in which team a person is at a time, for events that name none. A key belongs to a team from the time of a
 * move to that of its next one. Keys are kept as 64-bit fingerprints (XXH3), so no names of people stay in the process,
 * and someone who is in no roster is taken for one of n people with probability n / 2^64.
 * Pure: no clock, no I/O. Filled by one thread, then only read, by one thread at a time.
 */
#ifndef TOKENTALLY_ROSTER_H
#define TOKENTALLY_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "text.h"

struct roster;
struct roster *roster_new(void);
void roster_free(struct roster *roster);
void roster_clear(struct roster *roster);

/* From then on user is in team; an empty team is none. In any order; no two of one user and time. */
void roster_add(struct roster *roster, struct span user, int64_t from_us, struct span team);
/* After the last add, before the first look. */
void roster_sort(struct roster *roster);
/* Empty: nobody of that key is in a team then. Valid until the next clear. */
struct span roster_team(const struct roster *roster, struct span user, int64_t time_us);

size_t roster_count(const struct roster *roster); /* moves */
size_t roster_bytes(const struct roster *roster);

#endif
