#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Prints daemon/mapping_builtin.c: mapping files as C strings, in the order given, so that a binary knows its formats
# without any file. Arguments: the files.
set -eu
echo '/* Made by build-aux/embed-mappings.sh from schemas/: do not edit. */'
echo '#include "mapping_builtin.h"'
echo 'const struct mapping_builtin mapping_builtins[] = {'
for file; do
	name=${file##*/}
	printf '{ "%s",\n' "${name%.json}"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/"/' -e 's/$/\\n"/' "$file"
	echo '},'
done
echo '{ 0, 0 },'
echo '};'
