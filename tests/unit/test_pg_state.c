/* SPDX-License-Identifier: Apache-2.0
 *
 * pg_state: which failures to connect a restart can mend, from the texts of libpq 15 and 17. Failed
 * statements need a server: tests/integration.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pg_state.h"

#define HOST(n) "connection to server at \"db" n "\" (10.0.0." n "), port 5432 failed: "
#define SOCKET_OF(path) "connection to server on socket \"" path "/.s.PGSQL.5432\" failed: "
#define PASSWORD "FATAL:  28P01: password authentication failed for user \"t\"\n"
#define AT(routine) "LOCATION:  " routine ", auth.c:326\n"
#define REFUSED "Connection refused\n\tIs the server running on that host and accepting TCP/IP?\n"

struct failure {
	const char *name, *message;
	enum err_kind kind;
};

static const struct failure failures[] = {
	{ "nothing said", "", ERR_RETRY },
	{ "wrong password", HOST("1") PASSWORD AT("auth_failed"), ERR_CONFIG },
	{ "wrong password from a file",
	  HOST("1") PASSWORD AT("auth_failed") "password retrieved from file \"/root/.pgpass\"\n",
	  ERR_CONFIG },
	{ "not in pg_hba, with and without TLS",
	  HOST("1") "FATAL:  28000: no pg_hba.conf entry for host \"::1\", user \"t\", SSL encryption\n"
	  AT("ClientAuthentication")
	  HOST("1") "FATAL:  28000: no pg_hba.conf entry for host \"::1\", user \"t\", no encryption\n"
	  AT("ClientAuthentication"), ERR_CONFIG },
	{ "no such database",
	  SOCKET_OF("/run/postgresql") "FATAL:  3D000: database \"nope\" does not exist\n"
	  "LOCATION:  InitPostgres, postinit.c:938\n", ERR_CONFIG },
	{ "no right to connect",
	  HOST("1") "FATAL:  42501: permission denied for database \"t\"\n"
	  "DETAIL:  User does not have CONNECT privilege.\nLOCATION:  CheckMyDatabase, postinit.c:374\n",
	  ERR_CONFIG },
	{ "in another language",
	  HOST("1") "SCHWERWIEGEND:  28P01: Passwort-Authentifizierung fehlgeschlagen\n", ERR_CONFIG },
	{ "starting up", HOST("1") "FATAL:  57P03: the database system is starting up\n", ERR_RETRY },
	{ "shutting down", HOST("1") "FATAL:  57P03: the database system is shutting down\n", ERR_RETRY },
	{ "too many clients", HOST("1") "FATAL:  53300: sorry, too many clients already\n", ERR_RETRY },
	{ "refused", HOST("1") REFUSED, ERR_RETRY },
	{ "no socket", SOCKET_OF("/tmp") "No such file or directory\n", ERR_RETRY },
	{ "no such host",
	  "could not translate host name \"db\" to address: Name or service not known\n", ERR_RETRY },
	{ "closed", HOST("1") "server closed the connection unexpectedly\n"
	  "\tThis probably means the server terminated abnormally\n", ERR_RETRY },
	{ "a standby", HOST("1") "session is read-only\n", ERR_RETRY },
	{ "every host says no", HOST("1") PASSWORD AT("auth_failed") HOST("2") PASSWORD AT("auth_failed"),
	  ERR_CONFIG },
	{ "the first is refused, then a no", HOST("1") REFUSED HOST("2") PASSWORD AT("auth_failed"),
	  ERR_RETRY },
	{ "a no, then one that is refused", HOST("1") PASSWORD AT("auth_failed") HOST("2") REFUSED,
	  ERR_RETRY },
	{ "one has no route", HOST("1") "No route to host\n" HOST("2") PASSWORD, ERR_RETRY },
	{ "one times out", HOST("1") "timeout expired\n" HOST("2") PASSWORD, ERR_RETRY },
	{ "one is a standby", HOST("1") "session is read-only\n" HOST("2") PASSWORD, ERR_RETRY },
	{ "one is not found",
	  "could not translate host name \"db\" to address: Name or service not known\n"
	  HOST("2") PASSWORD, ERR_RETRY },
	{ "one has no socket", SOCKET_OF("/tmp") "No such file or directory\n" HOST("2") PASSWORD,
	  ERR_RETRY },
	{ "one is starting up", HOST("1") PASSWORD HOST("2") "FATAL:  57P03: starting up\n", ERR_RETRY },
	{ "cut in the code", HOST("1") "FATAL:  28P0", ERR_RETRY },
};

static void a_firm_no_of_all_hosts_is_a_fault_of_the_configuration(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		enum err_kind kind = pg_state_of_connect_failure(failures[i].message);

		if (kind != failures[i].kind)
			fail_msg("%s: %s, not %s", failures[i].name, err_kind_name(kind),
				 err_kind_name(failures[i].kind));
	}
}

static void the_first_line_is_for_people(void **state)
{
	static const struct {
		const char *message, *line;
	} cases[] = {
		{ NULL, "" },
		{ "", "" },
		{ "\n", "" },
		{ "no connection to the server\n", "no connection to the server" },
		{ HOST("1") PASSWORD AT("auth_failed"), "password authentication failed for user \"t\"" },
		{ HOST("1") REFUSED, HOST("1") "Connection refused" },
		{ "one\nFATAL:  28P01: two\n", "one" },
	};
	char out[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pg_state_first_line(out, sizeof out, cases[i].message);
		assert_string_equal(out, cases[i].line);
	}
	pg_state_first_line(out, 4, "abcdef");
	assert_string_equal(out, "abc");
}

static void a_failure_without_a_code_is_a_lost_connection(void **state)
{
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR);
	struct err err;

	(void)state;
	assert_int_equal(pg_state_of_result(result, &err), PG_PROBLEM_LOST);
	assert_int_equal(err.kind, ERR_RETRY);
	PQclear(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_firm_no_of_all_hosts_is_a_fault_of_the_configuration),
		cmocka_unit_test(the_first_line_is_for_people),
		cmocka_unit_test(a_failure_without_a_code_is_a_lost_connection),
	};

	return cmocka_run_group_tests_name("pg_state", tests, NULL, NULL);
}
