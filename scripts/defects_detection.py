# SPDX-License-Identifier: GPL-2.0-or-later
"""
What scripts/defects --long found: kept as it comes, and written down for people in docs/detection.md with plots beside it.

docs/detection.json is what the page is made of: {"engine": {id: {driver: entry}}, "oracle": {id: entry}}, entries as scripts/defects --json has
them, each with "at": the commit that it was measured at. A campaign that caught nothing counts as one that took for ever.
"""
import datetime
import json
import math
import os
import re
import shutil
import subprocess
import threading
from statistics import median

from defects_bank import ROOT, WORK, Failed, last_line, read_header, run
from defects_drivers import DRIVERS

RESULTS = WORK / "detection.json"
PAGE, PLOT = ROOT / "docs" / "detection.md", ROOT / "docs" / "detection.svg"
BANK = ROOT / "corpus" / "defects"
FLOOR, CEILING = 0.001, 60  # seconds: of the plots
SOON, SOONER = 10, 1  # seconds: the medians wanted of every row, and of half of them
lock = threading.Lock()
kept = {"engine": {}, "oracle": {}}


def begin():
    """Takes up what is there, but for what the bank has no more. Raises Failed where plots cannot be made, before hours were spent."""
    if not shutil.which("gnuplot"):
        raise Failed("gnuplot makes the plots of --long; please install gnuplot-nox")
    older = next((path for path in (RESULTS, PAGE.with_suffix(".json")) if path.exists()), None)
    if older:
        kept.update(json.loads(older.read_text()))
    for kind, folder in (("engine", BANK), ("oracle", BANK / "oracle")):
        kept[kind] = {name: entry for name, entry in kept[kind].items() if (folder / f"{name}.patch").exists()}


def describe():
    """The commit of the tree as it is now."""
    status, text, *_ = run("git", ["git", "-c", f"safe.directory={ROOT}", "describe", "--always", "--dirty", "--exclude=*"], 60)
    return text.strip() if status == 0 else "unknown"


def keep(kind, entry):
    """On disk before the next one begins."""
    entry = {**entry, "at": describe()}
    with lock:
        if kind == "engine":
            kept[kind].setdefault(entry["id"], {})[entry["driver"]] = entry
        else:
            kept[kind][entry["id"]] = entry
        WORK.mkdir(parents=True, exist_ok=True)
        fresh = RESULTS.with_suffix(".new")
        fresh.write_text(json.dumps(kept, indent=1, sort_keys=True))
        fresh.replace(RESULTS)


def machine():
    model = re.search(r"^model name\s*: (.*)$", open("/proc/cpuinfo", encoding="utf-8").read(), re.MULTILINE)
    return f"{model[1] if model else 'an unknown processor'}, {os.cpu_count()} of them"


def seconds_text(value):
    return "never" if value == math.inf else f"{value:.3f}" if value < 1 else f"{value:.1f}"


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in cells) + " |" for cells in lines)


def headers(control):
    """The header of each patch of the bank that is a control, or is none."""
    both = {patch.stem: read_header(patch) for patch in sorted(BANK.glob("*.patch"))}
    return {name: header for name, header in both.items() if (header["Expect"] == "none") == control}


def times(entry):
    """Of each campaign, in ascending order."""
    return entry["seconds"] + [math.inf] * (entry["runs"] - entry["caught"])


def own_entries(bank):
    """Of each defect that was tried by the driver that its header names, the entry."""
    found = (kept["engine"].get(name, {}).get(header.get("Driver", "fuzz")) for name, header in bank.items())
    return [entry for entry in found if entry]


