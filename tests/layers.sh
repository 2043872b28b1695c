#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Who may include whom in daemon/ (docs/ARCHITECTURE.md, "Layers"): each module names its layer here, and may
# include modules of lower layers, and of its own; the libraries of Kafka, PostgreSQL and JSON have one place each.
cd "${srcdir:-.}/daemon" || exit 1
failed=0

fail() {
	echo "layers: $*" >&2
	failed=1
}

layer_of() {
	case $1 in
	err | mem | text | table | period | log | status | fault) echo 0 ;;
	event | faults | ini | options* | metrics) echo 1 ;;
	decode* | mapping | mapping_* | window | dedupe* | pseudonym | batch | roster | precedence | rules | csv | people_file) echo 2 ;;
	formats | source | pg | pg_* | names | sink | sink_* | schema | schema_sql | titles | http | notify) echo 3 ;;
	intake | holding | writer | ingest | worker | upkeep) echo 4 ;;
	run | cli | cli_* | main) echo 5 ;;
	*) echo unknown ;;
	esac
}

# module allowed-to-include... : edges that a layer number cannot say.
forbidden="decode:log decode:metrics window:log window:metrics dedupe:log dedupe:metrics window:options dedupe:options
decode:options mapping:options mapping:log mapping:metrics source:sink source:pg sink:source sink:log names:log source:log pg:log pg:metrics"

for file in *.c *.h; do
	module=${file%.[ch]}
	layer=$(layer_of "$module")
	[ "$layer" != unknown ] || { fail "$file: give the module '$module' a layer in tests/layers.sh"; continue; }
	for header in $(sed -n 's/^#include "\(.*\)\.h"/\1/p' "$file"); do
		case $header in autoconf | otlp.pb-c) continue ;; esac
		[ -f "$header.h" ] || { fail "$file includes $header.h, which is not there"; continue; }
		[ "$(layer_of "$header")" -le "$layer" ] || fail "$file (layer $layer) includes $header.h (layer $(layer_of "$header"))"
		for edge in $forbidden; do
			case "$module:$header" in "$edge" | "${edge%%:*}_"*":${edge##*:}") fail "$file must not include $header.h" ;; esac
		done
	done
	case $file in source.c) ;; *) grep -l 'rdkafka\.h>' "$file" && fail "$file includes rdkafka.h: source is its place" ;; esac
	case $file in pg.c | pg_state.[ch]) ;; *) grep -l 'libpq-fe\.h>' "$file" && fail "$file includes libpq-fe.h: pg is its place" ;; esac
	case $file in mapping_file.c | mapping_source.c | mapping_reader.[ch]) ;; *) grep -l 'cJSON\.h>' "$file" && fail "$file includes cJSON.h: mapping_reader is its place" ;; esac
	case $file in decode*proto.c) ;; *) grep -l 'otlp\.pb-c\.h"' "$file" && fail "$file includes otlp.pb-c.h: decode_otlp_proto is its place" ;; esac
	case $file in decode* | mapping* | window* | dedupe* | roster* | precedence*)
		grep -nE 'now_wall_us|now_monotonic_ms|clock_gettime|gettimeofday|time\(NULL\)' "$file" &&
			fail "$file reads a clock: time is an argument here" ;;
	esac
done
echo 1..1
[ $failed = 0 ] && echo "ok 1 - modules include only what their layer allows" ||
	echo "not ok 1 - modules include only what their layer allows"
exit $failed
