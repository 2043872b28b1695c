#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Three weeks of a made-up company of 300 people, through the real daemon, in about a minute: installs
# what is missing, builds, starts a throwaway PostgreSQL and a mock Kafka, plays, kills the daemon
# halfway, compares what was counted with what was sent, and shows the board and some answers.
# Everything listens on 127.0.0.1, lives in one directory under /tmp, and is gone afterwards; an existing
# PostgreSQL is not touched.
set -euo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly source_dir topic=model-calls partitions=12 records_a_second=15000
readonly build_packages="autoconf automake libtool pkg-config gcc libc6-dev make libpq-dev
	librdkafka-dev libcjson-dev libmicrohttpd-dev libsystemd-dev libssl-dev libxxhash-dev libprotobuf-c-dev protobuf-c-compiler zlib1g-dev"

keep=no seed=1 build_dir='' until=$(date +%s)
work='' pg_bin='' daemon='' company='' pg_port='' http_port='' brokers=''
broker_pid='' daemon_pid='' player_pid='' cluster_conf='' killed=no clean_exit=no

usage() {
	cat <<-END
	usage: demo.sh [--keep] [--seed N] [--build DIR]
	  --keep       leave everything running at the end, to look around
	  --seed N     another company (default 1)
	  --build DIR  build there and keep the objects; default: a temporary directory
	END
}

# ---- talking --------------------------------------------------------------------------------------

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
	terminal=yes line_start=$'\r\e[K'
	bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
	terminal=no line_start=''
	bold='' dim='' green='' red='' plain=''
fi

title() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
begin() {
	step=$1 begun=$SECONDS
	if [ $terminal = yes ]; then printf '  %-13s%s...%s' "$step" "$dim" "$plain"; fi
}
done_() { printf '%s  %-13s%s\n' "$line_start" "$step" "$1"; }
note() { printf '  %-13s%s\n' '' "$1"; }
die() {
	printf '%s  %sdemo: %s%s\n' "$line_start" "$red" "$1" "$plain" >&2
	if [ -n "${2:-}" ] && [ -s "$2" ]; then
		printf '  the end of %s:\n' "$(basename "$2")" >&2
		tail -n 15 "$2" | cut -c1-300 | sed 's/^/    /' >&2
	fi
	exit 1
}
number() { printf "%d" "$1" | sed ':a;s/\B[0-9]\{3\}\>/,&/;ta'; }

# ---- ending ---------------------------------------------------------------------------------------

end_process() { # pid, seconds of patience
	local left=$(($2 * 10))
	if [ -z "$1" ] || ! kill -TERM "$1" 2>/dev/null; then return 0; fi
	while kill -0 "$1" 2>/dev/null && [ $((left--)) -gt 0 ]; do sleep 0.1; done
	kill -KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
	local status=$?
	trap - EXIT
	trap '' INT TERM HUP
	if [ "$keep" = yes ] && [ "$clean_exit" = yes ]; then exit 0; fi
	if [ -n "$cluster_conf" ]; then as_root rm -f "$cluster_conf"; fi
	if [ -n "$work" ]; then
		end_process "$player_pid" 1
		end_process "$daemon_pid" 22
		end_process "$broker_pid" 2
		if [ -f "$work/pg/data/postmaster.pid" ]; then
			as_postgres "$pg_bin/pg_ctl" -m immediate -D "$work/pg/data" stop >/dev/null 2>&1 || true
		fi
		rm -rf "$work"
	fi
	exit $status
}

# ---- before ---------------------------------------------------------------------------------------

parse_arguments() {
	while [ $# -gt 0 ]; do
		case $1 in
		--keep) keep=yes ;;
		--seed) seed=${2:-}; shift ;;
		--seed=*) seed=${1#*=} ;;
		--build) build_dir=${2:-}; shift ;;
		--build=*) build_dir=${1#*=} ;;
		-h | --help) usage; exit 0 ;;
		*) usage >&2; exit 2 ;;
		esac
		shift || { usage >&2; exit 2; }
	done
	if ! [[ $seed =~ ^[0-9]{1,18}$ ]]; then usage >&2; exit 2; fi
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# PostgreSQL refuses to run as root; then its own user runs it.
as_postgres() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && setpriv --reuid postgres --regid postgres --init-groups "$@")
	else
		(cd / && "$@")
	fi
}

