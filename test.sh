#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs all tests on Debian 12, as root or with sudo, from a bare machine: installs what is missing, builds a copy
# of the tree, runs unit, SQL and integration tests (real Kafka, real PostgreSQL) and the unit tests under
# sanitizers. Last line: "N passed, N failed", single checks summed over all stages. tests/README.md says more.
set -u
cd "$(dirname "$0")" || exit 2

usage() {
	echo "usage: ./test.sh [--full] [--only PATTERN] [--list]"
	echo "  --full          long ones too: larger loads, more crashes, several seeds"
	echo "  --only PATTERN  only stages whose name matches the regular expression (--list shows the names)"
}

FULL= ONLY=. LIST=
while [ $# -gt 0 ]; do
	case $1 in
	--full) FULL=1 ;;
	--only) ONLY=${2?--only needs a pattern}; shift ;;
	--list) LIST=1 ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

CACHE=${XDG_CACHE_HOME:-/var/tmp}/tokentally-tests
KAFKA_VERSION=4.3.1
export KAFKA_LIBS=$CACHE/kafka-$KAFKA_VERSION
PACKAGES="autoconf automake autoconf-archive libtool pkg-config gcc libc6-dev make xz-utils libpq-dev librdkafka-dev
	libcjson-dev libmicrohttpd-dev libsystemd-dev libini-config-dev libssl-dev libxxhash-dev libprotobuf-c-dev protobuf-c-compiler libcmocka-dev
	libasan8 libubsan1 postgresql-15 postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl postgresql-common
	default-jdk-headless maven python3 python3-confluent-kafka python3-psycopg2 python3-jsonschema systemd procps mandoc
	libtsan2 valgrind python3-pip"
[ -z "$FULL" ] || PACKAGES="$PACKAGES afl++ clang"
PASSED=0 FAILED=0
SUDO=
[ "$(id -u)" = 0 ] || SUDO=sudo

say() { printf '== %s\n' "$*"; }

# fail WHAT...: one failed check, with its one line why.
fail() {
	FAILED=$((FAILED + 1))
	printf 'not ok - %s\n' "$*"
}

finish() {
	[ -z "${WORK:-}" ] || [ -n "${TOKENTALLY_TEST_KEEP:-}" ] || rm -rf "$WORK"
	printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
	[ "$FAILED" = 0 ] && [ "$PASSED" -gt 0 ] && exit 0
	exit 1
}

wanted() {
	if [ -n "$LIST" ]; then
		echo "$1"
		return 1
	fi
	printf '%s\n' "$1" | grep -qE -- "$ONLY"
}

# count_log FILE STATUS NAME: counts TAP lines, or what prove says it read ("Files=1, Tests=9", with the failed
# lines shown). A stage that failed without a failed check is one itself.
count_log() {
	local good bad proved
	good=$(grep -cE '^ok( |$)' "$1")
	bad=$(grep -cE '^ *not ok( |$)' "$1")
	proved=$(grep -oE 'Tests=[0-9]+' "$1" | awk -F= '{ sum += $2 } END { print sum + 0 }')
	[ "$good" -gt 0 ] || good=$((proved > bad ? proved - bad : 0))
	PASSED=$((PASSED + good)) FAILED=$((FAILED + bad))
	if [ "$2" != 0 ] && [ "$bad" = 0 ]; then
		fail "$3: ended with status $2 and no failed check; last lines:"
		tail -n 5 "$1" | sed 's/^/#   /'
	elif [ "$2" = 0 ] && [ "$((good + bad))" = 0 ]; then
		fail "$3: ran no check"
	fi
	say "$3: $good passed, $bad failed, status $2"
}

install_packages() {
	local package missing=
	for package in $PACKAGES; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	say "installing Debian packages:$missing"
	export DEBIAN_FRONTEND=noninteractive
	$SUDO apt-get -qq -o DPkg::Lock::Timeout=300 update || say "apt-get update failed; trying with the lists there are"
	# shellcheck disable=SC2086
	$SUDO env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
		install --no-install-recommends $missing >"$WORK/apt.log" 2>&1 && return 0
	tail -n 5 "$WORK/apt.log"
	fail "could not install:$missing"
	return 1
}

install_kafka() {
	[ -e "$KAFKA_LIBS/kafka_2.13-$KAFKA_VERSION.jar" ] && return 0
	say "fetching Kafka $KAFKA_VERSION from its Maven artifacts into $KAFKA_LIBS"
	rm -rf "$KAFKA_LIBS.new"
	mkdir -p "$KAFKA_LIBS.new"
	if mvn -B -q -f tests/lib/kafka/pom.xml dependency:copy-dependencies -DincludeScope=runtime \
		-DoutputDirectory="$KAFKA_LIBS.new" >"$WORK/mvn.log" 2>&1; then
		rm -rf "$KAFKA_LIBS"
		mv "$KAFKA_LIBS.new" "$KAFKA_LIBS"
		return 0
	fi
	grep -m 3 ERROR "$WORK/mvn.log"
	fail "could not fetch Kafka $KAFKA_VERSION with mvn (log above)"
	return 1
}

