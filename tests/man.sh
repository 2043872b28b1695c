#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The manuals are well formed, and tokentally(8) names every command that the program has.
cd "${srcdir:-.}" || exit 1
failed=0
echo 1..2
if findings=$(mandoc -T lint -W warning man/tokentally.8 man/tokentally.conf.5 2>&1); then
	echo "ok 1 - the manuals have no warnings"
else
	echo "not ok 1 - the manuals have no warnings"
	echo "$findings" | sed 's/^/# /'
	failed=1
fi
missing=$(sed -n '/^static const struct cli_command commands/,/^};/s/^\t{ "\([a-z]*\)".*/\1/p' daemon/cli.c |
	while read -r command; do
		grep -q "^\.It Cm $command\b" man/tokentally.8 || echo "$command"
	done)
if [ -z "$missing" ]; then
	echo "ok 2 - tokentally(8) describes every command"
else
	echo "not ok 2 - tokentally(8) describes every command: $missing missing"
	failed=1
fi
exit $failed
