#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What the documents name exists: linked files, commands, options, metrics.
cd "${srcdir:-.}" || exit 1
number=0
failed=0
documents=$(ls ./*.md ./*/*.md | sed 's,^\./,,')
manuals='man/tokentally.8 man/tokentally.conf.5'

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

# From standard input: the lines that are not in the list $1.
not_in() {
	sort -u | while read -r word; do
		printf '%s\n' "$1" | grep -qxF -- "$word" || echo "$word"
	done
}

broken_links() {
	for document in $documents; do
		grep -oE '\]\([^)# ]+' "$document" | sed 's/^](//' | grep -vE '^[a-z]+:' | while read -r link; do
			[ -e "$(dirname "$document")/$link" ] || echo "$document: $link"
		done
	done
}

# Commands stand in code blocks and in `...`, in the manual between .Bd -literal and .Ed; a line goes on after '\'.
code_of() {
	awk '/^ *```/ { inside = !inside; next } inside { print; next }
		{ n = split($0, part, "`"); for (i = 2; i <= n; i += 2) print part[i] }' $documents
	awk '/^\.Bd -literal/ { inside = 1; next } /^\.Ed/ { inside = 0 } inside' $manuals
}
words_after_program() {
	code_of | grep -oE '^ *(sudo (-[ug] [a-z]+ )*)?tokentally +[a-z][a-z-]*' | sed 's/.*tokentally  *//'
}

# section.key in code, not file names such as log.c and not settings of librdkafka.
options_named() {
	{
		code_of
		sed -n 's/^\.It Cm \([a-z]*\.[a-z_.]*\).*/\1/p; s/^\.Cm \([a-z]*\.[a-z_.]*\).*/\1/p' $manuals
	} | grep -oE "(^|[^a-zA-Z0-9_./-])($sections)\.[a-z_]+(\.[a-z_]+)*" | grep -oE "($sections)\..*" |
		grep -vE '^kafka\.|\.(c|h|md|sql|sh)$'
}

commands=$(sed -n '/^static const struct cli_command commands/,/^};/s/^\t{ "\([a-z]*\)".*/\1/p' daemon/cli.c)
options=$(grep -oE '^	OPT_[A-Z]+\("[a-z_.]+"' daemon/options_table.c | sed 's/.*("//; s/"//')
sections=$(printf '%s\n' "$options" | sed 's/\..*//' | sort -u | paste -sd '|' -)
roles='owner|ingest|reader|people|admin'
# Names of the definitions of metrics, and the one that is written by hand.
metrics=$({ grep -oE '(COUNT|COUNT_BY|LEVEL|LEVEL_US|DURATIONS)\("[a-z_]+"' daemon/metrics.c | sed 's/.*("//; s/"//'
	echo build_info; } | sed 's/^/tokentally_/')
metrics_named=$(grep -oE 'tokentally_[a-z_]+' docs/OPERATING.md | grep -vxE "tokentally_($roles)" | sort -u)

echo 1..6
check "the lists to compare with were found" "$(for list in commands options metrics metrics_named; do
	eval "printf '%s\n' \"\$$list\"" | awk -v name="$list" 'NF { n++ } END { if (n < 8) print name ": " n + 0 }'
done
[ "$(words_after_program | wc -l)" -ge 10 ] || echo 'few commands in the documents'
[ "$(options_named | wc -l)" -ge 20 ] || echo 'few options in the documents')"
check "every linked file exists" "$(broken_links)"
check "every command named exists" "$(words_after_program | not_in "$commands")"
check "every option named exists" "$(options_named | not_in "$options")"
check "every metric in docs/OPERATING.md exists" "$(echo "$metrics_named" | not_in "$metrics")"
check "every metric is in docs/OPERATING.md" "$(echo "$metrics" | not_in "$metrics_named")"
exit $failed
