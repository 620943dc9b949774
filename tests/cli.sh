#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cli.sh HITLESS ROOT CASE - the command as a user calls it: what it prints, its exit status, and what it does with bad input.
set -uo pipefail

hitless=$1 root=$2 case=$3
tmp=$(mktemp -d -p "$PWD")
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 3
failures=0

fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# expect STATUS PATTERN COMMAND...: exit status, and a line of output (both streams) that matches the pattern; status 2 means exactly one line.
expect()
{
	local status=$1 pattern=$2 out got
	shift 2
	out=$("$@" 2>&1 </dev/null)
	got=$?
	[ "$got" = "$status" ] || fail "exit status $got, expected $status: $* -- $out"
	grep -qE -- "$pattern" <<<"$out" || fail "no line like '$pattern': $* -- $out"
	[ "$status" != 2 ] || [ "$(wc -l <<<"$out")" = 1 ] || fail "more than one line: $* -- $out"
}

trace()
{
	printf '%b' "$2" >"$1"
}

case $case in
seeds)
	for f in "$root"/corpus/seeds/*.trace "$root"/corpus/regressions/*.trace; do
		[ -e "$f" ] || continue
		expect 0 'nothing found' "$hitless" replay "$f"
		"$hitless" convert "$f" -o a.bin && "$hitless" convert a.bin -o b.trace && "$hitless" convert b.trace -o c.bin || fail "convert $f"
		cmp -s a.bin c.bin || fail "$f: text to binary to text to binary differs"
		[ "$("$hitless" replay "$f" | sed 's/^[^:]*//')" = "$("$hitless" replay a.bin | sed 's/^[^:]*//')" ] || fail "$f: the binary form replays otherwise"
	done
	;;
same)
	"$hitless" replay "$root"/corpus/seeds/*.trace >first
	for _ in $(seq 100); do
		"$hitless" replay "$root"/corpus/seeds/*.trace >again
		cmp -s first again || fail "a replay differs from the first"
	done
	"$hitless" fuzz --ops 20000 --seed 7 --json 2>/dev/null | grep -v -e second >first
	"$hitless" fuzz --ops 20000 --seed 7 --json 2>/dev/null | grep -v -e second >again
	cmp -s first again || fail "two campaigns from one seed differ"
	;;
failures)
	"$hitless" replay --failures "$root"/corpus/seeds/*.trace "$root"/corpus/regressions/*.trace >out || fail "replay --failures: status $?"
	grep -qE '^all: [1-9][0-9]* failures in .* runs, 0 of them with a finding' out || fail "replay --failures: $(tail -n 1 out)"
	"$hitless" replay --failures "$root"/corpus/seeds/*.trace "$root"/corpus/regressions/*.trace >again
	cmp -s out again || fail "a failure sweep differs from the first"
	# The DMA mapping of each table fails too where there is one, and nothing else does.
	for f in "$root"/corpus/seeds/*-no-snoop.trace; do
		sed 's/coherent=no/coherent=yes/' "$f" >coherent
		once=$("$hitless" replay --failures coherent | sed -n 's/^all: \([0-9]*\) failures.*/\1/p')
		expect 0 "^all: $((2 * once)) failures" "$hitless" replay --failures "$f"
	done
	printf 'hitless 1\nformat vtdss\nmap 0x1000 -> 0x5000 +0x1000 rw\nunmap 0x1000 +0x1000\n' >a
	expect 0 '^all: 3 failures in 1 of 2 operations, 6 runs' "$hitless" replay --failures a
	# Its own fail= is put aside for those of the sweep, and the next map is swept both behind it and for itself.
	printf 'hitless 1\nformat vtdss\nmap 0x1000 -> 0x5000 +0x1000 rw fail=2\nmap 0x1000 -> 0x5000 +0x1000 rw\n' >a
	expect 0 '^all: 5 failures in 2 of 2 operations, 11 runs' "$hitless" replay --failures a
	printf 'hitless 1\nformat vtdss\nunmap 0x1000 +0x1000\n' >a
	expect 3 'no allocation was made to fail' "$hitless" replay --failures a
	expect 2 'no-such' "$hitless" replay --failures no-such
	expect 2 'failures' "$hitless" replay --out somewhere a
	expect 2 'takes no --failures' "$hitless" fuzz --failures
	[ ! -e findings ] || fail "a failure sweep without a finding left a folder"
	;;
