#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Prints the script of a fresh install: sql/apply.sh | psql -v ON_ERROR_STOP=1 DATABASE
# It is what `tokentally migrate` runs on an empty database, in the same order, for tests without the binary.
set -eu
cd "$(dirname "$0")"
# Glob order must not depend on who calls.
LC_ALL=C
export LC_ALL

# A file that does not end its line must not run into the next.
script() {
	for file; do
		cat "$file"
		echo
	done
}

echo 'BEGIN;'
echo "SET LOCAL lock_timeout = '10s';"
echo "SET LOCAL client_min_messages = warning;"
echo 'SET LOCAL check_function_bodies = off;'
script migrations/*.sql
for file in migrations/*.sql; do
	name=$(basename "$file" .sql)
	version=$(expr "$name" : '0*\([0-9]*\)-')
	echo "INSERT INTO tokentally.schema_migration (version, name) VALUES ($version, '$name');"
done
script functions/*.sql
script views/*.sql
echo 'COMMIT;'
