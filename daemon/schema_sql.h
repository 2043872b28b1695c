/* SPDX-License-Identifier: Apache-2.0
 *
 * schema_sql: the files of sql/, in the program (schema_sql.c is made by build-aux/embed-sql.sh).
 */
#ifndef TOKENTALLY_SCHEMA_SQL_H
#define TOKENTALLY_SCHEMA_SQL_H

struct schema_script {
	const char *kind; /* "migrations": once, in order; "functions" and "views": anew with each migration */
	const char *name; /* file name without .sql; of migrations it starts with the schema version */
	const char *sql;
};
extern const struct schema_script schema_scripts[]; /* ends with name NULL */
extern const int schema_version;		    /* of the last migration: a program works with its own and the next */

#endif