mutate)
	# Each job has its own; which of them ran first must not matter.
	for jobs in 1 2; do
		"$hitless" fuzz --mutate --ops 20000 --seed 7 --jobs $jobs --json 2>/dev/null | grep -v -e second >first
		"$hitless" fuzz --mutate --ops 20000 --seed 7 --jobs $jobs --json 2>/dev/null | grep -v -e second >again
		cmp -s first again || fail "two campaigns from one seed with $jobs jobs differ"
	done
	"$hitless" fuzz --ops 20000 --seed 7 --jobs 2 --json 2>/dev/null | grep -v -e second >again
	cmp -s first again && fail "a campaign with --mutate is one without"
	expect 0 '^mutated: [1-9][0-9]* domains, from [1-9][0-9]* that did something new' "$hitless" fuzz --mutate --ops 20000 --seed 7
	expect 0 '^mutated: [1-9]' "$hitless" fuzz --mutate --ops 20000 --seed 7 --format armv8_4k --config "stage=2 bbm=2 tiny=2"
	expect 2 'takes no --mutate' "$hitless" stress --mutate
	expect 2 'takes no --mutate' "$hitless" fuzz --baseline --mutate
	;;
campaign)
	expect 0 'mix: ' "$hitless" fuzz --seconds 10 --seed 1 --jobs 2
	"$hitless" fuzz --ops 5000 --seed 2 --json >out.json 2>/dev/null || fail "fuzz --json"
	python3 - out.json <<-'PY' || fail "the JSON object lacks something"
	import json, sys
	o = json.load(open(sys.argv[1]))
	for key in "version seed seconds jobs operations operations_per_second leaves_per_operation comparisons formats findings".split():
	    assert key in o, key
	assert o["operations"] == 5000 and o["findings"] == [] and o["comparisons"]["translation"] > 0
	PY
	;;
formats)
	"$hitless" formats --json >out.json || fail "formats --json"
	python3 - out.json <<-'PY' || fail "formats --json lacks something"
	import json, sys
	o = json.load(open(sys.argv[1]))
	assert all(f["configurations"] for f in o["formats"]) and len(o["formats"]) >= 1
	assert all(any(c["tiny"] for c in f["configurations"]) for f in o["formats"])
	PY
	;;
prove)
	"$hitless" formats --prove --quick --json >out.json || fail "formats --prove: exit status $?"
	python3 - out.json <<-'PY' || fail "formats --prove --json lacks something"
	import json, sys
	o = json.load(open(sys.argv[1]))
	caps = ("size_change", "leaf_to_table")
	assert o["findings"] == [] and o["cuts"] > 0 and o["comparisons"] > 0 and o["bound"]
	for c in o["configurations"]:
	    for cap in caps:
	        # What is declared is proved, or there was nothing to prove it on, and that is not called proved.
	        assert (c[cap]["verdict"] == "proved") == (c[cap]["declared"] and c[cap]["proved"] > 0), c
	        assert not c[cap]["refuted"] and not (c[cap]["refused"] if c[cap]["declared"] else c[cap]["proved"]), c
	    # No cut came to nothing.
	    for leaf in c["leaves"]:
	        assert leaf["cuts"] == max(leaf[cap]["proved"] + leaf[cap]["refused"] for cap in caps), leaf
	def verdicts(cap, verdict):
	    return {c["format"] for c in o["configurations"] if c[cap]["verdict"] == verdict}
	assert {"amdv1", "riscv64", "armv8_4k", "armv8_16k", "armv8_64k"} <= verdicts("size_change", "proved")
	assert {"amdv1", "riscv64", "armv8_4k", "vtdss", "x86_64"} <= verdicts("leaf_to_table", "proved")
	assert {"armv7s", "armv8_4k"} <= verdicts("size_change", "refused") & verdicts("leaf_to_table", "refused")
	PY
	expect 0 'live size change: declared, nothing to prove it on' "$hitless" formats --prove --quick --format riscv64 --config napot=0
	expect 0 'live leaf to table: declared, proved on [0-9]+ cuts' "$hitless" formats --prove --quick --format vtdss --config tiny=2
	expect 2 'prove' "$hitless" formats --quick
	;;
