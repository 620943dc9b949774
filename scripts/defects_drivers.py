# SPDX-License-Identifier: GPL-2.0-or-later
"""How scripts/defects looks for a defect: one class for each driver. A further one is a class here and a name in DRIVERS."""
import json
import shutil
import struct

from defects_bank import Failed, last_line, run

GRACE_SECONDS = 120  # what a campaign may need beyond its time: to minimize, to replay


class Campaign:
    """What came of one: the findings as pairs of class and trace, the operations done, the seconds of processor time that it took."""

    def __init__(self, findings, operations, seconds):
        self.findings, self.operations, self.seconds = findings, operations, seconds


def read_report(name, status, output, errors):
    """What a command printed for --json, checked for what this script needs."""
    if status not in (0, 1):
        raise Failed(f"{name} ended with {status}: {last_line(errors)}")
    try:
        report = json.loads(output)
        found = bool(report["findings"])
        report["operations"] = int(report["operations"])
    except (ValueError, KeyError, TypeError) as error:
        raise Failed(f"{name} printed no usable JSON: {error!r}") from None
    if found != (status == 1):
        raise Failed(f"{name} ended with {status}, but reports {len(report['findings'])} findings")
    return report


class Fuzz:
    """
    hitless fuzz: every check, one process. What it takes ends with the finding, before it is minimized.

    about:      for --help
    minimized:  traces are those of one thread, and are minimized to the end
    any_class:  it judges by so little that whatever it reports counts as caught
    repeatable: every campaign is the same, whatever its seed
    """
    about = "hitless fuzz, under every check"
    preset, targets = "release", ("hitless",)
    minimized, any_class, repeatable = True, False, False

    @staticmethod
    def command(program, seed, seconds, out):
        return [program, "fuzz", "--until-finding", "--seconds", seconds, "--seed", seed, "--jobs", 1, "--json", "--out", out]

    @classmethod
    def campaign(cls, folder, seed, seconds, options, out):
        shutil.rmtree(out, ignore_errors=True)
        name = f"the campaign of seed {seed}"
        status, text, errors, taken = run(name, cls.command(folder / "hitless", seed, seconds, out) + options, seconds + GRACE_SECONDS)
        report = read_report(name, status, text, errors)
        try:
            findings = [(finding["class"], out / finding["trace"]) for finding in report["findings"]]
            taken = min((finding["processor_seconds"] for finding in report["findings"] if "processor_seconds" in finding), default=taken)
        except (KeyError, TypeError) as error:
            raise Failed(f"{name} printed no usable JSON: {error!r}") from None
        return Campaign(findings, report["operations"], taken)


class Mutate(Fuzz):
    """hitless fuzz --mutate."""
    about = "hitless fuzz --mutate: half of the domains are earlier ones, changed"

    @staticmethod
    def command(program, seed, seconds, out):
        return [*Fuzz.command(program, seed, seconds, out), "--mutate"]


class Baseline(Fuzz):
    """hitless fuzz --baseline: what a page table's own random test does."""
    about = "hitless fuzz --baseline: map and unmap, judged by what the engine returns and translates, as in page tables' own tests"
    minimized, any_class = False, True

    @staticmethod
    def command(program, seed, seconds, out):
        return [*Fuzz.command(program, seed, seconds, out), "--baseline"]


class Stress(Fuzz):
    """hitless stress: threads. The header's options are those of hitless fuzz, and left out."""
    about = "hitless stress: threads, which meet fewer kinds of defects"
    minimized = False  # what threads find need not come again in one

    @staticmethod
    def command(program, seed, seconds, out):
        return [program, "stress", "--until-finding", "--seconds", seconds, "--seed", seed, "--json", "--out", out]

    @classmethod
    def campaign(cls, folder, seed, seconds, _options, out):
        return super().campaign(folder, seed, seconds, [], out)


class Interleave(Stress):
    """hitless enumerate --part writers --quick: two and three writers on tiny tables, under up to 60 schedules of each round. There is nothing random in it."""
    about = "hitless enumerate --part writers: several writers on tiny tables, up to 60 schedules of each round"
    repeatable = True

    @staticmethod
    def command(program, _seed, _seconds, out):
        return [program, "enumerate", "--part", "writers", "--quick", "--json", "--out", out]


