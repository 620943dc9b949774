# SPDX-License-Identifier: GPL-2.0-or-later
"""
What scripts/defects --long found: kept as it comes, and written down for people in docs/detection.md with plots beside it.

docs/detection.json is what the page is made of: {"engine": {id: {driver: entry}}, "oracle": {id: entry}}, entries as scripts/defects --json has
them, each with "at": the commit that it was measured at.
"""
import datetime
import json
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
SOON, SOONER = 10, 1  # seconds: the medians wanted of every row, and of half of them
lock = threading.Lock()
kept = {"engine": {}, "oracle": {}}
commit = "unknown"


def begin():
    """Takes up what is there, but for what the bank has no more. Raises Failed where plots cannot be made, before hours were spent."""
    global commit
    if not shutil.which("gnuplot"):
        raise Failed("gnuplot makes the plots of --long; please install gnuplot-nox")
    status, text, *_ = run("git", ["git", "-c", f"safe.directory={ROOT}", "describe", "--always", "--dirty", "--exclude=*"], 60)
    commit = text.strip() if status == 0 else commit
    if RESULTS.exists():
        kept.update(json.loads(RESULTS.read_text()))
    for kind, folder in (("engine", BANK), ("oracle", BANK / "oracle")):
        kept[kind] = {name: entry for name, entry in kept[kind].items() if (folder / f"{name}.patch").exists()}


def keep(kind, entry, own=None):
    """On disk before the next one begins. own: the defect's own driver."""
    with lock:
        entry = {**entry, "at": commit}
        if kind == "engine":
            kept[kind].setdefault(entry["id"], {})[entry["driver"]] = {**entry, "own": entry["driver"] == own}
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
    return "-" if value is None else f"{value:.3f}" if value < 1 else f"{value:.1f}"


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in cells) + " |" for cells in lines)


def own_entries():
    """Entries of each defect's own driver: (of defects, of controls)."""
    own = [entry for drivers in kept["engine"].values() for entry in drivers.values() if entry["own"]]
    controls = {entry["id"] for entry in own if read_header(BANK / f"{entry['id']}.patch")["Expect"] == "none"}
    return [entry for entry in own if entry["id"] not in controls], [entry for entry in own if entry["id"] in controls]


def own_table(entries):
    yes = {True: "yes", False: "NO", None: "-"}
    rows = []
    for entry in sorted(entries, key=lambda entry: entry["id"]):
        seconds = entry["seconds"]
        rows.append([entry["id"], read_header(BANK / f"{entry['id']}.patch")["Breaks"], entry["driver"], f"{entry['caught']}/{entry['runs']}",
                     entry["operations_median"] if seconds else "-", seconds_text(entry["seconds_median"]),
                     f"{seconds_text(seconds[0])} to {seconds_text(seconds[-1])}" if seconds else "-",
                     "-" if entry["minimized_operations"] is None else entry["minimized_operations"], yes[entry["settled"]], yes[entry["passes_unpatched"]]])
    return table(["defect", "breaks", "driver", "caught", "operations", "seconds", "spread", "minimized to", "settled", "passes unpatched"], rows)


def compared(name, ids):
    """The entries of one driver for these defects."""
    return [kept["engine"][defect][name] for defect in ids if name in kept["engine"][defect]]


def compare_rows(ids):
    for name, driver in DRIVERS.items():
        entries = compared(name, ids)
        if entries:
            always, once = (sum(test(entry) for entry in entries) for test in (lambda entry: 0 < entry["runs"] == entry["caught"], lambda entry: entry["caught"] > 0))
            times = [entry["seconds_median"] for entry in entries if entry["caught"]]
            yield [f"{name} ({driver.about})", f"{always} of {len(entries)}", f"{once} of {len(entries)}", seconds_text(median(times) if times else None)]


def each_row(ids):
    for defect in ids:
        cells = []
        for name in DRIVERS:
            entry = kept["engine"][defect].get(name)
            cells.append("" if not entry else "?" if "error" in entry else f"{entry['caught']}/{entry['runs']}, {seconds_text(entry['seconds_median'])}"
                         if entry["caught"] else "-")
        yield [defect, *cells]


def quoted(values):
    return "\n".join(" ".join(str(cell) for cell in line) for line in values) + "\ne\n"