tiny)
	expect 0 '.' "$hitless" enumerate --quick --part ranges,pairs,hole
	expect 2 'unknown part' "$hitless" enumerate --part ranges,nonesuch
	expect 2 'no configuration' "$hitless" enumerate --format dart --part hole
	;;
actions)
	"$hitless" enumerate --quick --part devices,failures --json >out.json || fail "enumerate devices and failures: exit status $?"
	python3 - out.json <<-'PY' || fail "enumerate --json lacks something"
	import json, sys
	o = json.load(open(sys.argv[1]))
	assert o["findings"] == [] and o["parts"] == ["devices", "failures"]
	assert all(c["failures"] > 0 and (c["actions"] > 0) == ("ad=yes" in c["resolved"]) for c in o["configurations"])
	assert o["comparisons"]["dirty"] > 0 and o["comparisons"]["failure"] > 0
	PY
	;;
writers)
	"$hitless" enumerate --quick --part writers --json >out.json || fail "enumerate writers: exit status $?"
	python3 - out.json <<-'PY' || fail "enumerate --json lacks something"
	import json, sys
	o = json.load(open(sys.argv[1]))
	assert o["findings"] == [] and o["parts"] == ["writers"]
	assert all(c["interleavings"] > c["rounds"] > 0 for c in o["configurations"])
	assert o["rounds_cut_short"] < o["rounds"] / 10
	PY
	"$hitless" fuzz --ops 20000 --seed 4 --json 2>/dev/null >out.json || fail "fuzz --json"
	python3 - out.json <<-'PY' || fail "a campaign has no rounds of several writers"
	import json, sys
	o = json.load(open(sys.argv[1]))
	assert o["rounds"] > 100 and o["round_switches"] > o["rounds"] / 4, o
	PY
	expect 0 '^writers: [1-9][0-9]* rounds .* at least 1 in [0-9]+, 1 in [0-9]+' "$hitless" fuzz --ops 5000 --seed 5
	expect 0 '^vtdss .* [1-9][0-9]* +[0-9.]+ +[1-9][0-9]+$' "$hitless" bench writers --format vtdss --quick
	seed=$root/corpus/seeds/vtdss-two-writers.trace
	expect 0 '^  writer 2: done, 13 primitives$' "$hitless" show "$seed"
	expect 0 '^  writer 1 +#13  exchange fails    level 3 0x101000 .*: table 0x102000$' "$hitless" show --stores "$seed"
	head='hitless 1\nformat vtdss\n'
	trace a "${head}map 0x1000 -> 0x5000 +0x2000 rw\nthread 1 cut 0x2000\nthread 2 unmap 0x1000 +0x1000\nswitch\n"
	expect 2 '^hitless: a: operation 4 has two writers touch the same range or the same piece$' "$hitless" replay a
	trace a "${head}thread 1 cut 0x2000\n"
	expect 2 '^hitless: a:3: .*no switch line' "$hitless" replay a
	trace a "${head}thread 1 cut 0x2000 at 1 write 0\nswitch\n"
	expect 2 '^hitless: a:3: .*device' "$hitless" replay a
	trace a "${head}thread 1 cut 0x2000\nswitch 1 at 2 to 2\n"
	expect 2 '^hitless: a:4: there is no thread 2' "$hitless" replay a
	;;
