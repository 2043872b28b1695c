#!/bin/sh
# Prints the version: of the tarball, else of git, else 0.1.0. Used by configure.ac.
dir=$(dirname "$0")/..
if [ -f "$dir/.tarball-version" ]; then
	v=$(cat "$dir/.tarball-version")
else
	v=$(git -C "$dir" describe --tags --match 'v[0-9]*' --dirty 2>/dev/null | sed 's/^v//')
fi
printf '%s' "${v:-0.1.0}"
