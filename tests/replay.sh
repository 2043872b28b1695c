#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every committed sample and every input that once broke the decoder goes through the fuzz target.
echo 1..1
# shellcheck disable=SC2046
if tests/fuzz/replay_decode $(find "${srcdir:-.}/schemas/samples" "${srcdir:-.}/tests/fuzz" -name '*.json' -o -name '*.bin' -o -path '*/corpus/*' -type f); then
	echo "ok 1 - the decoder survives every committed input"
else
	echo "not ok 1 - the decoder survives every committed input"
	exit 1
fi
