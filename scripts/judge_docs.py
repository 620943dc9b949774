#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the figures of a run of hitless judge --json into docs/judges.md, between its markers.

usage: scripts/judge_docs.py FIGURES.json DOCUMENT.md
"""
import json
import re
import sys
from pathlib import Path


def number(n):
    return f"{n:,}"


def figures(run):
    yield "| format | judge | tables | a minute | translations | a second | by oa | faults | permissions alone | not to be told | disagreements | " \
          "leaf sizes | kinds of permission | items marked accessed or dirty | changed bits | agreed | listed | planted errors caught |"
    yield "|---|---|" + "--:|" * 16
    for j in run["judged"]:
        if j["skipped"]:
            yield f"| {j['format']} | {j['judge']} | skipped: {j['not_installed']} is not installed |" + " |" * 15
            continue
        seconds = max(j["seconds"], 1e-9)
        cells = [j["format"], j["judge"], number(j["tables"]), number(round(j["tables"] * 60 / seconds)), number(j["translations"]),
                 number(round(j["translations"] / seconds)), number(j["with_oa"]), number(j["faults"]), number(j["permissions"]),
                 number(j["unanswered"]), number(j["disagreements"] + j["changes_disagreements"] + j["updates_disagreements"]), f"{j['leaf_sizes']} of {j['leaf_sizes_enabled']}",
                 number(j["permission_kinds"]), number(j["updates"]), number(j["changes"]),
                 number(j["changes_agreed"]), number(j["changes_listed"]), f"{j['planted_caught']} of {j['planted']}"]
        yield "| " + " | ".join(cells) + " |"
    listed = sum(j.get("leaves_listed", 0) for j in run["judged"])
    versions = sorted({j["version"] for j in run["judged"] if not j["skipped"]})
    yield ""
    yield f"QEMU {', '.join(versions)}; hitless {run['version']}, seed {run['seed']}, {run['jobs']} jobs, {run['seconds']:.0f} s in all. " \
          f"Beside the questions, {number(listed)} leaves that `info tlb` listed were compared."


def differences(run):
    """By judge: what the walker says, what the judge does, whose affair it is, the sentence that decides, how often it was met."""
    merged = {}
    for j in run["judged"]:
        for d in j.get("differences", []):
            key = (j["judge"], d["walker"], d["judge"], d["whose"], d["reason"])
            merged[key] = merged.get(key, 0) + d["seen"]
    for whose, title in (("judge", "QEMU departs from the specification"), ("setup", "QEMU's machine is another one than ours is taken to be"),
                         ("walker", "Our walker refuses what hardware may translate, since no correct software writes it")):
        yield f"### {title}"
        yield ""
        yield "| judge | our walker | the judge | who decides | met |"
        yield "|---|---|---|---|--:|"
        for (judge, walker, does, owner, reason), seen in merged.items():
            if owner == whose:
                yield f"| {judge} | {walker or 'faults'} | {does} | {reason} | {number(seen)} |".replace("<", "&lt;")
        yield ""


def not_judged(run):
    seen = {}
    for j in run["judged"]:
        for c in j.get("not_judged", []):
            seen.setdefault((j["format"], c["why"]), {}).setdefault(c["config"], None)
    for (name, why), configs in seen.items():
        named = ", ".join(f"`{c}`" for c in configs if c)
        yield f"* `{name}`: {why}" + (f": {named}" if named else "")


def replace(text, marker, lines):
    begin, end = f"<!-- {marker} -->\n", f"<!-- end of {marker} -->"
    if begin not in text or end not in text:
        sys.exit(f"judge_docs.py: the document has no {marker} markers")
    return re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: begin + "\n".join(lines).rstrip() + "\n" + end, text, flags=re.S)


def main():
    if len(sys.argv) != 3:
        print(__doc__, end="", file=sys.stderr)
        return 2
    run = json.loads(Path(sys.argv[1]).read_text())
    document = Path(sys.argv[2])
    text = document.read_text()
    text = replace(text, "figures", figures(run))
    text = replace(text, "differences", differences(run))
    text = replace(text, "not judged", not_judged(run))
    document.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
