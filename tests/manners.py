#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""manners.py HITLESS ROOT - help, manual page, completion, installation and JSON of the command, held against each other and against docs/schema."""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HITLESS, ROOT = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
sys.path.insert(0, str(ROOT / "scripts"))
from json_schema import SCHEMA, problem  # noqa: E402
SKIPPED = 77
failures = []
compared = 0


def check(good, text):
    global compared
    compared += 1
    if not good:
        failures.append(text)


def run(*command, cwd=None, env=None):
    return subprocess.run([str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=280, stdin=subprocess.DEVNULL)


def commands():
    return re.findall(r"^  ([a-z]+) +\S", run(HITLESS, "--help").stdout, re.M)


def known_options():
    """Every long option of the parser: its source is where they are all named."""
    table = (ROOT / "fuzzers" / "options.c").read_text().split("long_options[] = {")[1].split("};")[0]
    return re.findall(r'\{ "([a-z-]+)", (no|required)_argument', table)


def mentions(text, option):
    return re.search(rf"--{option}(?![a-z-])", text) is not None


def help_says_what_is_taken():
    """An option is in the help of exactly those commands that take it. The parser's own words tell which do."""
    for command in commands():
        text = run(HITLESS, command, "--help").stdout
        check(re.search(r"^examples?: hitless", text, re.M), f"{command} --help has no example")
        for option, argument in known_options():
            if option == "help":
                continue
            # The option is looked at before what else is wrong: an unknown option behind it ends the command.
            answer = run(HITLESS, command, f"--{option}", *(["1"] if argument == "required" else []), "--no-such-option").stderr
            taken = f"takes no --{option}" not in answer
            check(mentions(text, option) == taken, f"{command} {'takes' if taken else 'does not take'} --{option}, and its help says otherwise: {answer.strip()}")
    check(re.search(r"^examples?: hitless", run(HITLESS, "--help").stdout, re.M), "hitless --help has no example")


def scripts():
    return sorted(path for path in (ROOT / "scripts").iterdir() if os.access(path, os.X_OK) and path.is_file() and path.suffix != ".py")


def scripts_answer():
    """Each script of ours has help with an example, and refuses what it does not know in one line."""
    for script in scripts():
        done = run(script, "--help")
        check(done.returncode == 0 and "usage: scripts/" in done.stdout, f"{script.name} --help: exit status {done.returncode}")
        check(re.search(r"\bexamples?\b|through this one:", done.stdout), f"{script.name} --help has no example")
        if script.name not in ("fuzz", "judge"):  # they hand on what they do not know
            done = run(script, "--no-such-option")
            check(done.returncode == 2 and len(done.stderr.splitlines()) == 1, f"{script.name} --no-such-option: exit status {done.returncode}: {done.stderr}")


def manual_has_every_option():
    page = run(ROOT / "scripts" / "manpage", HITLESS)
    check(page.returncode == 0, f"scripts/manpage: {page.stderr}")
    text = page.stdout.replace("\\-", "-")
    for command in commands():
        section = text.split(f'.SH "HITLESS {command.upper()}"')[-1].split(".SH ")[0]
        for option in set(re.findall(r"--[a-z][a-z-]*", run(HITLESS, command, "--help").stdout)):
            check(option in section, f"the manual page has no {option} of {command}")
    check(not re.search(r"^\.(?!TH|SH|TP|B |I |br|nf|fi)", text, re.M), "the manual page has a line that troff takes for a request")


def complete(*words):
    """What bash offers for the last of these words."""
    script = f'source {ROOT}/scripts/hitless.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hitless "$1"; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return set(run("bash", "-c", script, "bash", HITLESS, *words).stdout.split())


def completion_offers():
    check(set(commands()) <= complete(""), "completion does not offer every command")
    for command in commands():
        offered, text = complete(command, "--"), run(HITLESS, command, "--help").stdout
        for option in set(re.findall(r"(?<![a-z-])--[a-z][a-z-]*", text)):
            check(option in offered, f"completion does not offer {option} of {command}")
    formats = {entry["name"] for entry in json.loads(run(HITLESS, "formats", "--json").stdout)["formats"]}
    check(complete("fuzz", "--format", "") == formats, "completion does not offer the formats")
    check(complete("fuzz", "--model", "w") == {"weak"}, "completion of --model w is not weak")


def installs(work):
    build = HITLESS.parent
    done = run("cmake", "--install", build, "--prefix", work / "prefix")
    check(done.returncode == 0, f"cmake --install: {done.stderr}")
    for path in ("bin/hitless", "share/bash-completion/completions/hitless", "share/man/man1/hitless.1", "share/hitless/corpus/seeds/amdv1-cut-middle.trace"):
        check((work / "prefix" / path).is_file(), f"not installed: {path}")
    documents = work / "prefix/share/doc/hitless"
    for page in documents.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", page.read_text()):
            there = (ROOT / page.relative_to(documents)).parent / target
            check(not there.exists() or (page.parent / target).exists(), f"{page.relative_to(documents)} refers to {target}, which is not installed")
    done = run(work / "prefix/bin/hitless", "replay", work / "prefix/share/hitless/corpus/seeds/amdv1-cut-middle.trace")
    check(done.returncode == 0, f"the installed command: {done.stderr}")


def json_cases(work):
    """Schema, exit status and arguments of real runs, small ones."""
    seed, binary, kept = ROOT / "corpus/seeds/amdv1-cut-middle.trace", work / "binary", work / "kept"
    kept.write_bytes(b"\x10\0\0\0" + bytes(range(16)) + b"\x10\0")  # as HITLESS_KEEP writes them: an input, and one that was interrupted
    return [("fuzz", 0, "fuzz", "--ops", 5000, "--seed", 1, "--out", work), ("replay", 0, "replay", seed, ROOT / "corpus/seeds/dart-roots.trace"),
            ("replay", 0, "replay", "--failures", "--out", work, seed), ("convert", 0, "convert", seed, "-o", binary), ("replay", 0, "replay", binary),
            ("show", 0, "show", seed), ("show", 0, "show", "--stores", "--op", 2, seed), ("formats", 0, "formats"),
            ("prove", 0, "formats", "--prove", "--quick", "--format", "vtdss", "--config", "tiny=2"),
            ("enumerate", 0, "enumerate", "--quick", "--format", "dart", "--out", work), ("stress", 0, "stress", "--format", "dart", "--seconds", 2, "--out", work),
            ("judge", (0, 3), "judge", "--quick", "--format", "riscv64", "--seed", 1, "--translations", 2000),  # 3: no QEMU
            ("bench", 0, "bench", "inputs", f"inputs={kept}", "--seconds", 0.001, "--format", "vtdss"), ("fuzz", 0, "fuzz", "--mutate", "--ops", 5000, "--out", work),
            ("bench", 0, "bench", "raw", "checked", "proof", "writers", "readers", "scale=1000", "--quick", "--ops", 2000, "--seconds", 0.001, "--format", "vtdss")]


def every_json_has_a_schema(cases):
    """Of each command, and each script, that takes --json; and what there is a schema of says so in the list."""
    listed = (SCHEMA / "README.md").read_text()
    for command in commands():
        if mentions(run(HITLESS, command, "--help").stdout, "json"):
            # Without a finding there is nothing to minimize: scripts/test-json plants one.
            check(command in {name for name, *_ in cases} | {"minimize"}, f"{command} takes --json, which no case here looks at")
            check(f"`hitless {command} --json`" in listed, f"docs/schema/README.md lacks hitless {command} --json")
    for script in scripts():
        if script.name != "judge" and mentions(run(script, "--help").stdout, "json"):  # it hands on what hitless judge takes
            check((SCHEMA / f"{script.name}.json").is_file(), f"scripts/{script.name} takes --json and has no schema")
            check(f"`scripts/{script.name}" in listed, f"docs/schema/README.md lacks scripts/{script.name} --json")


def json_is_as_documented(work):
    import jsonschema
    for path in SCHEMA.glob("*.json"):
        schema = json.loads(path.read_text())
        jsonschema.Draft7Validator.check_schema(schema)
        check("?" not in re.findall(r'"description": "([^"]*)"', path.read_text()), f"{path.name} has a field without a description")
    every_json_has_a_schema(json_cases(work))
    for name, status, *arguments in json_cases(work):
        done = run(HITLESS, *arguments, "--json")
        what = " ".join(map(str, arguments))
        check(done.returncode in (status if isinstance(status, tuple) else (status,)), f"{what} --json: exit status {done.returncode}: {done.stderr[-300:]}")
        wrong = problem(name, done.stdout)
        check(not wrong, f"{what} --json is not as docs/schema/{name}.json says: {wrong}")


def main():
    try:
        import jsonschema  # noqa: F401
    except ImportError:
        print("skipped: python3-jsonschema is not installed")
        return SKIPPED
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as work:
        help_says_what_is_taken()
        scripts_answer()
        manual_has_every_option()
        completion_offers()
        installs(Path(work))
        json_is_as_documented(Path(work))
    for text in failures:
        print(f"FAILED: {text}")
    print(f"{compared} comparisons, {len(failures)} failed")
    return 1 if failures or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
