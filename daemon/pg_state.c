/* SPDX-License-Identifier: Apache-2.0
 *
 * pg_state: SQLSTATE -> err_kind and pg_problem, as one table, longest match first.
 */
#include "autoconf.h"

#include "pg_state.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct state {
	const char *prefix; /* of the SQLSTATE: a whole code or a class */
	enum err_kind kind;
	enum pg_problem problem;
};

/* The first that matches counts, so codes stand before their class. What is not here is passing trouble. */
static const struct state states[] = {
	{ "TT001", ERR_FENCED, PG_PROBLEM_FENCED },
	{ "TT002", ERR_FENCED, PG_PROBLEM_NAMES },
	{ "TT004", ERR_FENCED, PG_PROBLEM_COUNTED_ELSEWHERE },
	{ "TT005", ERR_FENCED, PG_PROBLEM_RULES },
	{ "TT011", ERR_CONFIG, PG_PROBLEM_KEY },
	{ "TT", ERR_CONFIG, PG_PROBLEM_NONE },
	{ "57014", ERR_RETRY, PG_PROBLEM_TIMEOUT },
	{ "55P03", ERR_RETRY, PG_PROBLEM_LOCKED },
	{ "25006", ERR_RETRY, PG_PROBLEM_LOST }, /* read only: a standby; connect anew to find the primary */
	{ "42501", ERR_CONFIG, PG_PROBLEM_DENIED },
	{ "42P01", ERR_CONFIG, PG_PROBLEM_UNDEFINED },
	{ "42883", ERR_CONFIG, PG_PROBLEM_UNDEFINED },
	{ "42704", ERR_CONFIG, PG_PROBLEM_UNDEFINED },
	{ "3F000", ERR_CONFIG, PG_PROBLEM_UNDEFINED },
	{ "3D", ERR_CONFIG, PG_PROBLEM_NONE },
	{ "28", ERR_CONFIG, PG_PROBLEM_DENIED },
	{ "42", ERR_CONFIG, PG_PROBLEM_NONE },
	{ "22", ERR_DATA, PG_PROBLEM_NONE },
	{ "23", ERR_DATA, PG_PROBLEM_NONE },
	{ "54", ERR_DATA, PG_PROBLEM_NONE }, /* program limit exceeded: this batch is too much */
};

static const struct state *find_state(const char *code)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		if (!strncmp(code, states[i].prefix, strlen(states[i].prefix)))
			return &states[i];
	}
	return NULL;
}

enum pg_problem pg_state_of_result(const PGresult *result, struct err *err)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	const struct state *state = find_state(code ? code : "");
	enum pg_problem problem = state ? state->problem : PG_PROBLEM_NONE;
	enum err_kind kind = state ? state->kind : ERR_RETRY;
	/* A detail of a constraint shows the row's values: only our own details are fit for a log. */
	bool ours = code && !strncmp(code, "TT", 2);

	if (code && !strcmp(code, "23514") && !(constraint && *constraint)) {
		kind = ERR_RETRY;
		problem = PG_PROBLEM_MISSING_PARTITION;
	}
	if (!code)
		problem = PG_PROBLEM_LOST;
	err_set(err, kind, "PostgreSQL says: %s%s%s (SQLSTATE %s)%s%s", primary ? primary : "no message",
		ours && detail ? ": " : "", ours && detail ? detail : "", code ? code : "unknown", ours && hint ? ". " : "",
		ours && hint ? hint : "");
	return problem;
}

static bool is_code(const char *p)
{
	for (int i = 0; i < 5; i++) {
		if (!isdigit((unsigned char)p[i]) && !isupper((unsigned char)p[i]))
			return false;
	}
	return p[5] == ':';
}

/* "FATAL:  28P01: text": past the severity, at the code; NULL when there is none in this line. */
static const char *code_in(const char *line)
{
	const char *end = strchr(line, '\n');

	for (const char *p = line; *p && p != end; p++) {
		if (p[0] == ':' && p[1] == ' ' && p[2] == ' ' && is_code(p + 3))
			return p + 3;
	}
	return NULL;
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

enum err_kind pg_state_of_connect_failure(const char *message)
{
	enum err_kind kind = ERR_RETRY;

	for (const char *line = message; line && *line; line = strchr(line, '\n')) {
		const char *code;
		const struct state *state;

		line += *line == '\n';
		/* PQERRORS_VERBOSE adds LOCATION and the like, libpq HINT and "password retrieved from file"; a host
		 * that did not answer, was not found or is a standby has a line of its own without a code. */
		code = code_in(line);
		if (!code && (starts_with(line, "connection to server") || starts_with(line, "could not ")))
			return ERR_RETRY;
		if (!code)
			continue;
		state = find_state(code);
		if (!state || state->kind != ERR_CONFIG)
			return ERR_RETRY;
		kind = ERR_CONFIG;
	}
	return kind;
}

void pg_state_first_line(char *out, size_t cap, const char *message)
{
	const char *start = message ? message : "";
	const char *code = code_in(start);

	if (code)
		start = code + 6 + strspn(code + 6, " ");
	snprintf(out, cap, "%.*s", (int)strcspn(start, "\n"), start);
}

void pg_state_ignore_notice(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}
