#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check-options.sh [SRCDIR]: every option of daemon/options_table.c must stand, with its default, in the manual
# and in the sample file, and neither may name another one. Keys of librdkafka are not ours to list.

set -eu

srcdir=${1:-${srcdir:-.}}
table=$srcdir/daemon/options_table.c
manual=$srcdir/man/tokentally.conf.5
sample=$srcdir/daemon/tokentally.conf.sample

# From the table: "NAME DEFAULT"; "?" where there is none, or where the build decides.
from_table() {
	tr '\n' ' ' <"$table" | sed 's/OPT_/\n&/g' | awk '
	/^OPT_[A-Z]+\(".*"/ {
		split($0, part, "\"")
		args = $0
		sub(/^[^(]*\(/, "", args)
		split(args, arg, /, */)
		default_text = arg[($0 ~ /^OPT_WORD/) ? 5 : 3]
		gsub(/[ \t]/, "", default_text)
		if (default_text !~ /^"/ || $0 ~ /^OPT_TOPICS/)
			default_text = "?"
		gsub(/"/, "", default_text)
		print part[2], default_text
	}'
}

# From the manual: ".It Cm NAME Ns = Ns Cm DEFAULT", where "" is an empty one.
from_manual() {
	awk '$1 == ".It" && $2 == "Cm" && $3 ~ /[.]/ { text = $8; gsub(/"/, "", text); print $3, text }' "$manual"
}

# From the sample file: "key = value" and ";key = value" under "[section]".
from_sample() {
	awk '
	/^\[/ { section = substr($0, 2, length($0) - 2) }
	/^;?[a-z_.]+ =/ {
		sub(/^;/, "")
		print section "." $1, $3
	}' "$sample"
}

# compare WHAT: what stands on standard input with the table.
compare() {
	awk -v what="$1" -v table="$work/table" '
	BEGIN {
		while ((getline line < table) > 0) {
			split(line, word, " ")
			wanted[word[1]] = word[2]
			count++
		}
		if (count < 20) {
			print "check-options: only " count + 0 " options found in the table"
			exit bad = 1
		}
	}
	{
		seen[$1]++
		if (!($1 in wanted)) {
			if ($1 !~ /^kafka[.]/) {
				print what ": " $1 " is not an option"
				bad = 1
			}
		} else if (wanted[$1] != "?" && wanted[$1] != $2) {
			print what ": the default of " $1 " is " wanted[$1] ", not " $2
			bad = 1
		}
	}
	END {
		for (name in wanted)
			if (seen[name] != 1) {
				print what ": " name " stands there " seen[name] + 0 " times"
				bad = 1
			}
		exit bad
	}'
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
from_table >"$work/table"
status=0
from_manual | compare "$manual" || status=1
from_sample | compare "$sample" || status=1
[ $status -ne 0 ] || echo "check-options: $(wc -l <"$work/table") options agree"
exit $status