def own_table(entries, bank):
    yes = {True: "yes", False: "NO", None: "-"}
    rows = []
    for entry in entries:
        all_times, minimizing = times(entry) or [math.inf], entry["minimize_seconds"]
        rows.append([entry["id"], bank[entry["id"]]["Breaks"], " ".join(entry["expected"]), " ".join(entry["classes"]) or "-", entry["driver"], "?" if "error" in entry else f"{entry['caught']}/{entry['runs']}",
                     entry["operations_median"] if entry["caught"] else "-", seconds_text(median(all_times)),
                     f"{seconds_text(all_times[0])} to {seconds_text(all_times[-1])}",
                     "-" if entry["minimized_operations"] is None else entry["minimized_operations"],
                     f"{seconds_text(median(minimizing))} to {seconds_text(minimizing[-1])}" if minimizing else "-", yes[entry["settled"]], yes[entry["passes_unpatched"]]])
    return table(["defect", "breaks", "expected", "reported", "driver", "caught", "operations", "seconds", "spread", "minimized to", "within", "settled", "passes unpatched"], rows)


def compared(name, bank):
    """The entries of one driver for these defects, but for those that could not be tried to the end."""
    found = (kept["engine"].get(defect, {}).get(name) for defect in bank)
    return [entry for entry in found if entry and "error" not in entry]


def compare_rows(bank):
    for name, driver in DRIVERS.items():
        entries = compared(name, bank)
        if entries:
            always, once = (sum(test(entry) for entry in entries) for test in (lambda entry: entry["runs"] == entry["caught"], lambda entry: entry["caught"] > 0))
            yield [f"{name} ({driver.about})", f"{always} of {len(entries)}", f"{once} of {len(entries)}", seconds_text(median(median(times(entry)) for entry in entries))]


def each_row(bank):
    for defect in bank:
        cells = []
        for name in DRIVERS:
            entry = kept["engine"].get(defect, {}).get(name)
            cells.append("" if not entry else "?" if "error" in entry else f"{entry['caught']}/{entry['runs']}, {seconds_text(median(times(entry)))}"
                         if entry["caught"] else f"0/{entry['runs']}")
        yield [defect, *cells]


def quoted(values):
    return "\n".join(" ".join(str(cell) for cell in line) for line in values) + "\ne\n"


def curve(entries):
    """How much of the defects the driver had caught by when, until its campaigns ended."""
    medians = sorted(max(median(times(entry)), FLOOR) for entry in entries)
    caught = [time for time in medians if time < math.inf]
    return [(FLOOR, 0), *((time, 100 * (nr + 1) / len(entries)) for nr, time in enumerate(caught)),
            (max([*caught, *(entry["seconds_limit"] for entry in entries)]), 100 * len(caught) / len(entries))]


def plot(entries, bank):
    """One dot for each campaign by the defect's own driver; and for each driver the part of the defects that it had caught within a time."""
    ordered = sorted((entry for entry in entries if entry["caught"]), key=lambda entry: median(times(entry)))
    dots = [(at, max(second, FLOOR)) for at, entry in enumerate(ordered) for second in entry["seconds"]]
    medians = [(at, max(median(entry["seconds"]), FLOOR)) for at, entry in enumerate(ordered)]
    ticks = ", ".join(f"'{entry['id']}' {at}" for at, entry in enumerate(ordered))
    curves = {name: curve(compared(name, bank)) for name in DRIVERS if any(entry["caught"] for entry in compared(name, bank))}
    if not ordered:
        raise Failed("there is nothing to plot: no defect of the engine has been caught")
    script = f"""set terminal svg size 1000,760 font 'sans,11' background '#ffffff'
set output '{PLOT}'
set multiplot layout 2,1
set logscale y
set grid ytics lc rgb '#dddddd'
set ylabel 'seconds until caught'
set title 'Each campaign by the defect''s own driver, and the median'
set xtics rotate by 90 right ({ticks})
set xrange [-1:{len(ordered)}]
set key off
plot '-' with points pt 7 ps 0.3 lc rgb '#88a0c0', '-' with points pt 1 ps 0.9 lw 2 lc rgb '#a03020'
{quoted(dots)}{quoted(medians)}unset logscale y
set logscale x
set xtics norotate autofreq
set xrange [{FLOOR}:{CEILING}]
set yrange [0:100]
set key outside right
set title 'Defects that each driver had caught within so many seconds, by the median of its campaigns'
set ylabel '% of the defects'
set xlabel 'seconds'
plot {', '.join(f"'-' with steps lw 2 title '{name}'" for name in curves)}
{''.join(quoted(points) for points in curves.values())}"""
    done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"gnuplot: {last_line(done.stderr)}")