newest_postgres() {
	local dir
	for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -Vr); do
		[ -x "$dir/initdb" ] || continue
		if [ "$("$dir/postgres" -V | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -ge 15 ]; then
			echo "$dir"
			return
		fi
	done
}

is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

missing_packages() {
	local package
	for package in $build_packages; do
		if ! is_installed "$package"; then echo "$package"; fi
	done
	if [ -z "$(newest_postgres)" ]; then echo postgresql-15; fi
}

# Debian would make and start a cluster "main" with the package; nobody asked for one.
without_main_cluster() {
	cluster_conf=/etc/postgresql-common/createcluster.d/tokentally-demo.conf
	as_root mkdir -p "${cluster_conf%/*}"
	echo 'create_main_cluster = false' | as_root tee "$cluster_conf" >/dev/null
	"$@"
	as_root rm -f "$cluster_conf"
	cluster_conf=''
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >>"$work/apt.log" 2>&1 ||
		die "apt-get $1 failed" "$work/apt.log"
}

install_packages() {
	local missing wrapped
	begin packages
	if ! command -v dpkg-query >/dev/null; then
		done_ 'no dpkg here: relying on what is installed'
		return
	fi
	missing=$(missing_packages | tr '\n' ' ')
	if [ -z "$missing" ]; then done_ 'all installed'; return; fi
	wrapped=$(echo "$missing" | fold -s -w 72 | sed '2,$s/^/               /')
	done_ 'missing, so apt-get install:'
	note "$wrapped"
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		die "not root, and no sudo; as root: apt-get install $missing"
	fi
	begin ''
	apt update
	# shellcheck disable=SC2086 # a list of words
	apt install -y --no-install-recommends postgresql-common ${missing/postgresql-15/}
	case $missing in
	*postgresql-15*) without_main_cluster apt install -y --no-install-recommends postgresql-15 ;;
	esac
	done_ "installed in $((SECONDS - begun)) s"
}

# ---- building -------------------------------------------------------------------------------------

configure_and_make() {
	if [ ! -x "$source_dir/configure" ]; then (cd "$source_dir" && ./autogen.sh); fi
	# A tree that is configured in place cannot be built from elsewhere.
	if [ -f "$source_dir/config.status" ]; then build_dir=$source_dir; fi
	mkdir -p "$build_dir"
	cd "$build_dir"
	if [ ! -f config.status ]; then "$source_dir/configure" --quiet; fi
	make -j"$(nproc)" daemon/tokentally tests/tools/mockbroker tests/tools/company
}

build() {
	begin build
	build_dir=${build_dir:-$work/build}
	# In a subshell of its own, so that set -e holds inside; `if` would switch it off.
	set +e
	(
		set -e
		configure_and_make
		pwd >"$work/built_in"
	) >"$work/build.log" 2>&1
	local status=$?
	set -e
	[ $status = 0 ] || die 'the build failed' "$work/build.log"
	build_dir=$(cat "$work/built_in")
	daemon=$build_dir/daemon/tokentally company=$build_dir/tests/tools/company
	done_ "$("$daemon" --version | head -n 1) in $((SECONDS - begun)) s"
}

# ---- servers --------------------------------------------------------------------------------------

free_port() {
	local port
	while :; do
		port=$((20000 + RANDOM % 12000))
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo $port; return; fi
	done
}

random_word() { od -An -N12 -tx1 /dev/urandom | tr -d ' \n'; }

# sql USER [psql arguments]: never a pager, never the caller's .psqlrc
sql() {
	local user=$1
	shift
	psql -X -q -v ON_ERROR_STOP=1 -P pager=off -h 127.0.0.1 -p "$pg_port" -U "$user" -d tokentally "$@"
}

init_postgres() {
	local password
	password=$(random_word)
	mkdir "$work/pg"
	echo "$password" >"$work/pg/superuser"
	if [ "$(id -u)" = 0 ]; then chown -R postgres: "$work/pg"; fi
	as_postgres "$pg_bin/initdb" -D "$work/pg/data" -U postgres --pwfile="$work/pg/superuser" \
		-A scram-sha-256 --no-sync -E UTF8 --locale=C.UTF-8 >"$work/initdb.log" 2>&1 ||
		die 'initdb failed' "$work/initdb.log"
	echo "127.0.0.1:*:*:postgres:$password" >>"$PGPASSFILE"
}

