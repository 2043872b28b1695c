#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A binary that is installed has no fault points (daemon/fault.h): neither the variable's name nor a function of
# theirs is in it. In a build with --enable-fault-points the same search must find them, or it would prove nothing.
binary=daemon/tokentally
echo 1..2
grep -q '^#define ENABLE_FAULT_POINTS 1' autoconf.h && wanted=yes || wanted=no

look_for() { # NUMBER WHAT PATTERN
	found=no
	grep -aqE "$3" "$binary" daemon/libtokentally.a && found=yes
	if [ -e "$binary" ] && [ $found = $wanted ]; then
		echo "ok $1 - $2 in the binary: $found, as configured"
	else
		echo "not ok $1 - $2 in the binary: $found, but fault points configured: $wanted"
	fi
}
look_for 1 "the variable that steers fault points" TOKENTALLY_FAULTS
look_for 2 "the function of fault points" fault_at