show)
	seed=$root/corpus/seeds/vtdss-cut-middle.trace
	expect 0 '^  root at 0x101000, level 3$' "$hitless" show "$seed"
	expect 0 '^      L2 \[0x40000000, 0x7fffffff\] -> 0x80000000  1 x 1G rw-   at 0x102008 = 0x80000083$' "$hitless" show "$seed"
	"$hitless" show "$seed" | grep -q '^ *#' && fail "show without --stores prints events"
	"$hitless" show --stores --op 3 "$seed" >out || fail "show --stores --op"
	grep -q '^3: cut   0x60000000$' out || fail "no operation 3"
	! grep -qE '^([0-245-9]|an empty domain)' out || fail "--op prints other operations"
	sed -n 's/^  *#/#/p' out >events
	cat >expected <<-'END'
	#1  alloc             level 1 table 0x103000 [0x40000000, 0x7fffffff], 4096 bytes of zeroes
	#2  fill, relaxed     level 1 0x103000 x 256 [0x40000000, 0x5fffffff]: empty -> 2M leaf, oa 0x80000000 to 0x9fe00000 rw- A D
	#3  fill, relaxed     level 1 0x103800 x 256 [0x60000000, 0x7fffffff]: empty -> 2M leaf, oa 0xa0000000 to 0xbfe00000 rw- A D
	#4  compare-exchange  level 2 0x102008 [0x40000000, 0x7fffffff]: 1G leaf, oa 0x80000000 rw- A D -> table 0x103000
	#5  invalidate        vtd 0x100f2 0x40000052: removes leaves of level 0 1 2 that touch [0x40000000, 0x7fffffff]
	#6  sync
	END
	diff expected events || fail "the events of the cut are not those expected"
	for line in '#1  root|#2  root              level 3 table 0x101000 \[0x0, 0xffffffffffff\]' \
		'#1  device            level 2 0x102008 \[0x40000000, 0x7fffffff\]: 1G leaf, oa 0x80000000 rw- -> 1G leaf, oa 0x80000000 rw- A D' \
		'#257  compare-exchange  level 0 0x104000 x 512 .* 4K leaf, oa 0xa0000000 to 0xa01ff000 rw- A, one by one up to #768' \
		'#2  store, relaxed    level 1 0x103800 \[0x60000000, 0x601fffff\]: table 0x104000 -> empty' \
		'#6  free              level 0 table 0x104000 \[0x60000000, 0x601fffff\], 4096 bytes'; do
		expect 0 "^ +($line)\$" "$hitless" show --stores "$seed"
	done
	trace a 'hitless 1\nformat x86_64 model=incoherent\nmap 0x1000 -> 0x5000 +0x1000 rw fail=2\n'
	expect 0 '^ +#[0-9]+  alloc fails       4096 bytes$' "$hitless" show --stores a
	expect 0 '^ +#2  dma map           level 3 table 0x101000 \[0x0, 0xffffffffffffffff\], 4096 bytes$' "$hitless" show --stores a
	expect 2 'number 9' "$hitless" show --op 9 "$seed"
	expect 2 'op' "$hitless" show --op 0 "$seed"
	expect 2 'replay takes no --stores' "$hitless" replay --stores "$seed"
	;;
stop)
	"$hitless" fuzz --seconds 60 --seed 3 >out 2>&1 &
	pid=$!
	sleep 2
	kill -INT $pid
	wait $pid || fail "SIGINT: status $?"
	grep -q '^mix: ' out || fail "SIGINT: no summary"
	# To the whole group, as timeout(1) does: nothing that a worker was sent is the engine's.
	timeout 2 "$hitless" fuzz --seconds 60 --seed 3 --out found >out 2>&1
	status=$?
	[ $status = 124 ] || fail "SIGTERM to the group: status $status"
	grep -q '^mix: ' out || fail "SIGTERM to the group: no summary"
	[ ! -e found ] || [ -z "$(ls -A found)" ] || fail "SIGTERM to the group: a finding"
	;;
