#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The daemon under tools that see more than a test: valgrind over start, load and stop; another librdkafka than the
# one it was built with. Prints TAP. usage: tests/faults/run.sh valgrind|librdkafka
cd "$(dirname "$0")/../.." || exit 2
: "${TOKENTALLY:?the binary under test}"
WORK=$(mktemp -d "${TMPDIR:-/tmp}/tokentally-run-XXXXXX") || exit 2
trap 'rm -rf "$WORK"' EXIT

# The soak's machinery with one daemon, which is started, loaded and stopped, and no fault at all.
under_valgrind() {
	cat >"$WORK/tokentally" <<-SCRIPT
		#!/bin/sh
		case \$1 in run) exec valgrind -q --error-exitcode=77 --leak-check=full --errors-for-leak-kinds=definite,indirect \
			--show-leak-kinds=definite,indirect --suppressions=$PWD/tests/faults/valgrind.supp "$TOKENTALLY" "\$@" ;; esac
		exec "$TOKENTALLY" "\$@"
	SCRIPT
	chmod +x "$WORK/tokentally"
	TOKENTALLY_TOOLS="$(dirname "$(dirname "$TOKENTALLY")")/tests/tools" TOKENTALLY="$WORK/tokentally" \
		/usr/bin/python3 -B tests/faults/plain_run.py
}

# The wheel of confluent-kafka ships a librdkafka with the same soname.
with_new_librdkafka() {
	local library version
	/usr/bin/python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.11 --platform manylinux_2_28_x86_64 \
		-d "$WORK" confluent-kafka || { echo "not ok - the wheel of confluent-kafka"; exit 1; }
	(cd "$WORK" && /usr/bin/python3 -m zipfile -e confluent_kafka-*.whl wheel)
	library=$(find "$WORK/wheel" -name 'librdkafka*.so*' | head -n 1)
	mkdir "$WORK/lib" && cp "$WORK"/wheel/confluent_kafka.libs/* "$WORK/lib/" && cp "$library" "$WORK/lib/librdkafka.so.1"
	cat >"$WORK/tokentally" <<-SCRIPT
		#!/bin/sh
		LD_LIBRARY_PATH=$WORK/lib exec "$TOKENTALLY" "\$@"
	SCRIPT
	chmod +x "$WORK/tokentally"
	version=$(LD_LIBRARY_PATH=$WORK/lib /usr/bin/python3 -c 'import ctypes
library = ctypes.CDLL("librdkafka.so.1"); library.rd_kafka_version_str.restype = ctypes.c_char_p
print(library.rd_kafka_version_str().decode())')
	if LD_LIBRARY_PATH=$WORK/lib ldd "$TOKENTALLY" | grep -q "$WORK/lib/librdkafka.so.1"; then
		echo "ok - the daemon runs on librdkafka $version"
	else
		echo "not ok - the daemon runs on the librdkafka of the wheel, $version"
	fi
	for script in tests/integration/test_10_end_to_end.py tests/integration/test_20_crashes.py \
		tests/integration/test_50_partitions.py; do
		TOKENTALLY="$WORK/tokentally" /usr/bin/python3 -B "$script"
	done
}

case ${1-} in
valgrind) under_valgrind ;;
librdkafka) with_new_librdkafka ;;
*) echo "usage: tests/faults/run.sh valgrind|librdkafka" >&2; exit 2 ;;
esac
