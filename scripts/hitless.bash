# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of the hitless command for bash. It asks the command itself: its commands and options from --help, and the values of an option
# from the line with which a wrong one is refused, so that there is no list here that could be out of date.

_hitless_options()
{
	"$1" "$2" --help 2>/dev/null | grep -oE -e '(^|[^[:alnum:]-])--?[a-z][a-z-]*' | grep -oE -e '--?[a-z][a-z-]*' | grep -E -e '^(--.+|-o)$' | sort -u
	echo --help
}

_hitless_values()
{
	case $3 in
	--format | --model | --tlb | --without | --engine | --part | --flavour | --reclaim | --pause) "$1" "$2" "$3" '?' 2>&1 | sed -n "s/.*; there \(are\|is\)://p" ;;
	esac
}

_hitless()
{
	local command=$1 current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$("$command" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p') --help --version" -- "$current")
		return
	fi
	case $before in
	--out | -o | --known)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	--format | --model | --tlb | --without | --engine | --part | --flavour | --reclaim | --pause)
		mapfile -t COMPREPLY < <(compgen -W "$(_hitless_values "$command" "${COMP_WORDS[1]}" "$before")" -- "$current")
		return
		;;
	esac
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_hitless_options "$command" "${COMP_WORDS[1]}")" -- "$current")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -o filenames -F _hitless hitless