stress)
	for flavour in memb qsbr; do
		expect 0 'in range [1-9]' "$hitless" stress --seconds 4 --flavour $flavour --seed 5 --writers 3 --out found
		[ ! -e found ] || [ -z "$(ls -A found)" ] || fail "stress --flavour $flavour left something in found/"
	done
	"$hitless" stress --seconds 1 --format vtdss --json >out 2>/dev/null || fail "stress --json: status $?"
	for key in version seed seconds jobs operations operations_per_second leaves_per_operation comparisons overlaps formats findings; do
		grep -q "^  \"$key\":" out || fail "stress --json: no $key"
	done
	"$hitless" stress --seconds 60 >out 2>&1 &
	pid=$!
	sleep 1
	kill -INT $pid
	wait $pid || fail "SIGINT: status $?"
	grep -q ' overlaps ' out || fail "SIGINT: no summary"
	# Whatever becomes of the process that the engine runs in, what it was doing is not lost.
	"$hitless" stress --seconds 60 --format vtdss --until-finding --out killed >out 2>&1 &
	pid=$!
	sleep 1
	read -r child <"/proc/$pid/task/$pid/children"
	kill -KILL "$child"
	wait $pid
	status=$?
	[ "$status" = 1 ] || fail "SIGKILL of the child: status $status"
	{ grep -q '^signal 9: ' out && grep -q 'a FINDING' out; } || fail "SIGKILL of the child: no report"
	expect 0 'nothing found' "$hitless" replay killed/crash-G9-vtdss-*.trace
	expect 2 'readers' "$hitless" stress --readers 65
	expect 2 'writers' "$hitless" stress --writers 17
	expect 2 'flavour' "$hitless" stress --flavour vanilla
	expect 2 'reclaim' "$hitless" stress --reclaim never
	expect 2 'pause' "$hitless" stress --pause forever
	expect 2 'file' "$hitless" stress file
	;;
