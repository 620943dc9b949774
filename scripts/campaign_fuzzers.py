# SPDX-License-Identifier: GPL-2.0-or-later
"""The fuzzers of a campaign: one class for libFuzzer, one for AFL++. Each instance starts, restarts and ends its process, and tells what it has done."""
import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
LENGTH_MAX = 4096       # bytes of an input
TIMEOUT_SECONDS = 300   # of one libFuzzer input; the step budget (G9) is what judges, this only ends what hangs
AFL_TIMEOUT_MS = 5000
RESTART_SECONDS_MAX = 20
libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """In a child: be killed when the parent dies, however it dies, so that no fuzzer outlives its campaign."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def spawn(command, log, env, cwd):
    """A child in a process group of its own, with its output appended to log. To be called by the main thread: its death is what kills the child."""
    with open(log, "ab") as output:
        return subprocess.Popen([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                env={**os.environ, **{name: str(value) for name, value in env.items()}},
                                start_new_session=True, preexec_fn=die_with_parent)


def end(child, seconds=10):
    """Ends a child that spawn started: asked first, then killed with its group."""
    for number, patience in ((signal.SIGINT, seconds), (signal.SIGKILL, 10)):
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(patience)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # what it left behind


class Fuzzer:
    """
    One process that is kept running. counts() gives the numbers since the campaign began: "executions" is a sum over restarts (the process's
    own count may begin anew or go on), the rest is as the process says.
    """
    def __init__(self, name, binary, folder):
        self.name, self.binary, self.folder = name, binary, folder
        self.child, self.starts, self.next_start, self.patience = None, 0, 0.0, 1.0
        self.executions_before, self.executions_last = 0, 0
        self.last = {}
        (folder / "traces" / self.kind).mkdir(parents=True, exist_ok=True)

    def keep_running(self):
        """Starts the process, or starts it again after it ended: at once at first, later less often. Returns whether it had ended."""
        ended = self.child is not None and self.child.poll() is not None
        if ended:
            self.counts()
            self.ended()
            self.child = None
            self.next_start = time.monotonic() + self.patience
            self.patience = min(2 * self.patience, RESTART_SECONDS_MAX)
        if self.child is None and time.monotonic() >= self.next_start:
            self.starts += 1
            self.start()
        return ended

    def end(self):
        if self.child:
            end(self.child)
            self.counts()
            self.ended()
            self.child = None

    def resume(self, counts):
        """Goes on from what counts() gave in an earlier process."""
        self.executions_before, self.last = counts.get("executions", 0), dict(counts)

    def counts(self):
        seen = self.read()
        executions = seen.pop("executions", self.executions_last)
        if executions < self.executions_last:
            self.executions_before += self.executions_last
        self.executions_last = executions
        self.last.update(seen)
        self.last["executions"] = self.executions_before + executions
        return dict(self.last)


class LibFuzzer(Fuzzer):
    kind = "libfuzzer"
    LINE = re.compile(rb"^#(\d+)\s+\w+ +cov: (\d+) ft: (\d+)(?: corp: (\d+))?", re.M)
    FINAL = re.compile(rb"^stat::number_of_executed_units: +(\d+)", re.M)
    INITED = re.compile(rb"^#\d+\s+INITED +cov: (\d+) ft: (\d+)", re.M)

    def __init__(self, name, binary, folder, seed):
        super().__init__(name, binary, folder)
        self.seed, self.log = seed, folder / "logs" / name
        self.artifacts = folder / "artifacts"
        self.artifacts.mkdir(exist_ok=True)
        self.at_start, self.log_begin = None, 0

    def start(self):
        self.log_begin = self.log.stat().st_size if self.log.exists() else 0
        self.executions_before += self.executions_last
        self.executions_last = 0
        self.child = spawn([self.binary, f"-seed={(self.seed + self.starts) % 2**31 or 1}", f"-max_len={LENGTH_MAX}", f"-timeout={TIMEOUT_SECONDS}",
                            "-report_slow_units=100000", "-reload=1", "-rss_limit_mb=4096", "-print_final_stats=1",
                            f"-artifact_prefix={self.artifacts}/", self.folder / "corpus"],
                           self.log, {"HITLESS_OUT": self.folder / "traces" / self.kind}, self.folder)

    def read(self):
        try:
            with open(self.log, "rb") as log:
                log.seek(max(self.log_begin, self.log.stat().st_size - (1 << 16)))
                text = log.read()
        except FileNotFoundError:
            return {}
        if self.at_start is None:
            inited = self.INITED.search(text)
            if inited:
                self.at_start = {"edges": int(inited[1]), "features": int(inited[2])}
        lines, final = self.LINE.findall(text), self.FINAL.search(text)
        seen = {}
        if lines:
            executions, edges, features, _ = lines[-1]
            # What an earlier process had reached is still reached: it is in the corpus.
            seen = {"executions": int(executions), "edges": max(int(edges), self.last.get("edges", 0)),
                    "features": max(int(features), self.last.get("features", 0))}
        if final:
            seen["executions"] = int(final[1])
        return seen

    def ended(self):
        """An input that ends the process must not do so again each time the corpus is read."""
        for artifact in self.artifacts.iterdir():
            digest = artifact.name.rpartition("-")[2]
            (self.folder / "corpus" / digest).unlink(missing_ok=True)


class Afl(Fuzzer):
    kind = "afl"

    def __init__(self, name, binary, folder, main, seed):
        super().__init__(name, binary, folder)
        self.main, self.seed, self.log = main, seed, folder / "logs" / name
        self.out = folder / "afl" / name

    def start(self):
        env = {"AFL_NO_UI": 1, "AFL_TRY_AFFINITY": 1, "AFL_SKIP_CPUFREQ": 1, "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": 1, "AFL_AUTORESUME": 1,
               "AFL_IMPORT_FIRST": 1, "AFL_SYNC_TIME": 1, "AFL_FORKSRV_INIT_TMOUT": 60000, "HITLESS_OUT": self.folder / "traces" / self.kind}
        mutator = self.binary.parent / "libhitless_mutator.so"
        cmplog = self.binary.parent.parent / "afl-cmplog" / self.binary.name
        options = ["-c", cmplog] if self.main and cmplog.exists() else []
        if mutator.exists():
            env["AFL_CUSTOM_MUTATOR_LIBRARY"] = mutator
        self.child = spawn(["afl-fuzz", "-M" if self.main else "-S", self.name, "-s", (self.seed + self.starts) % 2**31, "-t", f"{AFL_TIMEOUT_MS}+", "-G", LENGTH_MAX,
                            *options, "-i", self.folder / "afl-start", "-o", self.folder / "afl", "--", self.binary],
                           self.log, env, self.folder)

    def read(self):
        try:
            lines = (self.out / "plot_data").read_text().splitlines()
        except FileNotFoundError:
            return {}
        names = [name.strip(" #") for name in lines[0].split(",")] if lines else []
        row = dict(zip(names, lines[-1].split(","))) if len(lines) > 1 and not lines[-1].startswith("#") else {}
        try:
            return {"executions": int(row["total_execs"]), "edges": int(row["edges_found"]), "inputs": int(row["corpus_count"])}
        except (KeyError, ValueError):  # a line that is being written
            return {}

    def ended(self):
        # A folder of a start that came to nothing cannot be resumed, and says so each time.
        if self.out.exists() and not any((self.out / "queue").glob("id:*")) and not any((self.out / "crashes").glob("id:*")):
            shutil.rmtree(self.out, ignore_errors=True)


def make(folder, binaries, jobs, seed):
    """The instances for that many processors: half libFuzzer, half AFL++, at least one of each that there is a binary for."""
    kinds = [kind for kind in ("libfuzzer", "afl") if kind in binaries]
    share = {"libfuzzer": max(1, jobs // 2), "afl": max(1, jobs - max(1, jobs // 2))} if len(kinds) == 2 else {kinds[0]: jobs}
    (folder / "logs").mkdir(exist_ok=True)
    fuzzers = [LibFuzzer(f"libfuzzer-{i}", Path(binaries["libfuzzer"]), folder, seed + 1000 * i) for i in range(share.get("libfuzzer", 0))]
    return fuzzers + [Afl("afl-main" if i == 0 else f"afl-secondary-{i}", Path(binaries["afl"]), folder, i == 0, seed + i) for i in range(share.get("afl", 0))]
