/* SPDX-License-Identifier: Apache-2.0
 *
 * cli: commands as a table: name, arguments, help, function. `tokentally help`, `--help` of each command and
 * the dispatch come from it.
 */
#ifndef TOKENTALLY_CLI_H
#define TOKENTALLY_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "pg.h"

#define CLI_OVERRIDES_MAX 64

struct cli_args {
	const char *path; /* -c; NULL: the default file */
	char *overrides[CLI_OVERRIDES_MAX];
	size_t override_count;
	bool connect, dry_run, json, me, help;
	const char *from, *as_of, *metric, *window, *count, *to, *reason, *user, *title, *key;
	char *const *rest; /* what is not an option */
	int rest_count;
};

enum cli_flag { /* which options a command takes, beside -c, -o and --help */
	CLI_CONNECT = 1 << 0,
	CLI_DRY_RUN = 1 << 1,
	CLI_JSON = 1 << 2,
	CLI_AS_OF = 1 << 3,
	CLI_BOARD = 1 << 4, /* --metric, --window, -n */
	CLI_RESET = 1 << 5, /* --to, --reason */
	CLI_USER = 1 << 6,
	CLI_TITLE = 1 << 7,
	CLI_FROM = 1 << 8,
	CLI_KEY = 1 << 9,
};

struct cli_command {
	const char *name, *usage, *summary, *help;
	unsigned flags;
	int rest_max;
	int (*run)(struct cli_args *args); /* returns the exit status */
};

int cli_main(int argc, char *argv[]);

/* For commands. Both print what is wrong; NULL / false: return *status. */
struct options *cli_load(const struct cli_args *args, int *status);
bool cli_connect(struct pg *pg, int *status);
int cli_fail(const struct err *err); /* prints "tokentally: text" */

/* cli_admin.c, cli_board.c */
int cli_check(struct cli_args *args);
int cli_migrate(struct cli_args *args);
int cli_offsets(struct cli_args *args);
int cli_titles(struct cli_args *args);
int cli_top(struct cli_args *args);

/* cli_people.c */
int cli_erase(struct cli_args *args);
int cli_export(struct cli_args *args);
int cli_explain(struct cli_args *args);

/* cli_teams.c */
int cli_people(struct cli_args *args);

/* cli_rekey.c */
int cli_rekey(struct cli_args *args);

#endif
