/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_builtin: the mapping files of schemas/, in the program (mapping_builtin.c is made by
 * build-aux/embed-mappings.sh).
 */
#ifndef TOKENTALLY_MAPPING_BUILTIN_H
#define TOKENTALLY_MAPPING_BUILTIN_H

struct mapping_builtin {
	const char *name; /* of the file, without .json */
	const char *json;
};
extern const struct mapping_builtin
    mapping_builtins[]; /* in the order of detection; ends with name NULL */

#endif
