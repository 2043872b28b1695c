#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Prints daemon/schema_sql.c: the files of sql/ as C strings, in the order in which `tokentally migrate` runs
# them, so that a binary and its schema cannot part, and the version that they make. Arguments: the sql folder, and
# migrations to come after its own (with them a test makes the program's next version).
set -eu
LC_ALL=C
export LC_ALL
dir=$1
shift
version=0

# script KIND FILE
script() {
	printf '{ "%s", "%s",\n' "$1" "$(basename "$2" .sql)"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/"/' -e 's/$/\\n"/' "$2"
	echo '},'
}

echo '/* Made by build-aux/embed-sql.sh from sql/: do not edit. */'
echo '#include "schema_sql.h"'
echo 'const struct schema_script schema_scripts[] = {'
for file in "$dir"/migrations/*.sql "$@"; do
	script migrations "$file"
	version=$(basename "$file" | sed 's/^0*\([0-9]*\)-.*/\1/')
done
for kind in functions views; do
	for file in "$dir/$kind"/*.sql; do
		script "$kind" "$file"
	done
done
echo '{ 0, 0, 0 },'
echo '};'
echo "const int schema_version = $version;"
