/* SPDX-License-Identifier: Apache-2.0
 *
 * roster: the team of a person at a time, whatever the order in which moves came in, and by how much memory.
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

#include "mem.h"
#include "period.h"
#include "roster.h"
#include "seed.h"

#define DAY(n) ((n) * US_PER_DAY)

static void check_team(const struct roster *roster, const char *user, int64_t time_us, const char *team)
{
	struct span got = roster_team(roster, span_of(user), time_us);

	if (!span_is(got, team))
		fail_msg("%s at %lld: %.*s instead of %s", user, (long long)time_us, (int)got.len, got.data, team);
}

static void an_empty_roster_knows_nobody(void **state)
{
	struct roster *roster = roster_new();

	(void)state;
	check_team(roster, "ann", 0, "");
	roster_sort(roster);
	check_team(roster, "ann", 0, "");
	assert_int_equal(roster_count(roster), 0);
	assert_int_equal(roster_bytes(roster), 0);
	roster_free(roster);
	roster_free(NULL);
}

static void a_team_holds_from_its_move_to_the_next(void **state)
{
	struct roster *roster = roster_new();

	(void)state;
	roster_add(roster, SPAN("ann"), DAY(20), SPAN("blue"));
	roster_add(roster, SPAN("ann"), DAY(10), SPAN("red"));
	roster_add(roster, SPAN("bob"), DAY(15), SPAN("red"));
	roster_add(roster, SPAN("ann"), DAY(30), SPAN(""));
	roster_add(roster, SPAN("ann"), DAY(40), SPAN("red"));
	roster_sort(roster);
	check_team(roster, "ann", INT64_MIN, "");
	check_team(roster, "ann", DAY(10) - 1, "");
	check_team(roster, "ann", DAY(10), "red");
	check_team(roster, "ann", DAY(20) - 1, "red");
	check_team(roster, "ann", DAY(20), "blue");
	check_team(roster, "ann", DAY(30) - 1, "blue");
	check_team(roster, "ann", DAY(30), "");
	check_team(roster, "ann", DAY(40) - 1, "");
	check_team(roster, "ann", INT64_MAX, "red");
	check_team(roster, "bob", DAY(14), "");
	check_team(roster, "bob", DAY(99), "red");
	check_team(roster, "Ann", DAY(20), "");
	check_team(roster, "", DAY(20), "");
	roster_clear(roster);
	check_team(roster, "ann", DAY(20), "");
	roster_add(roster, SPAN("ann"), DAY(10), SPAN("green"));
	roster_sort(roster);
	check_team(roster, "ann", DAY(20), "green");
	roster_free(roster);
}

#define PEOPLE 700
#define MOVES_MAX 6

/* Against plain arrays, for sizes around the steps in which the directory grows. */
static void it_answers_like_a_search_through_all_moves(void **state)
{
	static const int sizes[] = { 1, 2, 3, 4, 5, 127, 128, 129, PEOPLE };
	static int64_t from[PEOPLE][MOVES_MAX];
	static int team[PEOPLE][MOVES_MAX], moves[PEOPLE];
	char name[32], expected[32];

	(void)state;
	seed_start(__func__);
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		struct roster *roster = roster_new();

		for (int p = 0; p < sizes[s]; p++) {
			moves[p] = (int)seed_below(MOVES_MAX + 1);
			for (int m = 0; m < moves[p]; m++) {
				from[p][m] = seed_below(1000) * MOVES_MAX + m; /* no two alike */
				team[p][m] = (int)seed_below(40);
				snprintf(name, sizeof name, "person %d", p);
				snprintf(expected, sizeof expected, "team %d", team[p][m]);
				roster_add(roster, span_of(name), from[p][m], span_of(expected));
			}
		}
		roster_sort(roster);
		for (int look = 0; look < 20000; look++) {
			int p = (int)seed_below(sizes[s]), best = -1;
			int64_t at = seed_below(1001 * MOVES_MAX);

			for (int m = 0; m < moves[p]; m++) {
				if (from[p][m] <= at && (best < 0 || from[p][m] > from[p][best]))
					best = m;
			}
			snprintf(name, sizeof name, "person %d", p);
			snprintf(expected, sizeof expected, "team %d", best < 0 ? 0 : team[p][best]);
			check_team(roster, name, at, best < 0 ? "" : expected);
		}
		roster_free(roster);
	}
}

/* A worker of the least memory, 64M, has 5 MiB for it. */
static void a_hundred_thousand_people_fit(void **state)
{
	struct roster *roster = roster_new();
	char name[64], team[64];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof name, "a.rather.long.name.%d@example.org", i);
		snprintf(team, sizeof team, "team number %d", i % 2000);
		roster_add(roster, span_of(name), i, span_of(team));
	}
	roster_sort(roster);
	assert_int_equal(roster_count(roster), 100000);
	assert_in_range(roster_bytes(roster), 1, 5 << 20);
	check_team(roster, "a.rather.long.name.99999@example.org", 99999, "team number 1999");
	check_team(roster, "a.rather.long.name.99999@example.org", 99998, "");
	roster_free(roster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_roster_knows_nobody),
		cmocka_unit_test(a_team_holds_from_its_move_to_the_next),
		cmocka_unit_test(it_answers_like_a_search_through_all_moves),
		cmocka_unit_test(a_hundred_thousand_people_fit),
	};

	return cmocka_run_group_tests_name("roster", tests, NULL, NULL);
}
