/* SPDX-License-Identifier: Apache-2.0
 *
 * formats: the mappings a process reads by: those in the program, and the files of
 * ingest.mapping_dir, which come before them or in their place. Reads files; what they mean is
 * mapping's.
 */
#ifndef TOKENTALLY_FORMATS_H
#define TOKENTALLY_FORMATS_H

#include <stdbool.h>

#include "err.h"
#include "mapping.h"
#include "options.h"

/* NULL: a file has a fault, or a topic names a format that is not there; err says which. */
struct mappings *formats_load(const struct options *options, struct err *err);
/* Only those in the program. */
struct mappings *formats_builtin(struct err *err);

#endif
