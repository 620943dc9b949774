#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# judge.sh - the outside judges, shortly: usage: judge.sh HITLESS ROOT CASE. Exits with 77 where no judge is installed.
set -euo pipefail

hitless=$1 root=$2 case=$3
work=$(mktemp -d)
: >"$work/out"
: >"$work/err"
trap 'rm -rf "$work"' EXIT

fail()
{
	echo "judge.sh $case: $1" >&2
	cat "$work/out" "$work/err" >&2
	exit 1
}

# status EXPECTED COMMAND... - its output is left in $work.
status()
{
	local expected=$1 got=0
	shift
	"$@" >"$work/out" 2>"$work/err" || got=$?
	((got == expected)) || fail "exit status $got instead of $expected: $*"
}

case $case in
quick)
	# Every judge that is installed agrees, and catches what is planted.
	installed=0
	for qemu in aarch64 riscv64 x86_64; do
		if command -v "qemu-system-$qemu" >/dev/null; then
			installed=$((installed + 1))
		else
			echo "skipped: qemu-system-$qemu is not installed"
		fi
	done
	((installed)) || exit 77
	status 0 timeout -k 10 280 "$hitless" judge --quick --translations 2000 --seed 1
	grep -q ' answers compared, 0 disagreements, 0 planted errors missed' "$work/out" || fail "it says something else"
	if command -v qemu-system-aarch64 >/dev/null; then
		grep -qE '; [1-9][0-9]* items marked accessed or dirty, 0 of them wrongly' "$work/out" || fail "nothing was marked accessed"
	fi
	cat "$work/out"
	;;
none)
	# What is not installed is skipped by name, and to compare nothing is no success.
	status 3 env HITLESS_QEMU=/nonexistent "$hitless" judge --quick --seed 1
	for name in qemu-arm qemu-riscv qemu-x86 qemu-vtd qemu-vtd-scalable qemu-amd; do
		grep -q "skipped: $name needs qemu-system-" "$work/out" || fail "$name is not named"
	done
	grep -q 'no judge is installed' "$work/err" || fail "it does not say that nothing was compared"
	status 3 env HITLESS_QEMU=/nonexistent "$hitless" judge --json --seed 1
	grep -q '"not_installed": "qemu-system-aarch64"' "$work/out" || fail "JSON does not name what is missing"
	;;
impostor)
	# Something else that goes by QEMU's name is the tool's fault, told at once, and no agreement.
	mkdir "$work/bin"
	printf '#!/bin/sh\necho "I am no QEMU" >&2\nexit 7\n' >"$work/bin/qemu-system-aarch64"
	chmod +x "$work/bin/qemu-system-aarch64"
	status 3 timeout 60 env HITLESS_QEMU="$work/bin" "$hitless" judge --format armv7s --quick --seed 1
	grep -q 'ended with status 7: I am no QEMU' "$work/err" || fail "it does not say what happened"
	;;
bad)
	status 2 "$hitless" judge --format dart
	grep -q 'there is no judge for this format' "$work/err" || fail "wrong message"
	status 2 "$hitless" judge --format armv7s --config tiny=4
	status 2 "$hitless" judge --format amdv1 --config cbit=51
	status 2 "$hitless" judge file
	status 2 "$hitless" judge --translations 0
	status 0 "$hitless" judge --help
	;;
listed)
	# A listed difference goes by what a walker says: each must be what some walker says.
	count=0
	while read -r words; do
		count=$((count + 1))
		grep -qF "\"$words" "$root"/oracle/hw_*.c || fail "no walker says '$words'"
	done < <(grep -oE 'DIFFER_[A-Z]+, "[^"]+"' "$root/fuzzers/judge/judge_differ.c" | sed 's/^[^"]*"//; s/"$//')
	((count > 20)) || fail "only $count differences were found"
	;;
stubs)
	exec "$root/scripts/judge-stubs" --check
	;;
*)
	fail "no such case"
	;;
esac
