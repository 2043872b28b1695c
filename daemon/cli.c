/* SPDX-License-Identifier: Apache-2.0
 *
 * cli: see cli.h.
 */
#include "autoconf.h"

#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "status.h"

static int cli_run(struct cli_args *args);
static int cli_version(struct cli_args *args);
static int cli_help(struct cli_args *args);

#define CONFIG_HELP                                                                                    \
	"  -c FILE               configuration, default " OPTIONS_DEFAULT_FILE "\n"                     \
	"  -o SECTION.KEY=VALUE  one setting, wins over the file; may be repeated\n"

static const struct cli_command commands[] = {
	{ "run", "run [-c FILE] [-o SECTION.KEY=VALUE]...", "the daemon, in the foreground, logging to stderr",
	  "Reads model-call events from Kafka and keeps the rollups in PostgreSQL up to date until SIGTERM or SIGINT.\n"
	  "SIGHUP reloads the configuration.\n",
	  0, 0, cli_run },
	{ "check", "check [-c FILE] [-o ...] [--connect]", "check the configuration",
	  "Prints 'configuration OK', or every fault with file and line.\n"
	  "  --connect             also try Kafka and PostgreSQL: schema version, privacy key, privileges\n",
	  CLI_CONNECT, 0, cli_check },
	{ "migrate", "migrate [-c FILE] [-o ...] [--dry-run]", "bring the database to this program's schema version",
	  "Safe again and safe while daemons run. The first time it needs a superuser, or a role that may create roles\n"
	  "and schemas.\n"
	  "  --dry-run             only say what would be run\n",
	  CLI_DRY_RUN, 0, cli_migrate },
	{ "titles", "titles [-c FILE] [-o ...] [--as-of TIME] | titles explain [--user KEY] [--title T]",
	  "recompute the titles now; say why someone has one, or not",
	  "  --as-of TIME          RFC 3339, cut down to the hour; default: the newest closed hour. An older hour than\n"
	  "                        the newest run is computed and printed, not stored\n"
	  "  explain               value, rank, what the next tier needs, what keeps one out; of whose login it is\n"
	  "  --user KEY            explain: of another person (needs tokentally_people or tokentally_admin)\n"
	  "  --title T             explain: of one title\n",
	  CLI_AS_OF | CLI_USER | CLI_TITLE, 1, cli_titles },
	{ "top", "top [-c FILE] [-o ...] [--metric M] [--window W] [-n N] [--json]", "the board, in the terminal",
	  "Names are shown only if the role it connects as may see them.\n"
	  "  --metric M            total_tokens (default) or another board of the view leaderboard\n"
	  "  --window W            24h, 7d or 30d (default)\n"
	  "  -n N                  how many rows, 1 to 250, default 20\n"
	  "  --me                  also one's own place, wherever it is, if the login is a person's (set_login)\n"
	  "  --json                as JSON; with --me an object of board and me\n"
	  "On a terminal tiers have colours, unless NO_COLOR is set.\n",
	  CLI_BOARD | CLI_JSON, 0, cli_top },
	{ "people", "people import FILE [-c FILE] [-o ...] [--from TIME] [--dry-run]", "teams of people, for events that name none",
	  "FILE is CSV ('-': standard input); its first line names the columns: user,team or user,team,from. From that time on\n"
	  "events of that user without a team count for this one, until the next time that is known of. An empty team is none.\n"
	  "People who are not in the file stay as they are. What was counted already is not counted anew. Needs\n"
	  "tokentally_admin. A file with a fault is refused whole.\n"
	  "  --from TIME           of lines without a time: a date, or RFC 3339; default: now\n"
	  "  --dry-run             only say what would change\n",
	  CLI_FROM | CLI_DRY_RUN, 2, cli_people },
	{ "erase", "erase [-c FILE] [-o ...] --user KEY", "erase a person",
	  "Counters go to '(erased)', so that no total changes; sessions, titles, flags and what dead letters quote go. Events of\n"
	  "the same key that come later, or again, count for '(erased)'. There is no way back. Needs tokentally_admin.\n"
	  "  --user KEY            as events name the person; all aliases go as well\n",
	  CLI_USER, 0, cli_erase },
	{ "export", "export [-c FILE] [-o ...] --user KEY", "all that is kept about a person, as JSON",
	  "Needs tokentally_admin.\n"
	  "  --user KEY            as events name the person; all aliases are in it\n",
	  CLI_USER, 0, cli_export },
	{ "rekey", "rekey [-c FILE] [-o ...] [--key FILE] [--dry-run]", "change the privacy key of the database",
	  "Makes all pseudonyms anew, with the configured privacy.key or that of --key. Ended in the middle, the same command\n"
	  "goes on. Erased people stay erased. Needs tokentally_owner or a superuser, as migrate does.\n"
	  "  --key FILE            the new key; the configured privacy.key must then be the present one\n"
	  "  --dry-run             only say what would be changed\n",
	  CLI_KEY | CLI_DRY_RUN, 0, cli_rekey },
	{ "offsets", "offsets show | accept-reset TOPIC PARTITION [--to earliest|latest|OFFSET] [--reason TEXT]",
	  "the ingest position by partition; end a quarantine",
	  "  show                  position, log end, state and totals of each partition\n"
	  "  accept-reset          a partition in quarantine goes on; recorded in offset_change\n"
	  "  --to WHERE            earliest (default), latest, or an offset\n"
	  "  --reason TEXT         kept with the record\n"
	  "  --json                show: as JSON\n",
	  CLI_RESET | CLI_JSON, 3, cli_offsets },
	{ "version", "version", "print the version", "", 0, 0, cli_version },
	{ "help", "help [COMMAND]", "this text, or that of a command", "", 0, 1, cli_help },
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static void print_command(const struct cli_command *command)
{
	printf("usage: tokentally %s\n%s.\n%s", command->usage, command->summary, command->help);
	if (command->run != cli_version && command->run != cli_help)
		printf("%s", CONFIG_HELP);
}

static void print_overview(FILE *out)
{
	fprintf(out, "tokentally counts a company's AI tokens: Kafka to PostgreSQL, exact to the token.\n\n"
		     "usage: tokentally COMMAND [options]\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-10s%s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n'tokentally help COMMAND' says more. Manuals: tokentally(8), tokentally.conf(5).\n");
}

static int usage_error(const struct cli_command *command, const char *what)
{
	fprintf(stderr, "tokentally: %s\nusage: tokentally %s\n", what, command->usage);
	return STATUS_USAGE;
}

enum { OPT_CONNECT = 256, OPT_DRY_RUN, OPT_JSON, OPT_AS_OF, OPT_METRIC, OPT_WINDOW, OPT_TO, OPT_REASON, OPT_FROM, OPT_USER, OPT_TITLE, OPT_ME, OPT_KEY, OPT_HELP };

static const struct option long_options[] = {
	{ "connect", no_argument, NULL, OPT_CONNECT },	   { "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "json", no_argument, NULL, OPT_JSON },	   { "as-of", required_argument, NULL, OPT_AS_OF },
	{ "metric", required_argument, NULL, OPT_METRIC }, { "window", required_argument, NULL, OPT_WINDOW },
	{ "to", required_argument, NULL, OPT_TO },	   { "reason", required_argument, NULL, OPT_REASON },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "user", required_argument, NULL, OPT_USER },	   { "title", required_argument, NULL, OPT_TITLE },
	{ "me", no_argument, NULL, OPT_ME },		   { "key", required_argument, NULL, OPT_KEY },
	{ "help", no_argument, NULL, OPT_HELP },	   { NULL, 0, NULL, 0 },
};

/* Takes one option. False: not one of this command's. */
static bool take_option(const struct cli_command *command, struct cli_args *args, int option, char *value)
{
	unsigned needs = 0;

	switch (option) {
	case 'c': args->path = value; break;
	case 'o':
		if (args->override_count == CLI_OVERRIDES_MAX)
			return false;
		args->overrides[args->override_count++] = value;
		break;
	case 'n': args->count = value; needs = CLI_BOARD; break;
	case OPT_CONNECT: args->connect = true; needs = CLI_CONNECT; break;
	case OPT_DRY_RUN: args->dry_run = true; needs = CLI_DRY_RUN; break;
	case OPT_JSON: args->json = true; needs = CLI_JSON; break;
	case OPT_AS_OF: args->as_of = value; needs = CLI_AS_OF; break;
	case OPT_METRIC: args->metric = value; needs = CLI_BOARD; break;
	case OPT_WINDOW: args->window = value; needs = CLI_BOARD; break;
	case OPT_TO: args->to = value; needs = CLI_RESET; break;
	case OPT_FROM: args->from = value; needs = CLI_FROM; break;
	case OPT_USER: args->user = value; needs = CLI_USER; break;
	case OPT_TITLE: args->title = value; needs = CLI_TITLE; break;
	case OPT_ME: args->me = true; needs = CLI_BOARD; break;
	case OPT_KEY: args->key = value; needs = CLI_KEY; break;
	case OPT_REASON: args->reason = value; needs = CLI_RESET; break;
	case OPT_HELP:
	case 'h': args->help = true; break;
	default: return false;
	}
	return (command->flags & needs) == needs;
}

static int dispatch(const struct cli_command *command, int argc, char *argv[])
{
	struct cli_args args = { 0 };
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "c:o:n:h", long_options, NULL)) != -1) {
		if (option == '?' || option == ':')
			return usage_error(command, "wrong options");
		if (!take_option(command, &args, option, optarg))
			return usage_error(command, "an option that this command does not take");
	}
	if (args.help) {
		print_command(command);
		return STATUS_DONE;
	}
	args.rest = argv + optind;
	args.rest_count = argc - optind;
	if (args.rest_count > command->rest_max)
		return usage_error(command, "too many arguments");
	return command->run(&args);
}

