/* SPDX-License-Identifier: Apache-2.0
 *
 * faults: every fault of a configuration, in the order found, so that one run of `tokentally check`
 * names all of them. One fault is one line: "FILE:LINE: what is wrong". Nothing secret ever goes
 * into a text.
 */
#ifndef TOKENTALLY_FAULTS_H
#define TOKENTALLY_FAULTS_H

#include <stddef.h>

#include "err.h"

#define FAULTS_MAX 100 /* beyond: counted in `more`, not kept */

struct faults {
	char *texts[FAULTS_MAX];
	size_t count; /* of texts */
	size_t more;
};

void faults_init(struct faults *faults);
void faults_release(struct faults *faults);
void faults_add(struct faults *faults, const char *fmt, ...) ATTR_PRINTF(2, 3);

#endif
