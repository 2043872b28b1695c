/* SPDX-License-Identifier: Apache-2.0
 *
 * pseudonym: what readers see instead of a key: the first 26 characters (130 bits) of the base32 (RFC 4648) of
 * HMAC-SHA256 of the key by privacy.key. The privacy key never goes to the database.
 */
#ifndef TOKENTALLY_PSEUDONYM_H
#define TOKENTALLY_PSEUDONYM_H

#include "text.h"

#define PSEUDONYM_LEN 26

struct pseudonymizer; /* for one thread */
/* key "" (privacy.names = named without a key): pseudonyms are empty. */
struct pseudonymizer *pseudonymizer_new(const char *key);
void pseudonymizer_free(struct pseudonymizer *pseudonymizer);
/* out: PSEUDONYM_LEN characters and NUL, or "" without a key. */
void pseudonym_of(struct pseudonymizer *pseudonymizer, struct span text, char out[PSEUDONYM_LEN + 1]);
/* Tells two privacy keys apart without giving either away; recorded in the database. "" without a key. */
void pseudonym_key_check(struct pseudonymizer *pseudonymizer, char out[PSEUDONYM_LEN + 1]);

#endif