int cli_main(int argc, char *argv[])
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct cli_command *command;

	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version"))
		name = "version";
	command = find_command(name);
	if (command)
		return dispatch(command, argc - 1, argv + 1);
	if (*name)
		fprintf(stderr, "tokentally: there is no command '%s'\n\n", name);
	print_overview(stderr);
	return STATUS_USAGE;
}

int cli_fail(const struct err *err)
{
	fprintf(stderr, "tokentally: %s\n", err->text);
	return status_of(err);
}

struct options *cli_load(const struct cli_args *args, int *status)
{
	struct faults faults;
	struct options *options;

	faults_init(&faults);
	options = options_load(args->path, args->overrides, args->override_count, &faults);
	for (size_t i = 0; i < faults.count; i++)
		fprintf(stderr, "%s\n", faults.texts[i]);
	if (faults.more)
		fprintf(stderr, "and %zu more\n", faults.more);
	faults_release(&faults);
	*status = STATUS_CONFIG;
	return options;
}

bool cli_connect(struct pg *pg, int *status)
{
	struct err err;

	if (pg_connect(pg, 10000, &err))
		return true;
	*status = cli_fail(&err);
	return false;
}

static int cli_run(struct cli_args *args)
{
	int status;
	struct options *options = cli_load(args, &status);

	return options ? run_daemon(options, args->path, args->overrides, args->override_count) : status;
}

static int cli_version(struct cli_args *args)
{
	(void)args;
	puts("tokentally " PACKAGE_VERSION);
	return STATUS_DONE;
}

static int cli_help(struct cli_args *args)
{
	const struct cli_command *command = args->rest_count ? find_command(args->rest[0]) : NULL;

	if (args->rest_count && !command) {
		fprintf(stderr, "tokentally: there is no command '%s'\n", args->rest[0]);
		return STATUS_USAGE;
	}
	if (command)
		print_command(command);
	else
		print_overview(stdout);
	return STATUS_DONE;
}