# Durability is not what a throwaway needs; the rest is as everywhere.
try_postgres() {
	pg_port=$(free_port)
	as_postgres "$pg_bin/pg_ctl" -w -D "$work/pg/data" -l "$work/pg/log" -o "-p $pg_port -k '' \
		-c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c jit=off \
		-c shared_buffers=256MB -c timezone=UTC" start >"$work/pg_ctl.log" 2>&1
}

start_postgres() {
	begin PostgreSQL
	pg_bin=$(newest_postgres)
	[ -n "$pg_bin" ] || die 'no PostgreSQL 15 or newer under /usr/lib/postgresql'
	PATH=$pg_bin:$PATH
	init_postgres
	# Somebody may take the port in between.
	try_postgres || try_postgres || try_postgres || die 'PostgreSQL does not start' "$work/pg/log"
	createdb -h 127.0.0.1 -p "$pg_port" -U postgres tokentally
	done_ "$("$pg_bin/postgres" -V | awk '{print $3}') on 127.0.0.1:$pg_port, a cluster of its own"
}

# Three logins, each with one role: the daemon's, Grafana's, and one that may see names.
make_login() { # name, role
	local password
	password=$(random_word)
	sql postgres <<<"CREATE ROLE $1 LOGIN PASSWORD '$password' IN ROLE $2;"
	echo "127.0.0.1:*:*:$1:$password" >>"$PGPASSFILE"
}

write_configuration() {
	random_word >"$work/privacy.key"
	cat >"$work/tokentally.conf" <<-END
	[kafka]
	bootstrap.servers = $brokers
	topics = $topic:native
	group.id = tokentally-demo
	session.timeout.ms = 6000

	[postgres]
	conninfo = host=127.0.0.1 port=$pg_port dbname=tokentally user=demo_daemon passfile=$PGPASSFILE

	[ingest]
	flush_interval = 1s
	workers = 2

	[titles]
	# The demo calls for titles itself, day by day.
	enabled = false

	[privacy]
	key = @$work/privacy.key

	[http]
	listen = 127.0.0.1:$http_port
	END
}

migrate() {
	begin migrate
	PGHOST=127.0.0.1 PGPORT=$pg_port PGUSER=postgres PGDATABASE=tokentally \
		"$daemon" migrate -c "$work/tokentally.conf" -o postgres.conninfo= >"$work/migrate.log" 2>&1 ||
		die 'tokentally migrate failed' "$work/migrate.log"
	make_login demo_daemon tokentally_ingest
	make_login demo_grafana tokentally_reader
	make_login demo_people tokentally_people
	done_ "schema tokentally, $(sql postgres -At -c "SELECT count(*) FROM pg_views
		WHERE schemaname = 'tokentally'") views, five roles"
}

start_broker() {
	begin Kafka
	setsid "$build_dir/tests/tools/mockbroker" -t $topic -p $partitions </dev/null >"$work/brokers" \
		2>"$work/broker.log" &
	broker_pid=$!
	for _ in $(seq 100); do
		[ ! -s "$work/brokers" ] || break
		kill -0 $broker_pid 2>/dev/null || die 'the mock broker ended' "$work/broker.log"
		sleep 0.1
	done
	brokers=$(cat "$work/brokers")
	done_ "librdkafka's mock cluster on $brokers, topic $topic, $partitions partitions"
}

# In a session of its own, as the broker is: Ctrl-C and a closed terminal are the demo's business.
start_daemon() {
	setsid "$daemon" run -c "$work/tokentally.conf" </dev/null >>"$work/daemon.log" 2>&1 &
	daemon_pid=$!
}

# ---- the play -------------------------------------------------------------------------------------

field() { sed "s/.*\<$1=\([0-9]*\).*/\1/" "$work/truth"; }

# What the database says it has counted, and the company's own time.
progress() {
	sql demo_grafana -At -F ' ' -c "
		SELECT coalesce(sum(accepted + dead + duplicate + skipped), 0),
		       count(*) FILTER (WHERE state = 'quarantined'),
		       coalesce(to_char(max(event_time_max) AT TIME ZONE 'UTC', 'Dy DD Mon'), '-')
		  FROM tokentally.ingest_progress"
}

