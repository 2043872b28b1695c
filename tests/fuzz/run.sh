#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# AFL++ on every fuzz target, under AddressSanitizer and UBSan. Arguments: the source tree (with configure), a directory to
# work in, seconds for all targets at once. Prints TAP: a target passes when AFL++ ran that long without a crash or a hang.
set -u
source=$(cd "$1" && pwd)
work=$2
seconds=$3
mkdir -p "$work/build"
export AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 AFL_AUTORESUME=0
export ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0 UBSAN_OPTIONS=abort_on_error=1:symbolize=0
flags="-std=gnu11 -g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"

echo 1..4
if ! (cd "$work/build" && CC=afl-clang-fast "$source/configure" -q --disable-hardening CFLAGS="$flags" LDFLAGS="-fsanitize=address,undefined" &&
	AFL_QUIET=1 make -s -j2 daemon/otlp.pb-c.h && AFL_QUIET=1 make -s -j2 daemon/libtokentally.a) >"$work/build.log" 2>&1; then
	tail -n 5 "$work/build.log" | sed 's/^/# /'
	echo "not ok 1 - the fuzz targets build with afl-clang-fast"
	exit 1
fi
libs=$(sed -n 's/^\(CJSON\|XXHASH\|PROTOBUF_C\|CRYPTO\|PQ\|RDKAFKA\|SYSTEMD\|MHD\)_LIBS = //p' "$work/build/Makefile" | tr '\n' ' ')

# seeds TARGET: its committed inputs, one directory, no names twice.
seeds() {
	mkdir -p "$work/$1.in"
	case $1 in
	decode) find "$source/schemas/samples" "$source/tests/fuzz/corpus/decode" -type f -size -20k ! -name expected.txt 2>/dev/null ;;
	mapping) find "$source/schemas" "$source/tests/fuzz/corpus/mapping" -maxdepth 1 -type f -name '*.json' 2>/dev/null ;;
	config) find "$source/tests/fuzz/corpus/config" "$source/daemon/tokentally.conf.sample" -type f ;;
	*) find "$source/tests/fuzz/corpus/$1" -type f ;;
	esac | while read -r file; do
		[ ! -s "$file" ] || cp "$file" "$work/$1.in/$(basename "$(dirname "$file")")-$(basename "$file")"
	done
}

# fuzz NUMBER TARGET
fuzz() {
	local number=$1 target=$2 stats found
	seeds "$target"
	# shellcheck disable=SC2086
	if ! AFL_QUIET=1 afl-clang-fast $flags -fsanitize=fuzzer -I"$work/build" -I"$work/build/daemon" -I"$source/daemon" -o "$work/fuzz_$target" \
		"$source/tests/fuzz/fuzz_$target.c" "$work/build/daemon/libtokentally.a" $libs -lm -pthread >"$work/$target.log" 2>&1; then
		tail -n 3 "$work/$target.log" | sed 's/^/# /'
		echo "not ok $number - fuzz_$target builds"
		return 1
	fi
	afl-fuzz -i "$work/$target.in" -o "$work/$target.out" -V "$seconds" -t 2000 -m none -- "$work/fuzz_$target" >>"$work/$target.log" 2>&1
	stats=$work/$target.out/default/fuzzer_stats
	found=$(find "$work/$target.out/default/crashes" "$work/$target.out/default/hangs" -type f -name 'id*' 2>/dev/null | wc -l)
	if [ -e "$stats" ] && [ "$found" = 0 ] && [ "$(sed -n 's/^execs_done *: //p' "$stats")" -gt 0 ]; then
		echo "ok $number - fuzz_$target: $seconds s, $(sed -n 's/^execs_done *: //p' "$stats") runs, no crash, no hang"
		return 0
	fi
	grep -hE 'PROGRAM ABORT|SYSTEM ERROR' "$work/$target.log" | sed 's/^/# /'
	echo "not ok $number - fuzz_$target: $found crashes or hangs under $work/$target.out/default"
	return 1
}

failed=0
number=0
for target in decode mapping time config; do
	number=$((number + 1))
	fuzz "$number" "$target" &
done
for job in $(jobs -p); do
	wait "$job" || failed=1
done
exit $failed
