# SPDX-License-Identifier: GPL-2.0-or-later
"""
The oracle's own defects: a patch there plants a bug in a checker, and one of the project's tests must fail.

The tests that are likely to notice are built and run first; only where they all pass is the rest built and run. One folder serves all
patches in turn, so that each costs the files that it touches and the one before it had touched.
"""
import json
import os
import re
import sys
import time

import defects_detection
from defects_bank import WORK, Failed, build, copy_patched, end_running, last_line, read_header, run

# Quick, and about the oracle as a whole; then those of one part. Beside them the test that is named like the file that is patched.
LIKELY = ("test_check", "test_deeds", "test_programs", "test_schedule", "test_tamper")
LIKELY_OF = {
    **dict.fromkeys(("explore", "history", "inflight", "mixed"), ("test_explore", "test_explore_random", "test_explore_writers")),
    **dict.fromkeys(("account", "owed", "predict", "check", "mem", "round"), ("test_round", "test_interleave")),
    **dict.fromkeys(("sweep", "layout"), ("test_sweep",)),
}
SLOW = ("cli_same", "cli_tiny")  # behind all others
TESTS_SECONDS = 1200
JOBS = os.cpu_count() or 1


def likely_tests(patch, source):
    stems = re.findall(r"^\+\+\+ b/\S*/(\w+)\.\w+", patch.read_text(errors="replace"), re.MULTILINE)
    own = [name for stem in stems for name in (f"test_{stem}", *LIKELY_OF.get(stem, ()))]
    return [name for name in dict.fromkeys((*own, *LIKELY)) if (source / "tests" / f"{name}.c").is_file()]


def build_tests(what, source, work, targets):
    folder = work / "build"
    configure = ["cmake", "--preset", "dev", "-B", folder]
    compile_them = ["cmake", "--build", folder, "--parallel", JOBS, *(["--target", *targets] if targets else [])]
    build(what, configure if targets else None, compile_them, source, work)


def run_tests(work, *selection, every=False):
    """Returns the tests that failed, in the order in which they did, each with its function if it says so: the first alone, or all of them."""
    command = ["ctest", "--test-dir", work / "build", "--parallel", JOBS, "--output-on-failure", *([] if every else ["--stop-on-failure"]), *selection]
    status, output, errors, _ = run("the tests", command, TESTS_SECONDS)
    (work / "tests.log").write_text(output + errors)
    failed = list(re.finditer(r"Test +#\d+: (\S+) \.*\s*\*\*\*(?!Skipped)", output))
    if status and not failed:
        raise Failed(f"ctest: {last_line(errors)}, see {work / 'tests.log'}")
    functions = (re.search(r"\[  FAILED  \] (test_\w+)", output[test.end():]) for test in failed)
    return [(test[1], function[1] if function else None) for test, function in zip(failed, functions)]


def names(tests):
    return f"^({'|'.join(tests)})$"


def try_patch(patch):
    """Returns the patch's entry in the report; "error": why it could not be tried to the end."""
    entry = {"id": patch.stem, "caught": False, "by": None, "function": None, "seconds": None}
    work, started = WORK / "oracle", time.monotonic()
    try:
        read_header(patch)
        source = copy_patched(patch, work)
        first = likely_tests(patch, source)
        build_tests(patch.name, source, work, first)
        found = run_tests(work, "-R", names(first))
        if not found:
            build_tests(patch.name, source, work, [])
            found = run_tests(work, "-E", names([*first, *SLOW])) or run_tests(work, "-R", names(SLOW))
        if found:
            entry.update(caught=True, by=found[0][0], function=found[0][1])
    except (Failed, OSError) as error:
        entry["error"] = str(error)
    entry["seconds"] = round(time.monotonic() - started, 1)
    return entry


def failing_unpatched(tests):
    """What caught something must pass where nothing is planted. Returns those that do not."""
    work = WORK / "oracle"
    source = copy_patched(None, work)
    build_tests("the tree as it is", source, work, ["all"])  # a test need not have the name of its program
    return [test for test, _ in run_tests(work, "-R", names(sorted(tests)), every=True)]


def try_oracle(chosen, args):
    """Reports on each defect as it is done. Returns the exit status."""
    form, out, entries = "{:<34} {:<7} {:>7}  {}", sys.stderr if args.json else sys.stdout, []
    print(form.format("defect", "", "seconds", "caught by"), file=out, flush=True)
    try:
        for patch in chosen:
            entry = try_patch(patch)
            entries.append(entry)
            by = entry.get("error") or entry["function"] or entry["by"] or "no test"
            print(form.format(entry["id"], "ok" if entry["caught"] else "FAILED", entry["seconds"], by), file=out, flush=True)
        tests = {entry["by"] for entry in entries if entry["caught"]}
        failing = failing_unpatched(tests) if tests else []
        for entry in entries:
            entry["caught"] = entry["caught"] and entry["by"] not in failing
            if args.long:
                defects_detection.keep("oracle", entry)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        end_running()
    for test in failing:
        print(f"{test} fails without any of them, so what it caught counts for nothing", file=out)
    caught = sum(entry["caught"] for entry in entries)
    print(f"{caught} of {len(entries)} caught, {sum(entry['seconds'] for entry in entries):.0f} s", file=out)
    if args.json:
        print(json.dumps({"oracle": entries, "fail_unpatched": failing}, indent=2))
    return 0 if caught == len(entries) else 1
