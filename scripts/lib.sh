# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# lib.sh - what the shell scripts share. Sourced, not run: it leaves the shell in the repository's root, with the caller's folder
# in CALLER_DIR.

# Enough for the presets that gcc builds, and for the scripts themselves. (g++ brings the C library's headers.)
PACKAGES_GCC=(gcc g++ cmake ninja-build pkg-config liburcu-dev libcmocka-dev libjansson-dev python3 git ca-certificates patch)
# Enough for everything.
PACKAGES_ALL=("${PACKAGES_GCC[@]}" clang libclang-rt-14-dev llvm-14 afl++ valgrind python3-jsonschema zip unzip binutils ccache)

# shellcheck disable=SC2034 # for the scripts that source this
CALLER_DIR=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
ROOT=$PWD

say() { printf '%s\n' "$*" >&2; }

# die TEXT [STATUS] - one line on standard error, then exit; 1 unless told.
die()
{
	say "${0##*/}: $1"
	exit "${2:-1}"
}

usage_error() { die "$1; see ${0##*/} --help" 2; }

# quiet LOG COMMAND... - output goes to build/logs/LOG; its end is shown if the command fails.
quiet()
{
	local log=$ROOT/build/logs/$1 status=0
	shift
	mkdir -p "${log%/*}"
	"$@" >"$log" 2>&1 || status=$?
	if ((status)); then
		tail -n 200 "$log" >&2
		say "(the log: $log)"
	fi
	return "$status"
}

# need_packages PACKAGE... - install those that are missing. Exits with 2, naming them, where that is not allowed.
need_packages()
{
	local package installed missing=() as_root=()
	if ! command -v dpkg-query >/dev/null; then
		say "${0##*/}: not a Debian system, so nothing is installed; needed are the equivalents of: $*"
		return
	fi
	installed=$(dpkg-query -W -f='${Package}=${db:Status-Status}\n' "$@" 2>/dev/null) || true # fails if it knows one of them not
	for package in "$@"; do
		grep -qxF -e "$package=installed" <<<"$installed" || missing+=("$package")
	done
	((${#missing[@]})) || return 0
	if ((EUID)); then
		as_root=(sudo)
		[[ -t 0 ]] || as_root+=(-n) # nobody there to type a password
		"${as_root[@]}" true 2>/dev/null || die "not root, and sudo does not help; please install: ${missing[*]}" 2
	fi
	as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
	say "installing ${missing[*]}"
	quiet apt-update "${as_root[@]}" update </dev/null || die "apt-get update failed; please install: ${missing[*]}" 2
	quiet apt-install "${as_root[@]}" install --no-install-recommends "${missing[@]}" </dev/null ||
		die "apt-get install failed; please install: ${missing[*]}" 2
}

# need_packages_for PRESET - what is missing for building that preset.
need_packages_for()
{
	case $1 in
	dev | release) need_packages "${PACKAGES_GCC[@]}" ;;
	*) need_packages "${PACKAGES_ALL[@]}" ;;
	esac
}

# configure_and_build PRESET [CMAKE-ARGUMENT...] - into build/PRESET. Messages on standard error.
configure_and_build()
{
	local preset=$1
	shift
	quiet "configure-$preset" cmake --preset "$preset" "$@" || return
	cmake --build "build/$preset" >&2
}