def found_in(out, crashes):
    """The traces there, whose first line is the signature, which begins with the class; if there is none, the inputs that ended the process."""
    traces = [(trace.read_text().split(None, 2)[1], trace) for trace in sorted(out.glob("*.trace"))]
    return traces or [("crash", crash) for crash in sorted(out.glob(crashes))]


class LibFuzzer:
    """The libFuzzer target without sanitizers, from nothing. Findings are minimized by nobody; the header's options are left out."""
    about = "libFuzzer with the mutator, no sanitizers, from nothing"
    preset, targets = "fuzz-fast", ("fuzz_ops",)
    minimized, any_class, repeatable = False, False, False
    without = None

    @classmethod
    def campaign(cls, folder, seed, seconds, _options, out):
        shutil.rmtree(out, ignore_errors=True)
        (out / "corpus").mkdir(parents=True)
        settings = {"HITLESS_OUT": out, "HITLESS_COUNT": out / "count", **({cls.without: 1} if cls.without else {})}
        command = [folder / "fuzz_ops", f"-seed={seed}", "-max_len=4096",
                   f"-max_total_time={seconds}", f"-artifact_prefix={out}/", out / "corpus"]
        status, _, errors, taken = run(f"libFuzzer with the seed {seed}", command, seconds + GRACE_SECONDS, settings=settings, may_die=True)
        findings = found_in(out, "crash-*")
        if bool(status) != bool(findings):
            raise Failed(f"libFuzzer with the seed {seed} ended with {status}, but left {len(findings)} findings: {last_line(errors)}")
        return Campaign(findings, struct.unpack("=QQQ", (out / "count").read_bytes())[1], taken)


class LibFuzzerBytes(LibFuzzer):
    """Likewise, with libFuzzer's own mutations, of bytes."""
    about = "libFuzzer with its own mutations"
    without = "HITLESS_WITHOUT_MUTATOR"


class Afl(LibFuzzer):
    """afl-fuzz in persistent mode with the mutator, from one short input, until the first crash. Its status says nothing about findings."""
    about = "AFL++ with the mutator, from nothing"
    preset, targets = "afl", ("fuzz_afl", "hitless_mutator")

    @classmethod
    def campaign(cls, folder, seed, seconds, _options, out):
        shutil.rmtree(out, ignore_errors=True)
        (out / "in").mkdir(parents=True)
        (out / "in" / "short").write_bytes(bytes(16))
        settings = {"HITLESS_OUT": out, "HITLESS_COUNT": out / "count", "AFL_CUSTOM_MUTATOR_LIBRARY": folder / "libhitless_mutator.so", "AFL_NO_UI": 1,
                    "AFL_NO_AFFINITY": 1, "AFL_SKIP_CPUFREQ": 1, "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": 1, "AFL_BENCH_UNTIL_CRASH": 1, "AFL_FAST_CAL": 1}
        command = ["afl-fuzz", "-s", seed, "-V", seconds, "-t", "2000+", "-m", "none", "-i", out / "in", "-o", out / "out", "--", folder / "fuzz_afl"]
        status, _, errors, taken = run(f"AFL++ with the seed {seed}", command, seconds + GRACE_SECONDS, settings=settings)
        inputs, operations, _ = struct.unpack("=QQQ", (out / "count").read_bytes()) if (out / "count").exists() else (0, 0, 0)
        findings = found_in(out, "out/default/crashes/id:*")
        if not findings and not inputs:
            raise Failed(f"AFL++ with the seed {seed} ended with {status}, and executed nothing: {last_line(errors)}")
        return Campaign(findings, operations, taken)


DRIVERS = {"fuzz": Fuzz, "mutate": Mutate, "libfuzzer": LibFuzzer, "libfuzzer-bytes": LibFuzzerBytes, "afl": Afl, "stress": Stress, "interleave": Interleave,
           "baseline": Baseline}
