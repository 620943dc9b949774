# SPDX-License-Identifier: GPL-2.0-or-later
"""
Findings by signature: what the fuzzers left becomes minimized traces, one for each signature. Shared by scripts/campaign and scripts/corpus.

A fuzz target saves a trace of what it finds, named by the signature; an input that ends it without one (a sanitizer's report) is an artifact,
which is run again here.
"""
import json
import os
import re
import subprocess
import time
from pathlib import Path

from campaign_fuzzers import end, spawn

MINIMIZE_SECONDS = 60
SIGNATURE = re.compile(r"[a-z]+(-[a-z]+)* G\d+ \S+ \S+ ")  # class, guarantee, format, operation, as finding_make writes it
ARENA_MIB = 64  # as one_input.c
TOO_LONG = re.compile(r"^artifacts/timeout-|/hangs")  # a busy machine does that, too


def signature(trace):
    """What the report in a finding's trace begins with. None for other traces: their comments are somebody's words."""
    for line in trace.read_text(errors="replace").splitlines():
        if line.startswith("#") and line.strip("# "):
            return line.strip("# ") if SIGNATURE.match(line.strip("# ")) else None
    return None


def operations(trace):
    """How many operations a trace has: the lines after the format line, comments and empty lines left out."""
    lines = [line.split("#")[0].split() for line in trace.read_text(errors="replace").splitlines()]
    return sum(bool(line) and line[0] not in ("hitless", "format") for line in lines)


def shortest_by_signature(traces):
    """The shortest trace of each signature, as a dict; ties go to the first name."""
    best = {}
    for trace in sorted(traces):
        name = signature(trace)
        if name and (name not in best or operations(trace) < operations(best[name])):
            best[name] = trace
    return best


