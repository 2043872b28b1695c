#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Benchmark of the whole daemon on a real Kafka and a PostgreSQL of its own, beside a bare consume + cJSON loop.
# Prints a table in Markdown. Needs what ./test.sh installs (it fetches Kafka too) and a built daemon
# (TOKENTALLY=path, default daemon/tokentally; without one only the bare loop is measured).
#
#   tests/bench/bench_ingest.sh [EVENTS]          (default 2000000)
#   BENCH_SET="ingest.workers=2 ingest.memory_max=1G" tests/bench/bench_ingest.sh
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d /tmp/tokentally-bench.XXXXXX)
chmod 755 "$dir" # user postgres works below it
trap 'rm -rf "$dir"' EXIT

for program in bench_producer bench_bare; do
	gcc -std=gnu11 -O2 -Wall -Wextra -Wshadow -o "$dir/$program" "$here/$program.c" -lrdkafka -lcjson
done
PATH=$dir:$PATH TMPDIR=$dir PYTHONPATH=$here/../lib /usr/bin/python3 -B "$here/bench_ingest.py" "${1:-2000000}"