# A copy: the tree of whoever runs this stays clean, and may itself be configured.
copy_tree() {
	mkdir -p "$WORK/src"
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
			[ -e "$file" ] && printf '%s\0' "$file"
		done | tar -c --null -T - -f - | tar -x -f - -C "$WORK/src"
	else
		cp -a . "$WORK/src"
	fi
	[ -e "$WORK/src/.tarball-version" ] || build-aux/version.sh >"$WORK/src/.tarball-version"
}

# build DIR CONFIGURE-ARGS...
build() {
	local dir=$WORK/$1
	shift
	mkdir -p "$dir"
	(cd "$dir" && "$WORK/src/configure" -q "$@" && make -s -j2) >"$dir.log" 2>&1 && return 0
	grep -E -m 10 'error|Error|undefined' "$dir.log" || tail -n 10 "$dir.log"
	return 1
}

# make_check DIR NAME [ARGS]: `make check`, counted by the cases in its .trs files.
make_check() {
	local dir=$WORK/$1 name=$2 status good bad
	shift 2
	(cd "$dir" && find . -name '*.trs' -delete && make -j2 check "$@") >"$dir.check.log" 2>&1
	status=$?
	good=$(find "$dir" -name '*.trs' -exec cat {} + | grep -cE '^:test-result: PASS')
	bad=$(find "$dir" -name '*.trs' -exec cat {} + | grep -cE '^:test-result: (FAIL|XPASS|ERROR)')
	PASSED=$((PASSED + good)) FAILED=$((FAILED + bad))
	if [ "$bad" -gt 0 ]; then
		find "$dir" -name '*.trs' -exec grep -HE '^:test-result: (FAIL|XPASS|ERROR)' {} + | sed "s,^$dir/,not ok - $name: ,"
		find "$dir" -name '*.trs' -exec grep -lE '^:test-result: (FAIL|XPASS|ERROR)' {} + | while read -r trs; do
			tail -n 15 "${trs%.trs}.log" | sed 's/^/#   /'
		done
	elif [ "$status" != 0 ] || [ "$good" = 0 ]; then
		fail "$name: make check ended with status $status, $good passed; last lines:"
		tail -n 5 "$dir.check.log" | sed 's/^/#   /'
	fi
	say "$name: $good passed, $bad failed, status $status"
}

log_of() { printf '%s/%s.log' "$WORK" "$(printf '%s' "$1" | tr -c 'a-zA-Z0-9\n' _)"; }

# start_tap NAME COMMAND...: a program that prints TAP, for later or for the background.
start_tap() {
	local log started=$SECONDS
	log=$(log_of "$1")
	shift
	timeout -k 20 "${STAGE_TIMEOUT:-600}" "$@" </dev/null >"$log" 2>&1
	echo "$? $((SECONDS - started))" >"$log.status"
}

# end_tap NAME: shows and counts what it has printed.
end_tap() {
	local name=$1 log status took
	log=$(log_of "$1")
	read -r status took <"$log.status"
	[ "$status" = 124 ] && fail "$name: not done after ${STAGE_TIMEOUT:-600} s"
	grep -vE '^ok( |$)|^All tests successful|^Files=|^Result: PASS|\.sql \.\. ok$' "$log"
	count_log "$log" "$status" "$name"
	say "$name took $took s"
}

run_tap() {
	start_tap "$@"
	end_tap "$1"
}

integration() {
	local script
	for script in tests/integration/test_*.py; do
		wanted "integration/$(basename "$script" .py)$1" || continue
		run_tap "integration/$(basename "$script" .py)$1" \
			env TOKENTALLY="$WORK/build/daemon/tokentally" /usr/bin/python3 -B "$script"
	done
}

