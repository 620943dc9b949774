# SPDX-License-Identifier: GPL-2.0-or-later
"""How scripts/defects looks for a defect: one class for each driver. A further one is a class here and a name in DRIVERS."""
import json
import shutil
import struct
import time

from defects_bank import Failed, last_line, run

GRACE_SECONDS = 120  # what a campaign may need beyond its time: to minimize, to replay


def read_report(name, status, output, errors):
    """What a command printed for --json, checked for what this script needs."""
    if status not in (0, 1):
        raise Failed(f"{name} ended with {status}: {last_line(errors)}")
    try:
        report = json.loads(output)
        found = bool(report["findings"])
        report["operations"], report["seconds"] = int(report["operations"]), float(report["seconds"])
    except (ValueError, KeyError, TypeError) as error:
        raise Failed(f"{name} printed no usable JSON: {error!r}") from None
    if found != (status == 1):
        raise Failed(f"{name} ended with {status}, but reports {len(report['findings'])} findings")
    return report


class Fuzz:
    """hitless fuzz: every check, one process. minimizes: what it finds is, and must come again then."""
    preset, target, minimizes = "release", "hitless", True

    @staticmethod
    def command(program, seed, seconds, out):
        return [program, "fuzz", "--until-finding", "--seconds", seconds, "--seed", seed, "--jobs", 1, "--json", "--out", out]

    @classmethod
    def campaign(cls, program, seed, seconds, options, out):
        """Returns the findings as pairs of class and trace, the operations done, the seconds taken."""
        shutil.rmtree(out, ignore_errors=True)
        name = f"the campaign of seed {seed}"
        report = read_report(name, *run(name, cls.command(program, seed, seconds, out) + options, seconds + GRACE_SECONDS))
        try:
            findings = [(finding["class"], out / finding["trace"]) for finding in report["findings"]]
        except (KeyError, TypeError) as error:
            raise Failed(f"{name} printed no usable JSON: {error!r}") from None
        return findings, report["operations"], report["seconds"]


class Mutate(Fuzz):
    """hitless fuzz --mutate."""

    @staticmethod
    def command(program, seed, seconds, out):
        return [*Fuzz.command(program, seed, seconds, out), "--mutate"]


class Stress(Fuzz):
    """hitless stress: threads, whose findings need not come again in one. The header's options are those of hitless fuzz, and left out."""
    minimizes = False

    @staticmethod
    def command(program, seed, seconds, out):
        return [program, "stress", "--until-finding", "--seconds", seconds, "--seed", seed, "--json", "--out", out]

    @classmethod
    def campaign(cls, program, seed, seconds, options, out):
        return super().campaign(program, seed, seconds, [], out)


class LibFuzzer:
    """The libFuzzer target without sanitizers, from nothing. Findings are minimized by nobody; the header's options are left out."""
    preset, target, minimizes, without = "fuzz-fast", "fuzz_ops", False, None

    @classmethod
    def campaign(cls, program, seed, seconds, _options, out):
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        (out / "corpus").mkdir()
        settings = {"HITLESS_OUT": out, "HITLESS_COUNT": out / "count", **({cls.without: 1} if cls.without else {})}
        command = ["env", *(f"{name}={value}" for name, value in settings.items()), program, f"-seed={seed}", "-max_len=4096",
                   f"-max_total_time={seconds}", f"-artifact_prefix={out}/", out / "corpus"]
        started = time.monotonic()
        status, _, errors = run(f"libFuzzer with the seed {seed}", command, seconds + GRACE_SECONDS)
        taken = time.monotonic() - started
        findings = [(trace.read_text().split(None, 2)[1], trace) for trace in sorted(out.glob("*.trace"))]
        if bool(status) != bool(findings):
            raise Failed(f"libFuzzer with the seed {seed} ended with {status}, but left {len(findings)} traces: {last_line(errors)}")
        operations = struct.unpack("=QQQ", (out / "count").read_bytes())[1]
        return findings, operations, taken


class LibFuzzerBytes(LibFuzzer):
    """Likewise, with libFuzzer's own mutations, of bytes."""
    without = "HITLESS_WITHOUT_MUTATOR"


DRIVERS = {"fuzz": Fuzz, "mutate": Mutate, "stress": Stress, "libfuzzer": LibFuzzer, "libfuzzer-bytes": LibFuzzerBytes}