class Filing:
    """
    Turns what is in traces/ and artifacts/ of a campaign into findings/, one thing at a time, beside the fuzzers. What has been dealt with is on
    disk (findings/, done/), so that an interrupted campaign goes on where it was.
    """
    def __init__(self, folder, binaries, minimize=True):
        self.folder, self.binaries, self.minimize = folder, binaries, minimize
        self.job = None
        for name in ("findings", "done", "work"):
            (folder / name).mkdir(exist_ok=True)
        for left in (folder / "work").iterdir():
            left.unlink()

    def traces_to_do(self):
        filed = {trace.name for trace in (self.folder / "findings").glob("*.trace")}
        for trace in sorted((self.folder / "traces").glob("*/*.trace")):
            if trace.name not in filed:
                yield trace

    def artifacts_to_do(self):
        done = {path.name for path in (self.folder / "done").iterdir()}
        found = [(path, "libfuzzer") for path in sorted((self.folder / "artifacts").glob("*-*")) if not path.name.startswith("slow")]
        for kind in ("crashes", "hangs"):
            found += [(path, "afl") for path in sorted((self.folder / "afl").glob(f"*/{kind}*/id:*"))]
        for path, kind in found:
            name = f"{path.parent.parent.name}-{path.parent.name}-{path.name}".replace(":", "_").replace(",", "_") if kind == "afl" else path.name
            if name not in done and kind in self.binaries:
                yield path, kind, name

    def pending(self):
        return sum(1 for _ in self.traces_to_do()) + sum(1 for _ in self.artifacts_to_do()) + (self.job is not None)

    def hitless(self, kind):
        """The command of the build that found it."""
        return Path(self.binaries[kind]).parent / "hitless"

    def step(self):
        """Starts or ends one job; does not wait for it. Returns whether there is something left to do."""
        if self.job:
            child, until, after = self.job
            if child.poll() is None and time.monotonic() < until:
                return True
            if child.poll() is None:
                end(child, 1)
            self.job = None
            after(child.returncode)
            return True
        trace = next(self.traces_to_do(), None)
        if trace:
            self.start_trace(trace)
            return True
        artifact = next(self.artifacts_to_do(), None)
        if artifact:
            self.start_artifact(*artifact)
            return True
        return False

    def start(self, command, seconds, after, env=None):
        log = self.folder / "logs" / "filing"
        self.log_begin = log.stat().st_size if log.exists() else 0
        child = spawn(command, log, env or {}, self.folder)
        self.job = (child, time.monotonic() + seconds, after)

    def file(self, source, name, minimized, kind):
        """Puts a trace in findings/, with what is known about it beside it; the trace comes last, as that is what counts as filed."""
        trace = self.folder / "findings" / name
        about = {"signature": signature(source) or "crash", "operations": operations(source), "minimized": minimized, "fuzzer": kind, "found_at": time.time()}
        save(trace.with_suffix(".json"), json.dumps(about))
        os.replace(source, trace)

    def start_trace(self, trace):
        kind, out = trace.parent.name, self.folder / "work" / trace.name

        def after(status):
            if out.exists() and status == 1:
                self.file(out, trace.name, True, kind)
            else:  # it did not come again, or not within the time: as it was found, and said to be so
                save(out, trace.read_text(errors="replace"))
                self.file(out, trace.name, False, kind)

        if kind not in self.binaries or not self.minimize:
            after(None)
            return
        self.start([self.hitless(kind), "minimize", trace, "-o", out, "--seconds", MINIMIZE_SECONDS, "--arena", ARENA_MIB], 3 * MINIMIZE_SECONDS, after)

    def start_artifact(self, path, kind, name):
        """Run it once more: most leave a trace, whose signature is mostly known already. For those that don't, the target says what it runs."""
        ran = self.folder / "work" / "ran"
        ran.unlink(missing_ok=True)

        def after(status):
            traced = next((self.folder / "work").glob("*.trace"), None)
            if traced:
                target = self.folder / "traces" / kind / traced.name
                if not target.exists():
                    os.replace(traced, target)
                else:
                    traced.unlink()
                (self.folder / "done" / name).write_text("traced\n")
            elif status == 0 and TOO_LONG.search(str(path.relative_to(self.folder))):
                (self.folder / "done" / name).write_text("was not too long when run again\n")
            elif status == 0:  # of what the process had done before, or of the mutator: there is no input to show it
                self.file_artifact(path, name, kind, "that did not come again, see logs")
            else:
                self.start_crash(path, kind, name, ran, self.last_words(status))

        self.start([self.binaries[kind], path], MINIMIZE_SECONDS, after, {"HITLESS_OUT": self.folder / "work", "HITLESS_TRACE": ran})

    def last_words(self, status):
        """What a sanitizer said in the job that has just ended, without places, or how it ended: tells crashes apart that have no trace."""
        with open(self.folder / "logs" / "filing", "rb") as log:
            log.seek(self.log_begin)
            said = re.findall(rb"SUMMARY: (\w+Sanitizer: [\w-]+)(?: \S+ in (\w+))?", log.read())
        if said:  # the last: a canary's child may have met it, too
            return " in ".join(word.decode() for word in said[-1] if word)
        return f"signal {-status}" if status < 0 else f"exit status {status}"

    def start_crash(self, path, kind, name, ran, words):
        """Something that ended the target without a trace: a sanitizer's report, a signal, or too much time; while it ran that as far as it came."""
        out = self.folder / "work" / f"{name}.trace"

        def after(status):
            if out.exists() and status == 1:
                said = signature(out)
                known = shortest_by_signature((self.folder / "findings").glob("*.trace"))
                if said in known:
                    out.unlink()
                else:
                    self.file(out, re.sub(r"[^A-Za-z0-9_]", "-", said) + ".trace", True, kind)
                (self.folder / "done" / name).write_text("crash\n")
            else:
                self.file_artifact(path, name, kind, f"that replay does not show: {words}")

        self.start([self.hitless(kind), "minimize", ran, "-o", out, "--seconds", MINIMIZE_SECONDS, "--arena", ARENA_MIB], 3 * MINIMIZE_SECONDS, after)

    def file_artifact(self, path, name, kind, what):
        """Puts an input that no trace came of in findings/, as it is: the first of those that ended alike."""
        said = f"crash of the {kind} target {what}"
        about = self.folder / "findings" / (re.sub(r"[^A-Za-z0-9_]+", "-", said) + ".json")
        if not about.exists():
            save(about, json.dumps({"signature": said, "operations": 0, "minimized": False, "fuzzer": kind, "found_at": time.time(),
                                    "artifact": str(path.relative_to(self.folder))}))
        (self.folder / "done" / name).write_text("crash\n")

    def finish(self, seconds):
        """Works until all is filed or the time is over. Returns how many are left."""
        until = time.monotonic() + seconds
        while self.step() and time.monotonic() < until:
            if self.job:
                try:
                    self.job[0].wait(0.2)
                except subprocess.TimeoutExpired:
                    pass
        if self.job:
            end(self.job[0], 1)
            self.job = None
        return self.pending()

    def findings(self):
        """What is filed, the oldest first: a list of dicts."""
        listed = []
        for path in (self.folder / "findings").glob("*.json"):
            about = json.loads(path.read_text())
            trace = path.with_suffix(".trace")
            if not trace.exists() and "artifact" not in about:
                continue  # it was being filed when the campaign was interrupted, and will be again
            words = about["signature"].split()
            full = len(words) >= 6 and re.fullmatch(r"G\d+", words[1])
            about.update({"class": words[0], "guarantee": words[1] if full else None, "format": words[2] if full else None, "op": words[3] if full else None,
                          "trace": str(trace) if trace.exists() else str(self.folder / about["artifact"])})
            about["replay"] = f"hitless replay {about['trace']}" if trace.exists() else f"{self.binaries.get(about['fuzzer'], about['fuzzer'])} {about['trace']}"
            listed.append(about)
        return sorted(listed, key=lambda about: (about["found_at"], about["trace"]))


def save(path, text):
    """Writes a file whole or not at all, and durably."""
    part = path.with_name(f".{path.name}.part")
    with open(part, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
