#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The unit and the sysusers file: systemd must take every line of them without a word, and find the unit well
# hardened. Needs systemd-analyze (package systemd), but no running systemd; without it this fails, since a
# unit nobody checked is one that does not start.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
systemd=$here/../systemd
exposure_max=15 # of 100; systemd-analyze security counts it

echo 1..4
for tool in systemd-analyze systemd-sysusers; do
	command -v $tool >/dev/null || {
		echo "Bail out! $tool is missing: install the package systemd"
		exit 1
	}
done
work=$(mktemp -d "${TMPDIR:-/tmp}/tokentally-unit.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

number=0 failed=0
report() { # 0 or not, what was tested; what it said is in $work/said
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		sed 's/^/# /' "$work/said"
		failed=1
	fi
}

# A program must stand where the unit names it.
mkdir "$work/bin"
printf '#!/bin/sh\n' >"$work/bin/tokentally"
chmod +x "$work/bin/tokentally"
sed "s|@bindir@|$work/bin|g" "$systemd/tokentally.service.in" >"$work/tokentally.service"

status=0
grep -n '@[a-z]*@' "$work/tokentally.service" >"$work/said" && status=1
report $status 'every @word@ of the unit is replaced'

# Unknown directives are only said, not failed on: any word is a failure.
status=0
systemd-analyze verify --man=no --recursive-errors=no "$work/tokentally.service" >"$work/said" 2>&1 || status=1
[ ! -s "$work/said" ] || status=1
report $status 'systemd takes the unit'

status=0
systemd-analyze security --offline=yes --threshold=$exposure_max --no-pager "$work/tokentally.service" \
	>"$work/said" 2>&1 || status=1
report $status "its exposure is at most $exposure_max of 100"

status=0
user=$(sed -n 's/^User=//p' "$work/tokentally.service")
mkdir -p "$work/root/etc"
systemd-sysusers --root="$work/root" "$systemd/tokentally.sysusers" >"$work/said" 2>&1 || status=1
grep -q "^$user:" "$work/root/etc/passwd" 2>>"$work/said" || status=1
report $status 'sysusers makes the user that the unit names'

exit $failed