show_progress() { # counted, of, company's date
	local width=30 percent=$(($1 * 100 / $2)) says filled bar
	says="$(number "$1") records, it is $3"
	if [ "$1" = 0 ]; then says='joining the group'; fi
	if [ $terminal = yes ]; then
		filled=$((percent * width / 100))
		bar=$(printf '%*s' $filled '' | tr ' ' '#')$(printf '%*s' $((width - filled)) '' | tr ' ' '.')
		printf '%s  %-13s%s%s%s %3d %%  %s' "$line_start" play "$green" "$bar" "$plain" $percent "$says"
	elif [ $SECONDS -ge "$next_line" ]; then
		next_line=$((SECONDS + 4))
		printf '  %-13s%3d %%  %s\n' play $percent "$says"
	fi
}

kill_halfway() { # counted, of
	if [ $killed = yes ] || [ $(($1 * 2)) -lt "$2" ]; then return; fi
	killed=yes
	kill -KILL $daemon_pid
	wait $daemon_pid 2>/dev/null || true
	printf '%s  %-13s%s\n' "$line_start" 'kill -9' \
		"the daemon, at $(number "$1") records; a new one waits 6 s for the dead one's place"
	start_daemon
}

follow() {
	local total=$1 counted=0 quarantined date_ last=-1
	local last_change=$SECONDS next_line=$SECONDS
	while :; do
		read -r counted quarantined date_ < <(progress) || die 'cannot ask PostgreSQL' "$work/pg/log"
		show_progress "$counted" "$total" "$date_"
		[ "$quarantined" = 0 ] || die "$quarantined partitions in quarantine" "$work/daemon.log"
		[ "$counted" -lt "$total" ] || break
		kill_halfway "$counted" "$total"
		kill -0 $daemon_pid 2>/dev/null || die 'the daemon ended' "$work/daemon.log"
		if [ "$counted" != "$last" ]; then last=$counted last_change=$SECONDS; fi
		[ $((SECONDS - last_change)) -lt 60 ] || die 'no progress for a minute' "$work/daemon.log"
		sleep 0.25
	done
}

play() {
	local total note_=''
	step=play
	"$company" -n -s "$seed" -u "$until" >"$work/truth"
	total=$(field records)
	begun=$SECONDS
	start_daemon
	"$company" -b "$brokers" -t $topic -s "$seed" -u "$until" -r $records_a_second >"$work/sent" \
		2>"$work/player.log" &
	player_pid=$!
	follow "$total"
	wait $player_pid || die 'the player failed' "$work/player.log"
	player_pid=''
	if [ $killed = yes ]; then note_=', a kill -9 included'; fi
	done_ "$(number "$total") records counted in $((SECONDS - begun)) s$note_"
}