bad)
	printf 'hitless 1\nformat vtdss\nmap 0x1000 -> 0x5000 +0x1000 rw\n' >good
	expect 0 'nothing found' "$hitless" replay good
	expect 2 'unknown command' "$hitless" frobnicate
	expect 2 'format' "$hitless" fuzz --format nonesuch
	expect 2 'option' "$hitless" fuzz --frobnicate
	expect 2 'seed' "$hitless" fuzz --seed 12monkeys
	expect 2 'jobs' "$hitless" fuzz --jobs 0
	expect 2 'unknown check' "$hitless" fuzz --without everything
	expect 2 'FILE' "$hitless" replay
	expect 2 'missing' "$hitless" replay missing
	expect 2 'regular' "$hitless" replay "$tmp"
	expect 2 'levels' "$hitless" fuzz --format vtdss --config levels=9 --ops 1
	expect 2 'contradict' "$hitless" fuzz --format vtdss --config 'model=incoherent coherent=yes' --ops 1
	expect 2 'ad=1' "$hitless" fuzz --format vtdss --config 'ad=yes coherent=no' --ops 1
	trace a 'hitless 2\nformat vtdss\n'
	expect 2 '^hitless: a:1: .*version' "$hitless" replay a
	trace a 'hitless 1\nformat nonesuch\nmap 0x1000 -> 0x5000 +0x1000 rw\n'
	expect 2 'nonesuch' "$hitless" replay a
	trace a 'hitless 1\nformat vtdss frobs=1\n'
	expect 2 '^hitless: a:2: .*frobs' "$hitless" replay a
	trace a 'hitless 1\nformat vtdss\nmap 0x1000 -> 0x5000 +0x1000 rw\nfly 0x1000\n'
	expect 2 '^hitless: a:4: .*fly' "$hitless" replay a
	trace a 'hitless 1\nformat vtdss\nmap 0x1000 -> 0x5000\n'
	expect 2 '^hitless: a:3: ' "$hitless" replay a
	trace a 'hitless 1\nformat vtdss\nmap 0x10000000000000000 -> 0x5000 +0x1000 rw\n'
	expect 2 '^hitless: a:3: ' "$hitless" replay a
	trace a 'hitless 1\n'
	expect 2 'format' "$hitless" replay a
	trace a ''
	expect 2 '^hitless: a' "$hitless" replay a
	trace a 'HTL\377\0\0'
	expect 2 'version' "$hitless" replay a
	head -c 100000 /dev/zero | tr '\0' 'x' >a
	expect 2 '^hitless: a' "$hitless" replay a
	if [ "$(id -u)" != 0 ]; then
		mkdir locked && chmod 500 locked
		expect 2 'locked' "$hitless" fuzz --ops 10 --out locked/x
	fi
	: >plain
	expect 2 'plain' "$hitless" fuzz --ops 10 --out plain/x
	for words in 'fuzz --ops 10' 'stress --seconds 1' 'enumerate --quick' 'formats --prove --quick' 'replay --failures good'; do
		# shellcheck disable=SC2086 # words, indeed
		expect 2 '^hitless: plain: is no directory$' "$hitless" $words --out plain
	done
	expect 2 'no finding' "$hitless" minimize good -o out
	# What is written takes a file's place by its name: a device or a link that was there would be gone. And nobody minimizes for nothing.
	mkfifo pipe && ln -s good link && mkdir folder
	for command in minimize convert; do
		for out in pipe link folder; do
			expect 2 "^hitless: $out: is no regular file\$" "$hitless" "$command" good -o "$out"
		done
		expect 2 '^hitless: no-such: No such file or directory$' "$hitless" "$command" good -o no-such/out
		expect 2 '^hitless: plain: is no directory$' "$hitless" "$command" good -o plain/out
	done
	[ -p pipe ] && [ -L link ] || fail "a refused output was replaced"
	# Output that does not arrive is no success, and a lack of memory no finding.
	for words in --help 'formats' 'formats --json' 'replay good' 'show good' 'fuzz --ops 10' 'convert --help'; do
		# shellcheck disable=SC2086
		expect 3 'cannot write to standard output' bash -c '"$@" >/dev/full' bash "$hitless" $words
	done
	if [[ $hitless != */asan/* ]]; then # which needs more address space than it uses
		"$hitless" convert good -o good.bin
		for words in 'replay --arena 4096 good' 'convert --arena 4096 good.bin -o out' 'show --arena 4096 good' 'stress --seconds 1'; do
			# shellcheck disable=SC2086
			expect 3 'memory' bash -c 'ulimit -v 200000; "$@"' bash "$hitless" $words
		done
	fi
	;;
scripts)
	printf 'x' >plain && mkdir empty junk && printf '\001\377\000{' >junk/campaign.json
	mkdir list text && echo '[]' >list/campaign.json && echo '{"version":1,"seed":"a","began":1,"sessions":1}' >text/campaign.json
	while read -r pattern; do
		read -ra command
		expect 2 "$pattern" "$root/scripts/${command[0]}" "${command[@]:1}"
	done <<-'END'
	plain: is no folder$
	corpus seeds plain
	plain/x: Not a directory$
	corpus seeds plain/x
	missing: there is no such file or folder$
	corpus inputs out missing
	missing: there is no such file or folder$
	corpus merge out missing
	plain: is no folder$
	corpus merge plain empty
	missing: there is no such file or folder$
	corpus prune missing
	plain: is no folder$
	corpus prune plain
	empty: there are no inputs in it$
	corpus prune empty
	missing: there is no such file or folder$
	corpus findings missing
	plain: is no folder$
	corpus findings empty --out plain
	invalid choice: 'frobnicate'
	corpus frobnicate
	missing: there is no such file or folder
	coverage missing
	plain: is no folder$
	coverage --out plain
	plain: is no folder$
	campaign --out plain
	plain/x: Not a directory$
	campaign --out plain/x
	--corpus missing: there is no such file or folder$
	campaign --corpus missing
	junk/campaign.json is not what a campaign wrote$
	campaign --out junk
	list/campaign.json is not what a campaign wrote$
	campaign --out list
	text/campaign.json is not what a campaign wrote$
	campaign --out text
	--seconds
	campaign --seconds nan
	no no-such in
	defects no-such
	no patches in missing
	defects --patches missing
	no patches in empty
	defects --patches empty
	no patches in plain
	defects --oracle --patches plain
	--seconds
	bench-fuzzers --seconds nan
	--seed
	bench-fuzzers --seed -3
	not 'x'
	bench-instructions x
	missing
	manpage missing
	is not the hitless command$
	manpage /bin/true
	missing
	junit out.xml a=missing
	junk/campaign.json: not well-formed
	junit out.xml a=junk/campaign.json
	no defect no-such
	test-campaign --defect no-such
	unknown build 'no-such'
	test-fleet no-such
	unknown preset 'no-such'
	build no-such
	unknown command 'no-such'
	linux no-such
	END
	;;
*)
	echo "no such case: $case"
	exit 3
	;;
esac
[ "$failures" = 0 ] || exit 1