def plot(entries, ids):
    """One dot for each campaign by the defect's own driver; and for each driver the part of the defects that it had caught within a time."""
    ordered = sorted((entry for entry in entries if entry["seconds"]), key=lambda entry: entry["seconds_median"])
    dots = [(at, max(second, 0.001)) for at, entry in enumerate(ordered) for second in entry["seconds"]]
    medians = [(at, max(entry["seconds_median"], 0.001)) for at, entry in enumerate(ordered)]
    ticks = ", ".join(f"'{entry['id']}' {at}" for at, entry in enumerate(ordered))
    curves = {}
    for name in DRIVERS:
        tried = compared(name, ids)
        times = sorted(max(entry["seconds_median"], 0.001) for entry in tried if 0 < entry["runs"] == entry["caught"])
        if times:
            curves[name] = [(0.001, 0)] + [(time, 100 * (nr + 1) / len(tried)) for nr, time in enumerate(times)] + [(30, 100 * len(times) / len(tried))]
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
set xrange [0.001:30]
set yrange [0:100]
set key outside right
set title 'Defects that every campaign of a driver caught within so many seconds, by the median'
set ylabel '% of the defects'
set xlabel 'seconds'
plot {', '.join(f"'-' with steps lw 2 title '{name}'" for name in curves)}
{''.join(quoted(curve) for curve in curves.values())}"""
    done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"gnuplot: {last_line(done.stderr)}")


def oracle_text():
    entries = kept["oracle"].values()
    if not entries:
        return "Not run.\n"
    missed = sorted(entry["id"] for entry in entries if not entry["caught"])
    tests = sorted({entry["by"] for entry in entries if entry["caught"]})
    rows = [[test, sum(entry["by"] == test for entry in entries)] for test in tests]
    return (f"{sum(entry['caught'] for entry in entries)} of {len(entries)} patches to the checkers are caught by a test"
            f"{'; not ' + ', '.join(missed) if missed else ''}. By the test that failed first:\n\n{table(['test', 'patches'], rows)}\n")


def write():
    """docs/detection.md and its plots, from all that was kept."""
    entries, controls = own_entries()
    ids = sorted(entry["id"] for entry in entries)
    times = [entry["seconds_median"] for entry in entries if entry["seconds"]]
    slow = [entry["id"] for entry in entries if not entry["seconds"] or entry["seconds_median"] >= SOON]
    loud = [entry["id"] for entry in controls if entry["caught"] or "error" in entry]
    states = sorted({entry["at"] for drivers in kept["engine"].values() for entry in drivers.values()} | {entry["at"] for entry in kept["oracle"].values()})
    all_caught = sum(entry["runs"] == entry["caught"] > 0 for entry in entries)
    PAGE.write_text(f"""# How soon real bugs are found

Written by `scripts/defects --long` on {datetime.date.today().isoformat()}, from commit {', '.join(states)}; {machine()}.

Each row is a bug that somebody shipped or posted (`corpus/defects/`, the story in the header), planted in the engine. Seconds are of processor time until
the finding, without minimizing it, of one process that begins with nothing; with `stress`, of all threads together. *Settled*: the minimized trace has
at most 6 operations and does not change when it is minimized again. The figures are medians over the campaigns that caught it, the spread is from the
fastest to the slowest.

{all_caught} of {len(entries)} defects were caught by every campaign of their own driver; {sum(time < SOONER for time in times)} with a median below {SOONER} s, {sum(time < SOON for time in times)} below {SOON} s{'; not ' + ', '.join(slow) if slow else ''}.
{len(controls)} negative controls, changes that are legal: {'silent' if not loud else 'REPORTED: ' + ', '.join(loud)}.

{own_table(entries)}

![when each campaign caught its defect, and what each driver had caught when](detection.svg)

## Controls

{own_table(controls)}

## Drivers compared

A driver that is not the defect's own had fewer and shorter campaigns. *Always*: each of its campaigns caught the defect; *once*: at least one did. What the baseline reports counts
as caught whatever it is, since it has but one way to notice anything.

{table(['driver', 'always', 'once', 'median seconds'], compare_rows(ids))}

Caught, of campaigns, and the median of the seconds; `-`: by none; `?`: could not be run to the end.

{table(['defect', *DRIVERS], each_row(ids))}

## The checkers' own defects

{oracle_text()}""")
    shutil.copy(RESULTS, PAGE.with_suffix(".json"))
    plot(entries, ids)
