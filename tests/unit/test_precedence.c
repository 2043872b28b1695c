/* SPDX-License-Identifier: Apache-2.0
 *
 * precedence: which source counts, by the most specific rule that fits.
 */
#include "autoconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "precedence.h"
#include "seed.h"

struct rule_text {
	const char *provider, *team, *source;
};

static struct precedence *make(const struct rule_text *rules, size_t count)
{
	struct precedence *precedence = precedence_new();

	for (size_t i = 0; i < count; i++)
		precedence_add(precedence, span_of(rules[i].provider), span_of(rules[i].team), span_of(rules[i].source));
	return precedence;
}

static bool counts(const struct precedence *precedence, const char *provider, const char *team, const char *source)
{
	return precedence_counts(precedence, span_of(provider), span_of(team), span_of(source));
}

static void without_a_rule_everything_counts(void **state)
{
	struct precedence *precedence = precedence_new();

	(void)state;
	assert_true(counts(precedence, "acme", "red", "codex"));
	assert_true(counts(precedence, "", "", ""));
	assert_int_equal(precedence_bytes(precedence), 0);
	precedence_free(precedence);
	precedence_free(NULL);
}

static void the_most_specific_rule_holds(void **state)
{
	static const struct rule_text rules[] = {
		{ "anthropic", "*", "litellm" }, { "*", "lab", "claude_code" }, { "*", "lab", "codex" },
		{ "anthropic", "lab", "kong" },	 { "", "*", "otel_genai" },	{ "openai", "", "native" },
	};
	static const struct {
		const char *provider, *team, *source;
		bool counts;
	} cases[] = {
		{ "anthropic", "red", "litellm", true },      { "anthropic", "red", "claude_code", false },
		{ "anthropic", "", "claude_code", false },    { "anthropic", "lab", "kong", true },
		{ "anthropic", "lab", "litellm", false },     { "anthropic", "lab", "claude_code", false },
		{ "openai", "lab", "codex", true },	      { "openai", "lab", "claude_code", true },
		{ "openai", "lab", "native", false },	      { "openai", "red", "anything", true },
		{ "", "red", "otel_genai", true },	      { "", "red", "native", false },
		{ "", "lab", "codex", true },		      { "", "lab", "otel_genai", false },
		{ "openai", "", "native", true },	      { "openai", "", "codex", false },
		{ "Anthropic", "red", "claude_code", true },  { "anthropic", "red", "litell", false },
		{ "anthropi", "cred", "claude_code", true },
	};
	struct precedence *precedence = make(rules, sizeof rules / sizeof *rules);

	(void)state;
	assert_int_equal(precedence_count(precedence), sizeof rules / sizeof *rules);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (counts(precedence, cases[i].provider, cases[i].team, cases[i].source) != cases[i].counts)
			fail_msg("%s, %s, %s", cases[i].provider, cases[i].team, cases[i].source);
	}
	precedence_clear(precedence);
	assert_true(counts(precedence, "anthropic", "red", "claude_code"));
	precedence_free(precedence);
}

static void a_rule_for_all_is_the_last_resort(void **state)
{
	static const struct rule_text rules[] = { { "*", "*", "litellm" }, { "ollama", "*", "native" } };
	struct precedence *precedence = make(rules, 2);

	(void)state;
	assert_true(counts(precedence, "acme", "red", "litellm"));
	assert_false(counts(precedence, "acme", "red", "native"));
	assert_true(counts(precedence, "ollama", "red", "native"));
	assert_false(counts(precedence, "ollama", "red", "litellm"));
	precedence_free(precedence);
}

static const char *const words[] = { "*", "", "a", "b", "c" };
#define WORDS 5
#define RULES 12

/* The definition, step by step. */
static bool reckoned(const struct rule_text *rules, int count, const struct rule_text *call)
{
	const char *const pairs[4][2] = {
		{ call->provider, call->team }, { "*", call->team }, { call->provider, "*" }, { "*", "*" } };

	for (int pair = 0; pair < 4; pair++) {
		bool found = false, named = false;

		for (int i = 0; i < count; i++) {
			if (strcmp(rules[i].provider, pairs[pair][0]) != 0 || strcmp(rules[i].team, pairs[pair][1]) != 0)
				continue;
			found = true;
			named = named || !strcmp(rules[i].source, call->source);
		}
		if (found)
			return named;
	}
	return true;
}

static void any_rules_hold_as_defined(void **state)
{
	(void)state;
	seed_start(__func__);
	for (int round = 0; round < 300; round++) {
		struct rule_text rules[RULES], call;
		int count = (int)seed_below(RULES + 1);
		struct precedence *precedence;

		for (int i = 0; i < count; i++)
			rules[i] = (struct rule_text){ words[seed_below(WORDS)], words[seed_below(WORDS)],
						       words[2 + seed_below(WORDS - 2)] };
		precedence = make(rules, (size_t)count);
		for (int look = 0; look < 100; look++) {
			call = (struct rule_text){ words[1 + seed_below(WORDS - 1)], words[1 + seed_below(WORDS - 1)],
						   words[2 + seed_below(WORDS - 2)] };
			assert_int_equal(counts(precedence, call.provider, call.team, call.source),
					 reckoned(rules, count, &call));
		}
		precedence_free(precedence);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_rule_everything_counts),
		cmocka_unit_test(the_most_specific_rule_holds),
		cmocka_unit_test(a_rule_for_all_is_the_last_resort),
		cmocka_unit_test(any_rules_hold_as_defined),
	};

	return cmocka_run_group_tests_name("precedence", tests, NULL, NULL);
}
