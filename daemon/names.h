/* SPDX-License-Identifier: Apache-2.0
 *
 * names: from the names of a window to the ids of the database, by a bounded cache and, for what it does not
 * know, by interning in short statements of their own before the commit (a name without a row to use it does no
 * harm; interning inside a commit made a second worker wait 1.6 s). Also the keys of sessions, which are not
 * interned: they would be a row more for each.
 *
 * Owned by the writer thread.
 */
#ifndef TOKENTALLY_NAMES_H
#define TOKENTALLY_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "pg.h"
#include "pseudonym.h"
#include "window.h"

struct session_key {
	unsigned char id[16];            /* XXH3-128 of the name: the key in session_slot */
	char shown[PSEUDONYM_LEN + 1]; /* its pseudonym; "" without a privacy key */
};

/* Filled by names_resolve for one window: indexed by the window's slots. Memory is kept between windows. */
struct name_ids {
	int64_t *ids[NAME_KINDS]; /* NAME_SESSION: NULL */
	size_t capacity[NAME_KINDS];
	struct session_key *sessions;
	size_t session_capacity;
};
void name_ids_release(struct name_ids *ids);

struct names;
/* pseudonymizer is borrowed. The bytes bound the two caches, of ids and of session keys; a full one starts anew. */
struct names *names_new(struct pseudonymizer *pseudonymizer, size_t bytes_max, size_t session_bytes_max);
void names_free(struct names *names);
/* After an erase the same key may have another id. */
void names_forget(struct names *names);
/* Another key from here on: also what was made with the former is forgotten. */
void names_use_key(struct names *names, struct pseudonymizer *pseudonymizer);
/* generation: what the database said when this process's key was its own; when it no longer is, ERR_FENCED with
 * PG_PROBLEM_NAMES. */
bool names_resolve(struct names *names, struct pg *pg, int64_t generation, const struct window *window,
		   struct name_ids *ids, struct err *err) ATTR_MUST_CHECK;

#endif
