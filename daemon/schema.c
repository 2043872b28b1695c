/* SPDX-License-Identifier: Apache-2.0
 *
 * schema: see schema.h. All scripts run in one transaction under an advisory lock: two migrations at once are
 * one after the other, and the second finds nothing to do.
 */
#include "autoconf.h"

#include "schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "schema_sql.h"

/* Readers take their locks in any order, so a deadlock with one cannot be excluded; and whoever comes behind a lock that we
 * wait for waits too, so a try is short. All of it is rolled back before the next. */
#define TRIES 20
#define SCRIPT_TIMEOUT_MS (10 * 60 * 1000)
/* Of this program's advisory locks "migrate"; the others are in sql/README.md. */
#define BEGIN_MIGRATION                                                                                \
	"BEGIN; SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = 0;"                      \
	"SET LOCAL client_min_messages = warning; SET LOCAL check_function_bodies = off;"              \
	"SET LOCAL search_path = pg_catalog; SELECT pg_advisory_xact_lock(hashtext('tokentally migrate'))"

static bool read_version(struct pg *pg, int *version, struct err *err)
{
	CLEANUP(pg_result_free) struct pg_result *result = NULL;
	CLEANUP(pg_result_free) struct pg_result *there = NULL;

	*version = 0;
	if (!pg_exec(pg, "SELECT to_regclass('tokentally.schema_migration') IS NOT NULL", NULL, PG_TEXT, 35000, &there,
		     err))
		return false;
	if (*pg_text(there, 0, 0) != 't')
		return true;
	if (!pg_exec(pg, "SELECT coalesce(max(version), 0) FROM tokentally.schema_migration", NULL, PG_TEXT, 35000,
		     &result, err))
		return false;
	*version = (int)pg_int8(result, 0, 0);
	return true;
}

bool schema_plan(struct pg *pg, struct schema_plan *plan, struct err *err)
{
	plan->want = schema_version;
	if (!read_version(pg, &plan->have, err))
		return err_wrap(err, "cannot read the schema's version");
	if (plan->have > plan->want)
		return err_set(err, ERR_CONFIG,
			       "the database has schema version %d, newer than this program's %d: install a newer tokentally",
			       plan->have, plan->want);
	return true;
}

static bool is_migration(const struct schema_script *script)
{
	return !strcmp(script->kind, "migrations");
}

static int version_of(const struct schema_script *script)
{
	return (int)strtol(script->name, NULL, 10);
}

/* What the first migration sets for the rest of its transaction. */
#define AS_OWNER "SET LOCAL ROLE tokentally_owner; SET LOCAL search_path = tokentally, pg_catalog, pg_temp"

static bool run_scripts(struct pg *pg, const struct schema_plan *plan, bool dry_run, void (*step)(const char *name),
			struct err *err)
{
	if (plan->have && !dry_run && !pg_script(pg, AS_OWNER, SCRIPT_TIMEOUT_MS, err))
		return err_wrap(err, "cannot act as tokentally_owner");
	for (const struct schema_script *script = schema_scripts; script->name; script++) {
		if (is_migration(script) && version_of(script) <= plan->have)
			continue;
		step(script->name);
		if (!dry_run && !pg_script(pg, script->sql, SCRIPT_TIMEOUT_MS, err))
			return err_wrap(err, "cannot run sql/%s/%s.sql", script->kind, script->name);
	}
	return true;
}

static bool record_scripts(struct pg *pg, const struct schema_plan *plan, struct err *err)
{
	for (const struct schema_script *script = schema_scripts; script->name; script++) {
		struct pg_params params = { 0 };

		if (!is_migration(script) || version_of(script) <= plan->have)
			continue;
		pg_param_int8(&params, version_of(script));
		pg_param_text(&params, script->name);
		if (!pg_exec(pg, "INSERT INTO tokentally.schema_migration (version, name) VALUES ($1::int, $2)", &params,
			     PG_TEXT, SCRIPT_TIMEOUT_MS, NULL, err))
			return err_wrap(err, "cannot record a migration");
	}
	return true;
}

/* again: others' locks were in the way. */
static bool try_migrate(struct pg *pg, struct schema_plan *now, void (*step)(const char *name), bool *again,
			struct err *err)
{
	struct err ignored;

	if (pg_script(pg, BEGIN_MIGRATION, SCRIPT_TIMEOUT_MS, err) && schema_plan(pg, now, err) &&
	    (now->have >= now->want || (run_scripts(pg, now, false, step, err) && record_scripts(pg, now, err))) &&
	    pg_script(pg, "COMMIT", SCRIPT_TIMEOUT_MS, err))
		return true;
	*again = err->kind == ERR_RETRY && (pg_problem(pg) == PG_PROBLEM_LOCKED || pg_problem(pg) == PG_PROBLEM_NONE);
	if (!pg_script(pg, "ROLLBACK", SCRIPT_TIMEOUT_MS, &ignored))
		pg_disconnect(pg);
	return false;
}

bool schema_migrate(struct pg *pg, const struct schema_plan *plan, bool dry_run, void (*step)(const char *name),
		    struct err *err)
{
	struct schema_plan now = *plan;
	bool again;

	if (dry_run)
		return run_scripts(pg, plan, true, step, err);
	for (int tries = 1; !try_migrate(pg, &now, step, &again, err); tries++) {
		if (!again || !pg_is_connected(pg))
			return false;
		if (tries == TRIES)
			return err_wrap(err, "%d tries met locks of others (pg_stat_activity shows whose), nothing is changed",
					TRIES);
		step("others hold locks: all of it again");
	}
	return true;
}
