#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Prints daemon/schema_sql.c: the files of sql/ as C strings, in the order in which `tokentally migrate` runs
# them, so that a binary and its schema cannot part. Argument: the sql folder.
set -eu
dir=$1
echo '/* Made by build-aux/embed-sql.sh from sql/: do not edit. */'
echo '#include "schema_sql.h"'
echo 'const struct schema_script schema_scripts[] = {'
for kind in migrations functions views; do
	for file in $(LC_ALL=C ls "$dir/$kind"); do
		case $file in *.sql) ;; *) continue ;; esac
		printf '{ "%s", "%s",\n' "$kind" "${file%.sql}"
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/"/' -e 's/$/\\n"/' "$dir/$kind/$file"
		echo '},'
	done
done
echo '{ 0, 0, 0 },'
echo '};'
