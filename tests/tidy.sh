#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The mechanical part of the house style: sizes of functions and files, functions that nobody may use, licence
# lines, trailing blanks, one SQL object a file.
cd "${srcdir:-.}" || exit 1
number=0
failed=0

check() { # NAME FINDINGS
	number=$((number + 1))
	if [ -z "$2" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "$2" | sed 's/^/# /'
		failed=1
	fi
}

sources=$(ls daemon/*.c daemon/*.h tests/*/*.c tests/*/*.h | grep -v schema_sql.c)
echo 1..6
# shellcheck disable=SC2086
check "no function is longer than 70 lines" "$(awk 'FNR == 1 { start = 0 } /^\{/ { start = FNR }
	/^\}/ { if (start && FNR - start > 71) print FILENAME ":" start ": " FNR - start " lines"; start = 0 }' $sources)"
# shellcheck disable=SC2086
check "no file is longer than 800 lines" "$(wc -l $sources | awk '$2 != "total" && $1 > 800')"
check "no banned function is used" "$(grep -nwE \
	'strcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok|gmtime|localtime|ctime|asctime|atoi|atol|atof|gets|alloca' daemon/*.c daemon/*.h |
	grep -vE '^[^:]*:[0-9]*:[[:space:]]*(\*|/\*|//)' | grep -vE '(No|no) (atoi|localtime)')"
# shellcheck disable=SC2086
check "every source names its licence" "$(grep -L 'SPDX-License-Identifier: Apache-2.0' $sources sql/*/*.sql)"
# shellcheck disable=SC2086
check "no line ends in blanks" "$(grep -nE '[[:blank:]]+$' $sources sql/*/*.sql daemon/*.sample build-aux/*.sh)"
check "one object a file in sql/functions and sql/views" "$(grep -cE '^CREATE (OR REPLACE )?(FUNCTION|AGGREGATE|VIEW|PROCEDURE)' \
	sql/functions/*.sql sql/views/*.sql | grep -vE ':1$')"
exit $failed