# in_pairs NAME COMMAND... [-- NAME COMMAND...]...: two at a time, because they mostly wait; shown one after the other.
in_pairs() {
	local names=() words=()
	set -- "$@" --
	while [ $# -gt 0 ]; do
		if [ "$1" != -- ]; then
			words+=("$1")
		elif [ ${#words[@]} -gt 0 ]; then
			while [ "$(jobs -rp | wc -l)" -ge 2 ]; do
				wait -n
			done
			names+=("${words[0]}")
			start_tap "${words[@]}" &
			words=()
		fi
		shift
	done
	wait
	for words in ${names[@]+"${names[@]}"}; do
		end_tap "$words"
	done
}

# build_tested DIR ARGS...: a daemon with fault points, and the tools that its tests use.
build_tested() {
	[ -x "$WORK/$1/tests/tools/faultproxy" ] && return 0
	say "building $1: a daemon with fault points"
	build "$@" --enable-werror --enable-fault-points &&
		make -s -C "$WORK/$1" tests/tools/faultproxy tests/tools/mockbroker tests/tools/tokentally-next >>"$WORK/$1.log" 2>&1 && return 0
	fail "$1: the build failed ($WORK/$1.log)"
	return 1
}

tested() { echo "env TOKENTALLY=$WORK/$1/daemon/tokentally TOKENTALLY_TOOLS=$WORK/faulty/tests/tools"; }

faults() {
	local script name commands=()
	for script in tests/faults/test_*.py "tests/faults/soak --kills 30 --database-kills 10" "tests/faults/soak --kept"; do
		name="faults/$(basename "$script" .py)$1"
		wanted "$name" && commands+=("$name" $(tested faulty) /usr/bin/python3 -B $script --)
	done
	[ ${#commands[@]} -gt 0 ] || return 0
	build_tested faulty && in_pairs "${commands[@]}"
}

# The daemon itself under sanitizers, with crashes and lost connections.
faults_sanitized() {
	local soak="/usr/bin/python3 -B tests/faults/soak --kills 4 --database-kills 2 --rate 300" options
	wanted faults-sanitized || return 0
	options="ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1"
	build_tested faulty && build_tested faulty-asan --enable-sanitizers && build_tested faulty-tsan --enable-sanitizers=thread &&
		in_pairs faults-sanitized/address $(tested faulty-asan) $options $soak -- \
			faults-sanitized/thread $(tested faulty-tsan) TSAN_OPTIONS=suppressions=$WORK/src/tests/faults/tsan.supp $soak
}

long_faults() {
	export TOKENTALLY_TEST_FULL=1
	faults ", --full"
	wanted "faults/500 kills" && build_tested faulty && run_tap "faults/500 kills" \
		$(tested faulty) /usr/bin/python3 -B tests/faults/soak --kills 500 --database-kills 200
	wanted "faults/liveness" && build_tested faulty && run_tap "faults/liveness" \
		$(tested faulty) /usr/bin/python3 -B tests/faults/soak --mode liveness --minutes 15
	wanted "faults/valgrind" && build_tested faulty && run_tap "faults/valgrind" \
		$(tested build) bash tests/faults/run.sh valgrind
	wanted "faults/librdkafka" && run_tap "faults/librdkafka" \
		env TOKENTALLY="$WORK/build/daemon/tokentally" bash tests/faults/run.sh librdkafka
	unset TOKENTALLY_TEST_FULL
}

long_tier() {
	local run
	export STAGE_TIMEOUT=7200
	long_faults
	for run in 1 2 3 4 5; do
		integration ", seed $run of --full"
	done
	export TOKENTALLY_TEST_EVENTS=1000000 TOKENTALLY_TEST_KILLS=100
	integration ", a million events, 100 kills"
	wanted "schemas, 100,000 messages of --full" && run_tap "schemas, 100,000 messages of --full" \
		env -C "$WORK/build" srcdir="$WORK/src" TOKENTALLY_TEST_MESSAGES=100000 \
		sh -c 'make -s tests/tools/verdicts && sh "$srcdir/tests/schema.sh"'
	export STAGE_TIMEOUT=10800
	wanted "fuzz, 30 minutes a target of --full" && run_tap "fuzz, 30 minutes a target of --full" \
		bash tests/fuzz/run.sh "$WORK/src" "$WORK/fuzz" 1800
}

stages() {
	wanted unit && make_check build unit
	wanted sql && run_tap sql bash tests/sql/run.sh
	integration ""
	faults ""
	faults_sanitized
	if wanted sanitizers; then
		say "building with AddressSanitizer and UBSan"
		if build asan --enable-werror --enable-sanitizers; then
			make_check asan sanitizers
		else
			fail "sanitizers: the build failed (lines above)"
		fi
	fi
	[ -z "$FULL" ] || long_tier
}

if [ -n "$LIST" ]; then
	stages
	exit 0
fi
WORK=$(mktemp -d "${TMPDIR:-/tmp}/tokentally-test-XXXXXX") || exit 2
chmod 755 "$WORK"
trap finish EXIT
trap 'fail "interrupted"; exit 1' INT TERM
install_packages && install_kafka || exit 1
say "building a copy of the tree in $WORK"
copy_tree
if ! (cd "$WORK/src" && ./autogen.sh) >"$WORK/autogen.log" 2>&1; then
	tail -n 5 "$WORK/autogen.log"
	fail "build: ./autogen.sh failed (lines above)"
	exit 1
fi
if ! build build --enable-werror; then
	fail "build: configure or make failed (lines above)"
	exit 1
fi
stages
