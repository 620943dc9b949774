# SPDX-License-Identifier: GPL-2.0-or-later
"""
What came of a campaign: the summary (docs/schema/campaign.json), as text, and as one HTML file with its plots as inline SVG and nothing from outside.
"""
import datetime
from html import escape

PLATEAU_PART = 0.25  # a count has plateaued if it did not grow during the last quarter
GROWING = {"libfuzzer": ("edges", "features"), "afl": ("edges", "inputs")}
COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#8e5ea2", "#b8860b", "#2f8f9d", "#6b705c", "#d1495b")
WIDTH, HEIGHT, LEFT, BOTTOM = 500, 220, 64, 28

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; } th, td { padding: .25em .7em; text-align: right; border-bottom: 1px solid #eee; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; } code { font-size: .9em; }
.plots { display: flex; flex-wrap: wrap; gap: 1.5em; } figure { margin: 0; } figcaption { font-weight: 600; }
.good { color: #2a6b35; } .bad { color: #a52a1a; font-weight: 600; } .matrix td { min-width: 4em; } svg { max-width: 100%; height: auto; }
"""


def rate(samples, name):
    """Executions per second of a fuzzer over the time that its campaign ran."""
    last = samples[-1]
    return last["fuzzers"].get(name, {}).get("executions", 0) / last["t"] if last["t"] else 0.0


def last_growth(samples, name, what):
    """When a count of a fuzzer last grew; None if it was never there."""
    grew, most = None, 0
    for sample in samples:
        value = sample["fuzzers"].get(name, {}).get(what, 0)
        if value > most:
            grew, most = sample["t"], value
    return grew


def plateaus(samples):
    seconds, found = samples[-1]["t"], []
    for name, counts in samples[-1]["fuzzers"].items():
        for what in GROWING[counts["kind"]]:
            grew = last_growth(samples, name, what)
            if grew is not None and grew <= seconds * (1 - PLATEAU_PART):
                found.append({"fuzzer": name, "count": what, "value": counts[what], "since_seconds": grew})
    return found


def ended(samples):
    """Fuzzers that ended by themselves, in whichever session: with a finding, or they are at fault."""
    return sorted({name for sample in samples for name, counts in sample["fuzzers"].items() if counts["restarts"]})


def summarize(about, samples, findings, left, folder, matrix):
    last = samples[-1]
    fuzzers = {name: {"kind": counts["kind"], "executions": counts["executions"], "executions_per_second": round(rate(samples, name), 1),
                      "restarts": counts["restarts"], "edges": counts.get("edges", 0), "features": counts.get("features")}
               for name, counts in last["fuzzers"].items()}
    reached = {what: max((counts.get(what, 0) for counts in last["fuzzers"].values() if counts["kind"] == "libfuzzer"), default=0) for what in ("edges", "features")}
    start = about.get("at_start")
    return {"version": 1, "seed": about["seed"], "folder": folder, "began": datetime.datetime.fromtimestamp(about["began"], datetime.timezone.utc).isoformat(timespec="seconds"),
            "sessions": about["sessions"], "seconds": last["t"], "inputs": last["inputs"], "shared": {"to_libfuzzer": last["shared"][0], "to_afl": last["shared"][1]},
            "fuzzers": fuzzers, "executions": sum(counts["executions"] for counts in fuzzers.values()),
            "executions_per_second": round(sum(counts["executions_per_second"] for counts in fuzzers.values()), 1),
            "coverage": {"at_start": start, "at_end": reached if start else None, "new": {what: reached[what] - start[what] for what in reached} if start else None},
            "plateaus": plateaus(samples), "findings": findings, "unfiled": left, "matrix": matrix}


def text(summary):
    lines = [f"campaign of {summary['seconds']:.0f} s in {summary['sessions']} session{'s' * (summary['sessions'] != 1)}, seed {summary['seed']}"]
    for name, counts in summary["fuzzers"].items():
        lines.append(f"  {name:<12} {counts['executions']:>12,} executions, {counts['executions_per_second']:>8,.0f} a second, {counts['edges']:>6,} edges"
                     + (f", {counts['features']:,} features" if counts["features"] else "") + (f", {counts['restarts']} restarts" if counts["restarts"] else ""))
    lines.append(f"corpus: {summary['inputs']:,} inputs; {summary['shared']['to_libfuzzer']:,} of AFL++'s went to libFuzzer, {summary['shared']['to_afl']:,} to AFL++")
    if summary["coverage"]["new"]:
        new, start = summary["coverage"]["new"], summary["coverage"]["at_start"]
        lines.append(f"new coverage: {new['edges']:,} edges on {start['edges']:,} of the seeds', {new['features']:,} features on {start['features']:,}")
    for flat in summary["plateaus"]:
        lines.append(f"plateaued: {flat['count']} of {flat['fuzzer']}, at {flat['value']:,} since {flat['since_seconds']:.0f} s")
    for finding in summary["findings"]:
        size = f"{finding['operations']} operations{'' if finding['minimized'] else ', not minimized'}"
        lines += [f"FINDING {finding['signature']}: {size}, by {finding['fuzzer']}", f"  {finding['replay']}"]
    if summary["unfiled"]:
        lines.append(f"{summary['unfiled']} inputs that ended a fuzzer are not looked at yet: the same command goes on with them")
    lines.append(f"{len(summary['findings'])} findings; report: {summary['folder']}/report.html")
    return "\n".join(lines)


def nice(value):
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def plot(title, curves):
    """A line plot over seconds; curves: name to list of (t, value)."""
    points = [point for curve in curves.values() for point in curve]
    if not points:
        return ""
    t_max, v_max = max(t for t, _ in points) or 1, max(v for _, v in points) or 1
    v_min = min(v for _, v in points)
    v_min = v_min if v_max / 2 < v_min < 0.98 * v_max else 0  # far from zero the growth is what is to be seen
    span = (v_max - v_min) or 1

    def at(t, value):
        return f"{LEFT + t / t_max * (WIDTH - LEFT - 8):.1f},{HEIGHT - BOTTOM - (value - v_min) / span * (HEIGHT - BOTTOM - 12):.1f}"

    marks = []
    for i in range(5):
        value, t = v_min + span * i / 4, t_max * i / 4
        y, x = at(0, value).split(",")[1], at(t, v_min).split(",")[0]
        marks += [f'<line x1="{LEFT}" x2="{WIDTH - 8}" y1="{y}" y2="{y}" stroke="#e4e4e4"/>',
                  f'<text x="{LEFT - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{nice(value)}</text>',
                  f'<text x="{x}" y="{HEIGHT - 8}" text-anchor="{"end" if i == 4 else "middle"}">{nice(t)} s</text>']
    lines, legend = [], []
    for i, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[i % len(COLOURS)]
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(at(t, v) for t, v in thin(curve))}"><title>{escape(name)}</title></polyline>')
        legend.append(f'<span style="color:{colour}">&#9644; {escape(name)}</span>')
    return (f'<figure><figcaption>{escape(title)}</figcaption><svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-size="11" '
            f'fill="#555">{"".join(marks)}{"".join(lines)}</svg><div>{" ".join(legend)}</div></figure>')


def thin(curve, most=600):
    """At most about so many points of a curve, the last among them."""
    step = -(-len(curve) // most)
    return curve[:-1:step] + curve[-1:] if curve else curve


def curves_of(samples, what, kinds):
    """Of each fuzzer of these kinds the count over time, from when it is known."""
    names = {name: counts["kind"] for name, counts in samples[-1]["fuzzers"].items()}
    curves = {name: [(sample["t"], sample["fuzzers"][name][what]) for sample in samples if what in sample["fuzzers"].get(name, {})]
              for name, kind in names.items() if kind in kinds}
    return {name: curve for name, curve in curves.items() if curve}


def rates_of(samples):
    """Executions per second over windows of about a minute (shorter in short campaigns): libFuzzer counts aloud only now and then."""
    window, curves = max(10.0, min(60.0, samples[-1]["t"] / 10)), {}
    for name, curve in curves_of(samples, "executions", ("libfuzzer", "afl")).items():
        rates, begin = [], curve[0]
        for t, value in curve[1:]:
            if t - begin[0] >= window:
                rates.append((t, max(0, value - begin[1]) / (t - begin[0])))
                begin = (t, value)
        if rates:
            curves[name] = rates
    return curves


def matrix_html(matrix):
    if not matrix:
        return "<p>Not measured.</p>"
    formats = matrix["formats"]
    head = "".join(f"<th>{escape(name)}</th>" for name in formats)
    rows = []
    for row in matrix["rows"]:
        cells = []
        for name in formats:
            cell = row["cells"].get(name)
            part = cell["covered"] / cell["regions"] if cell and cell["regions"] else None
            cells.append("<td>-</td>" if part is None else
                         f'<td style="background:hsl({120 * part:.0f},55%,85%)" title="{cell["covered"]} of {cell["regions"]} regions">{100 * part:.0f}%</td>')
        rows.append(f"<tr><td><code>{escape(row['file'])}</code></td>{''.join(cells)}</tr>")
    files = "".join(f"<tr><td><code>{escape(file['file'])}</code></td><td>{file['lines_covered']:,} of {file['lines']:,}</td><td>{file['lines_percent']:.1f}%</td>"
                    f"<td>{file['regions_percent']:.1f}%</td></tr>" for file in matrix["files"])
    return (f'<p>The engine\'s code as each format instantiates it: how many of its regions the corpus of {matrix["inputs"]:,} inputs ran.</p>'
            f'<table class="matrix" id="matrix"><tr><th>file</th>{head}</tr>{"".join(rows)}</table>'
            f'<details><summary>Every file of engine and oracle</summary><table><tr><th>file</th><th>lines</th><th></th><th>regions</th></tr>{files}</table></details>')


def findings_html(summary):
    if not summary["findings"]:
        return '<p class="good">Nothing was found.</p>'
    rows = "".join(f'<tr><td><span class="bad">{escape(finding["signature"])}</span><br><code>{escape(finding["replay"])}</code></td><td>{finding["operations"]}'
                   f'{"" if finding["minimized"] else " (not minimized)"}</td><td>{escape(finding["fuzzer"])}</td></tr>' for finding in summary["findings"])
    return f'<table id="findings"><tr><th>signature, and how to see it again</th><th>operations</th><th>found by</th></tr>{rows}</table>'


def html(summary, samples):
    fuzzers = "".join(f"<tr><td>{escape(name)}</td><td>{counts['executions']:,}</td><td>{counts['executions_per_second']:,.0f}</td><td>{counts['edges']:,}</td>"
                      f"<td>{counts['features'] or '-'}</td><td>{counts['restarts']}</td></tr>" for name, counts in summary["fuzzers"].items())
    flat = "".join(f"<li>{escape(item['count'])} of {escape(item['fuzzer'])}: {item['value']:,} since {item['since_seconds']:.0f} s</li>" for item in summary["plateaus"])
    new, start = summary["coverage"]["new"], summary["coverage"]["at_start"]
    grown = f"<p>The seeds covered {start['edges']:,} edges and {start['features']:,} features; the campaign added {new['edges']:,} and {new['features']:,}.</p>" if new else ""
    plots = "".join((plot("libFuzzer: features", curves_of(samples, "features", ("libfuzzer",))), plot("libFuzzer: edges", curves_of(samples, "edges", ("libfuzzer",))),
                     plot("AFL++: edges", curves_of(samples, "edges", ("afl",))), plot("executions per second", rates_of(samples)),
                     plot("inputs in the corpus", {"corpus": [(sample["t"], sample["inputs"]) for sample in samples]}),
                     plot("findings", {"signatures": [(sample["t"], sample["findings"]) for sample in samples]})))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>hitless: campaign of {escape(summary['began'])}</title><style>{STYLE}</style></head><body>
<h1>hitless: campaign of {escape(summary['began'])}</h1>
<p>{summary['seconds']:,.0f} seconds in {summary['sessions']} session{"s" * (summary['sessions'] != 1)}, seed {summary['seed']}: {summary['executions']:,} executions,
{summary['inputs']:,} inputs, <span class="{'bad' if summary['findings'] else 'good'}">{len(summary['findings'])} findings</span>.</p>
<h2>Findings</h2>{findings_html(summary)}
<h2>Fuzzers</h2><table><tr><th>fuzzer</th><th>executions</th><th>a second</th><th>edges</th><th>features</th><th>restarts</th></tr>{fuzzers}</table>
<p>{summary['shared']['to_libfuzzer']:,} inputs of AFL++'s went to libFuzzer, {summary['shared']['to_afl']:,} went to AFL++.</p>{grown}
<h2>Over time</h2><div class="plots">{plots}</div>
<h2>What plateaued</h2>{f"<p>Without growth during the last quarter:</p><ul>{flat}</ul>" if flat else "<p>Nothing: every count still grew during the last quarter.</p>"}
<h2>Coverage</h2>{matrix_html(summary['matrix'])}
</body></html>
"""