def oracle_text():
    entries, patches = kept["oracle"].values(), sorted((BANK / "oracle").glob("*.patch"))
    missed = sorted(entry["id"] for entry in entries if not entry["caught"])
    tests = sorted({entry["by"] for entry in entries if entry["caught"]})
    rows = [[test, sum(entry["by"] == test for entry in entries if entry["caught"])] for test in tests]
    return (f"Of {len(patches)} patches to the checkers {len(entries)} were tried, and {sum(entry['caught'] for entry in entries)} caught by a test"
            f"{'; not ' + ', '.join(missed) if missed else ''}. By the test that failed first:\n\n{table(['test', 'patches'], rows)}\n")


def summary(bank, entries):
    medians = {entry["id"]: median(times(entry) or [math.inf]) for entry in entries}
    always = [entry["id"] for entry in entries if entry["runs"] == entry["caught"] > 0 and "error" not in entry]
    lines = [f"The bank has {len(bank)} defects. {len(always)} were caught by every campaign of their own driver; {sum(time < SOONER for time in medians.values())} with a median "
             f"below {SOONER} s, {sum(time < SOON for time in medians.values())} below {SOON} s."]
    for words, names in (("Not tried", [name for name in bank if name not in medians]), ("Not always caught", [name for name in medians if name not in always]),
                         ("Not settled", [entry["id"] for entry in entries if not entry["settled"]]), (f"Not below {SOON} s", [name for name, time in medians.items() if time >= SOON])):
        if names:
            lines.append(f"{words}: {', '.join(names)}.")
    return " ".join(lines)


def write():
    """docs/detection.md and its plots, from all that was kept."""
    bank, controls = headers(False), headers(True)
    entries, silent = own_entries(bank), own_entries(controls)
    loud = sorted(f"{name} by {entry['driver']}" for name in controls for entry in kept["engine"].get(name, {}).values() if entry["caught"] or "error" in entry)
    states = sorted({entry["at"] for drivers in kept["engine"].values() for entry in drivers.values()} | {entry["at"] for entry in kept["oracle"].values()})
    longest = max((entry["seconds_limit"] for entry in entries), default=0)
    PAGE.write_text(f"""# How soon real bugs are found

Written by `scripts/defects --long` on {datetime.date.today().isoformat()}, from commit {', '.join(states)}; {machine()}.

Each row is a bug that somebody shipped or posted (`corpus/defects/`, the story in the header), planted in the engine. Seconds are of processor time from the start of the process until
the finding, before it is minimized, children and threads included, from nothing. A campaign may take {longest} s by the clock, for comparison and for controls less, while another one runs beside it; one that
caught nothing counts as *never*. The figures are medians, the spread is from the fastest to the slowest. *Expected*: the
classes of finding that the patch's header names; *reported*: those that came. *Within*: seconds by the clock for minimizing, the median and the longest. *Settled*: the minimized trace has at most 6 operations and does not change when it is
minimized again.

{summary(bank, entries)}

{own_table(entries, bank)}

![when each campaign caught its defect, and what each driver had caught when](detection.svg)

## Controls

Changes that are legal, and must be reported by no driver: {len(silent)} of {len(controls)} tried, {'silent' if not loud else 'REPORTED OR NOT RUN: ' + ', '.join(loud)}.

{own_table(silent, controls)}

{table(['control', *DRIVERS], each_row(controls))}

## Drivers compared

A driver that is not the defect's own had fewer and shorter campaigns. *Always*: each of its campaigns caught the defect; *once*: at least one did. The median is over all defects that the driver was tried on.
What the baseline reports counts as caught whatever it is, since it has but one way to notice anything.

{table(['driver', 'always', 'once', 'median seconds'], compare_rows(bank))}

Caught, of campaigns, and the median of the seconds; `?`: could not be run to the end.

{table(['defect', *DRIVERS], each_row(bank))}

## The checkers' own defects

{oracle_text()}""")
    PAGE.with_suffix(".json").write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    plot(entries, bank)
