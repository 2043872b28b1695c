/* SPDX-License-Identifier: Apache-2.0
 *
 * pseudonym: OpenSSL's EVP_MAC with the key set once; each name re-initialises the same context, which keeps
 * the padded key's state and costs two SHA-256 blocks.
 */
#include "autoconf.h"

#include "pseudonym.h"

#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* A key check is a MAC of a text that no event can carry as a user: it is longer than 256 bytes allow with
 * this prefix repeated. */
#define KEY_CHECK_BYTES 300

struct pseudonymizer {
	EVP_MAC *mac;
	EVP_MAC_CTX *ctx; /* NULL without a key */
};

struct pseudonymizer *pseudonymizer_new(const char *key)
{
	struct pseudonymizer *p = xcalloc(1, sizeof(*p));
	char digest[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end() };

	if (!*key)
		return p;
	p->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	p->ctx = p->mac ? EVP_MAC_CTX_new(p->mac) : NULL;
	if (!p->ctx || !EVP_MAC_init(p->ctx, (const unsigned char *)key, strlen(key), params))
		abort(); /* libcrypto without HMAC-SHA256 is a broken installation, or memory is out */
	return p;
}

void pseudonymizer_free(struct pseudonymizer *p)
{
	if (!p)
		return;
	EVP_MAC_CTX_free(p->ctx);
	EVP_MAC_free(p->mac);
	free(p);
}

static void base32(const unsigned char *bytes, char *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

	for (int i = 0; i < PSEUDONYM_LEN; i++) {
		int bit = 5 * i;
		unsigned pair = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];

		out[i] = alphabet[pair >> (11 - bit % 8) & 31];
	}
	out[PSEUDONYM_LEN] = '\0';
}

void pseudonym_of(struct pseudonymizer *p, struct span text, char out[PSEUDONYM_LEN + 1])
{
	unsigned char mac[32];
	size_t len = 0;

	out[0] = '\0';
	if (!p->ctx)
		return;
	if (!EVP_MAC_init(p->ctx, NULL, 0, NULL) ||
	    !EVP_MAC_update(p->ctx, (const unsigned char *)text.data, text.len) ||
	    !EVP_MAC_final(p->ctx, mac, &len, sizeof(mac)) || len != sizeof(mac))
		abort();
	base32(mac, out);
}

void pseudonym_key_check(struct pseudonymizer *p, char out[PSEUDONYM_LEN + 1])
{
	char text[KEY_CHECK_BYTES];

	memset(text, 'k', sizeof(text));
	pseudonym_of(p, (struct span){ text, sizeof(text) }, out);
}