compare() {
	local sent counted
	begin truth
	sent="$(field accepted) $(field duplicates) $(field dead) $(field total_tokens)"
	counted=$(sql demo_grafana -At -F ' ' -c "
		SELECT sum(accepted), sum(duplicate), sum(dead),
		       (SELECT sum(total_tokens) FROM tokentally.usage_by_hour) FROM tokentally.ingest_progress")
	[ "$sent" = "$counted" ] ||
		die "sent (calls, duplicates, bad, tokens): $sent; but counted: $counted" "$work/daemon.log"
	# shellcheck disable=SC2086 # four words
	set -- $counted
	done_ "${green}exact$plain: $(number "$1") calls, $(number "$4") tokens"
	note "$2 sent twice and counted once, $3 bad messages kept as dead letters"
}

compute_titles() { # [--as-of TIME]
	"$daemon" titles -c "$work/tokentally.conf" "$@" >>"$work/titles.log" 2>&1 ||
		die 'tokentally titles failed' "$work/titles.log"
}

titles() {
	local midnight=$((until / 86400 * 86400)) day
	begin titles
	# A week of history first, so that crowns can change heads.
	for day in 7 6 5 4 3 2 1 0; do
		compute_titles --as-of "$(date -u -d @$((midnight - day * 86400)) +%FT%TZ)"
	done
	compute_titles
	# Which teams are large enough to be named the daemon counts by and by (docs/PRIVACY.md); the demo does not wait for that.
	until [ "$(sql postgres -At -c 'SELECT tokentally.refresh_small_groups(now(), true)')" = t ]; do
		sleep 0.25
	done
	done_ "$(sql demo_grafana -At -c "
		SELECT count(*) || ' recomputations, ' || (array_agg(holders ORDER BY as_of DESC))[1] ||
		       ' titles held now' FROM tokentally.title_run") in $((SECONDS - begun)) s"
}

# ---- the answers ----------------------------------------------------------------------------------

# The n-th query of docs/SQL.md, so that the manual and the demo cannot differ.
query() {
	awk -v n="$1" '/^```sql$/ { i++; p = (i == n); next } /^```$/ { p = 0 } p' "$source_dir/docs/SQL.md"
}

show_query() {
	query "$1" | sed "s/^/  $dim/; s/\$/$plain/"
	echo
}

show_answer() { # user, query
	query "$2" | sql "$1" -P border=1 -P footer=off -P null=- -f - | sed '/^$/d; s/^/  /'
}

board() {
	title "The board, as everybody may see it: tokentally top"
	"$daemon" top -c "$work/tokentally.conf" -o postgres.conninfo=@"$work/reader.conninfo" -n 10 |
		sed 's/^./  &/'
}

answers() {
	title "What does each team cost, and is it getting more?  (as tokentally_reader)"
	show_query 1
	show_answer demo_grafana 1
	title "Who pays for the same context again and again?  (as tokentally_reader)"
	show_query 2
	show_answer demo_grafana 2
	title "Is something running that nobody looks at?  (as tokentally_reader: pseudonyms)"
	show_query 3
	show_answer demo_grafana 3
	title "The same question, asked by somebody who may know  (as tokentally_people: names)"
	show_answer demo_people 3
	title "Who wears the titles?  (as tokentally_people)"
	show_query 5
	show_answer demo_people 5
}

# ---- after ----------------------------------------------------------------------------------------

write_stop() {
	cat >"$work/stop" <<-END
	#!/bin/sh
	# Ends what demo.sh --keep left running.
	kill $daemon_pid
	for i in \$(seq 200); do kill -0 $daemon_pid 2>/dev/null || break; sleep 0.1; done
	kill $broker_pid
	cd /
	as=''
	if [ "\$(id -u)" = 0 ]; then as='setpriv --reuid postgres --regid postgres --init-groups'; fi
	\$as $pg_bin/pg_ctl -m immediate -D $work/pg/data stop
	rm -rf $work
	END
	chmod 700 "$work/stop"
}

look_further() {
	title "Looking further"
	if [ "$keep" = no ]; then
		cat <<-END
		  all of this is stopped and removed now; ./demo.sh --keep leaves it running.
		  docs/SQL.md has more questions, grafana/ a dashboard, README.md how to read your own Kafka.

		END
		return
	fi
	write_stop
	cat <<-END
	  everything is still running:
	    psql       PGPASSFILE=$PGPASSFILE \\
	               psql -h 127.0.0.1 -p $pg_port -U demo_people tokentally     (or demo_grafana)
	    metrics    http://127.0.0.1:$http_port/metrics   (and /healthz, /readyz)
	    Grafana    see grafana/README.md; user demo_grafana, its password is in the file above
	    the log    $work/daemon.log
	    more       $company -b $brokers -s 2    plays another seed
	  and ends with
	    $work/stop

	END
}

main() {
	parse_arguments "$@"
	# Nothing of the caller's PostgreSQL settings may reach another server.
	for variable in ${!PG@}; do unset "$variable"; done
	export LC_ALL=C.UTF-8
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	# Root's PostgreSQL runs as user postgres, whom a TMPDIR of somebody's own may keep out.
	if [ "$(id -u)" = 0 ]; then TMPDIR=/tmp; fi
	work=$(mktemp -d "${TMPDIR:-/tmp}/tokentally-demo.XXXXXX")
	chmod 711 "$work"
	export PGPASSFILE=$work/pgpass
	title 'tokentally: three weeks of a made-up company, counted'
	install_packages
	build
	umask 077
	start_postgres
	start_broker
	http_port=$(free_port)
	write_configuration
	conninfo="host=127.0.0.1 port=$pg_port dbname=tokentally passfile=$PGPASSFILE"
	echo "$conninfo user=demo_grafana" >"$work/reader.conninfo"
	migrate
	play
	compare
	titles
	board
	answers
	look_further
	clean_exit=yes
}

main "$@"
