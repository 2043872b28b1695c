#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# How long a run of all titles takes: PEOPLE (100,000) people over 30 days, 5 models each, 64 hours of use and 40 sessions a
# month each. Prints for a first run (flags look at all 30 days), the next hour, and the same hour again: seconds, and CPU
# seconds of the session's process (not of parallel workers). With --ingest a real Kafka and a daemon (TOKENTALLY=path, default
# daemon/tokentally) bring in RATE events/s meanwhile, which needs what ./test.sh installs.
#
#   tests/bench/titles_bench.sh [--ingest RATE] [PEOPLE]
set -eu
rate=0
if [ "${1:-}" = --ingest ]; then
	rate=${2:?events a second}
	shift 2
fi
here=$(cd "$(dirname "$0")" && pwd)
people=${1:-100000}
bindir=${PG_BINDIR:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)}
work=$(mktemp -d "${TMPDIR:-/tmp}/tokentally-titles.XXXXXX")
if [ "$(id -u)" -eq 0 ]; then
	chown postgres "$work"
	as_server='runuser -u postgres --'
else
	as_server=
fi
ingest=
stop() {
	[ -z "$ingest" ] || { kill "$ingest" 2>/dev/null && wait "$ingest" || :; }
	$as_server "$bindir/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || :
	rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
$as_server "$bindir/initdb" -D "$work/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >"$work/initdb.log"
$as_server "$bindir/pg_ctl" -D "$work/data" -l "$work/server.log" -w start -o \
	"-c listen_addresses= -c unix_socket_directories=$work -c fsync=off -c shared_buffers=512MB -c max_wal_size=4GB" >/dev/null
unset PGPASSWORD PGSERVICE PGOPTIONS
export PGHOST="$work" PGUSER=postgres PGPORT=5432 PGDATABASE=postgres
sh "$here/../../sql/apply.sh" | psql -X -q -v ON_ERROR_STOP=1
run_sql() {
	PGOPTIONS='-c search_path=tokentally,public -c timezone=UTC' psql -X -q -v ON_ERROR_STOP=1 -v people="$people" -f "$here/$1"
}
run_sql titles_bench.sql
if [ "$rate" -gt 0 ]; then
	mkdir "$work/ingest"
	chmod 755 "$work" # user postgres works below it
	PYTHONPATH=$here/../lib /usr/bin/python3 -B "$here/titles_ingest.py" "$rate" "$people" "$work/ingest" "$work" &
	ingest=$!
	until [ -e "$work/ingest/flowing" ]; do
		kill -0 "$ingest"
		sleep 0.2
	done
fi
uptime
run_sql titles_runs.sql
uptime
