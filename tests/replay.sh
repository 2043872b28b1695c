#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every committed sample and every input that once broke something goes through its fuzz target, and so do some thousand
# mutations of them.
root=${srcdir:-.}
failed=0
number=0

# replay TARGET MUTATIONS PATH...
replay() {
	target=$1
	mutations=$2
	shift 2
	number=$((number + 1))
	if tests/fuzz/replay_"$target" -m "$mutations" "$@"; then
		echo "ok $number - fuzz_$target survives every committed input and $mutations mutations"
	else
		echo "not ok $number - fuzz_$target survives every committed input and $mutations mutations"
		failed=1
	fi
}

echo 1..4
# shellcheck disable=SC2046
replay decode 5000 $(find "$root/schemas/samples" "$root/tests/fuzz/corpus" -name '*.json' -o -name '*.bin' -o -path '*/corpus/decode/*' -type f)
# shellcheck disable=SC2046
replay mapping 3000 $(find "$root/schemas" "$root/tests/fuzz/corpus" -maxdepth 1 -name '*.json' -o -path '*/corpus/mapping/*' -type f)
replay time 20000 "$root/tests/fuzz/corpus/time"
replay config 1000 "$root/daemon/tokentally.conf.sample" "$root/tests/fuzz/corpus/config"
exit $failed
