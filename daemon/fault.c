/* SPDX-License-Identifier: Apache-2.0
 *
 * fault: see fault.h. Compiled in test builds only. A rule that cannot be understood ends the process at its first
 * point: a test whose faults never fire would prove nothing.
 */
#include "autoconf.h"

#include "fault.h"

#include <fnmatch.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RULES_MAX 32

enum action { ACTION_ABORT, ACTION_DROP, ACTION_ERROR, ACTION_SLEEP };

struct rule {
	char pattern[64];
	enum action action;
	unsigned sleep_ms;
	uint64_t from, to; /* counted from 1 */
	unsigned one_in;   /* not 0: at random instead */
	_Atomic uint64_t seen;
};

static struct rule rules[RULES_MAX];
static size_t rule_count;
static _Atomic unsigned random_state = 1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* One write, so that lines of threads do not mix. */
__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1) < 0)
		return;
}

static bool parse_action(struct rule *rule, const char *text)
{
	static const char *const names[] = { "abort", "drop", "error" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		rule->action = (enum action)i;
		if (!strcmp(text, names[i]))
			return true;
	}
	rule->action = ACTION_SLEEP;
	return sscanf(text, "sleep=%u", &rule->sleep_ms) == 1;
}

static bool parse_when(struct rule *rule, const char *text)
{
	unsigned long from = 0;
	char plus = '\0';

	if (*text == '~')
		return sscanf(text, "~%u", &rule->one_in) == 1 && rule->one_in > 0;
	if (sscanf(text, "%lu%c", &from, &plus) < 1 || from == 0 || (plus && plus != '+'))
		return false;
	rule->from = from;
	rule->to = plus ? UINT64_MAX : from;
	return true;
}

static bool parse_rule(char *text)
{
	char *action = strchr(text, ':'), *when = strchr(text, '@');
	struct rule *rule = &rules[rule_count];
	unsigned seed;

	if (sscanf(text, "seed=%u", &seed) == 1) {
		atomic_store(&random_state, seed);
		return true;
	}
	if (!action || !when || when < action || rule_count == RULES_MAX)
		return false;
	*action++ = *when++ = '\0';
	snprintf(rule->pattern, sizeof(rule->pattern), "%s", text);
	rule_count++;
	return parse_action(rule, action) && parse_when(rule, when);
}

static void read_rules(void)
{
	const char *given = getenv("TOKENTALLY_FAULTS");
	char *text = strdup(given ? given : ""), *rest = text;

	for (char *item; text && (item = strsep(&rest, ","));) {
		if (*item && !parse_rule(item)) {
			say("fault: cannot understand a rule of TOKENTALLY_FAULTS, see daemon/fault.h: %s\n", item);
			_exit(2);
		}
	}
	free(text);
}

static bool is_time(struct rule *rule)
{
	uint64_t seen = atomic_fetch_add(&rule->seen, 1) + 1;
	unsigned state, next;

	if (!rule->one_in)
		return seen >= rule->from && seen <= rule->to;
	state = atomic_load(&random_state);
	do {
		next = state * 1664525u + 1013904223u;
	} while (!atomic_compare_exchange_weak(&random_state, &state, next));
	return (next >> 8) % rule->one_in == 0;
}

static enum fault fire(const struct rule *rule, const char *point)
{
	struct timespec pause = { rule->sleep_ms / 1000, rule->sleep_ms % 1000 * 1000000L };

	switch (rule->action) {
	case ACTION_ABORT:
		say("fault: %s abort\n", point);
		_exit(134); /* as a crash: no handler, no flush, no core */
	case ACTION_DROP:
		say("fault: %s drop\n", point);
		return FAULT_DROP;
	case ACTION_ERROR:
		say("fault: %s error\n", point);
		return FAULT_ERROR;
	case ACTION_SLEEP:
		say("fault: %s sleep=%u\n", point, rule->sleep_ms);
		nanosleep(&pause, NULL);
		say("fault: %s slept\n", point);
		break;
	}
	return FAULT_NONE;
}

enum fault fault_at(const char *point)
{
	enum fault result = FAULT_NONE;

	pthread_once(&once, read_rules);
	for (size_t i = 0; i < rule_count; i++) {
		if (!fnmatch(rules[i].pattern, point, 0) && is_time(&rules[i])) {
			enum fault fired = fire(&rules[i], point);

			result = fired ? fired : result;
		}
	}
	return result;
}

/* "SELECT ingest_commit($1, ...": commit. Of a statement without a function of ours: "statement". */
static void name_statement(const char *sql, char *name, size_t cap)
{
	static const char *const prefixes[] = { "ingest_", "intern_", "fold_", "titles_", "recompute_" };
	const char *found = NULL;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		const char *at = strstr(sql, prefixes[i]);

		if (at && (!found || at < found))
			found = at;
	}
	if (!found)
		found = "statement";
	else if (!strncmp(found, "ingest_", 7))
		found += 7;
	snprintf(name, cap, "%.*s", (int)strspn(found, "abcdefghijklmnopqrstuvwxyz_"), found);
}

enum fault fault_at_statement(const char *sql, const char *step)
{
	char name[64], point[96];

	name_statement(sql, name, sizeof(name));
	snprintf(point, sizeof(point), "%s.%s", name, step);
	return fault_at(point);
}
