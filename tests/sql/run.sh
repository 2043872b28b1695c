#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs the SQL tests: a throwaway PostgreSQL, the schema applied to a template, and for each tests/sql/*.sql
# (or those given) a database of its own made from it. So tests may commit, and use several sessions.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- "$here"/*.sql

bindir=${PG_BINDIR:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)}
work=$(mktemp -d "${TMPDIR:-/tmp}/tokentally-sql.XXXXXX")
# PostgreSQL refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then
	chown postgres "$work"
	as_server='runuser -u postgres --'
else
	as_server=
fi
stop() {
	$as_server "$bindir/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || :
	rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

start=$(pwd)
cd "$work" # the server must be able to enter where it starts
$as_server "$bindir/initdb" -D "$work/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >"$work/initdb.log"
# A socket only, in a directory of our own: nothing to clash with.
$as_server "$bindir/pg_ctl" -D "$work/data" -l "$work/server.log" -w start -o \
	"-c listen_addresses= -c unix_socket_directories=$work -c fsync=off -c jit=off -c timezone=Asia/Kolkata" >/dev/null ||
	{ cat "$work/server.log"; exit 1; }
unset PGPASSWORD PGSERVICE PGOPTIONS PGDATABASE
export PGHOST="$work" PGUSER=postgres PGPORT=5432

createdb template_tokentally
sh "$here/../../sql/apply.sh" >"$work/install.sql"
psql -X -q -v ON_ERROR_STOP=1 -d template_tokentally -f "$work/install.sql"
psql -X -q -v ON_ERROR_STOP=1 -d template_tokentally -f "$here/setup.psql"

# Settings of a database are not copied with it.
export PGOPTIONS="-c search_path=test,public,tokentally"
failed=0
n=0
cd "$start"
for test; do
	n=$((n + 1))
	createdb -T template_tokentally "test_$n"
	pg_prove --failures --comments -d "test_$n" "$test" || failed=$((failed + 1))
	dropdb --force "test_$n"
done
[ "$failed" -eq 0 ] || { echo "$failed of $# SQL test files failed"; exit 1; }
echo "all $# SQL test files passed"
