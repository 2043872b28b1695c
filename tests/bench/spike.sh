#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Compares ways to write batches into PostgreSQL: on a throwaway cluster of its own, which it removes. Prints tables
# in Markdown; docs/PERFORMANCE.md quotes them. Needs PostgreSQL 15, libpq-dev and gcc; run it as root or as a user
# that can run initdb. SPIKE_PARTS chooses parts (default "transport days clients layout batch").
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2012
bin=${PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)}
dir=$(mktemp -d /tmp/tokentally-spike.XXXXXX)
chmod 755 "$dir"

as_postgres() {
	if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

stop() {
	as_postgres "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >"$dir/stop.log" 2>&1 || true
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM

mkdir "$dir/data" "$dir/socket"
[ "$(id -u)" != 0 ] || chown postgres "$dir/data" "$dir/socket"
gcc -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -I "$(pg_config --includedir)" -o "$dir/spike" \
	"$here"/spike*.c -lpq -lpthread
as_postgres "$bin/initdb" -D "$dir/data" -U postgres -E UTF8 --locale=C.UTF-8 -A trust >"$dir/initdb.log"
cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$dir/socket'
shared_buffers = 1GB
max_wal_size = 8GB
log_min_messages = error
client_min_messages = warning
CONF
as_postgres "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -w start >/dev/null

export PGHOST=$dir/socket PGUSER=postgres PGDATABASE=postgres PGOPTIONS='-c search_path=spike'
psql -qX -v ON_ERROR_STOP=1 -f "$here/spike.sql" >/dev/null
# shellcheck disable=SC2086
"$dir/spike" ${SPIKE_PARTS:-transport days clients layout batch}
