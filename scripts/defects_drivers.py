# SPDX-License-Identifier: GPL-2.0-or-later
"""How scripts/defects looks for a defect: one class for each driver. A further one is a class here and a name in DRIVERS."""
import json
import shutil

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
    """hitless fuzz: every check, one process."""
    preset, target = "release", "hitless"

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


class Stress(Fuzz):
    """hitless stress: threads. The header's options are those of hitless fuzz, and left out."""

    @staticmethod
    def command(program, seed, seconds, out):
        return [program, "stress", "--until-finding", "--seconds", seconds, "--seed", seed, "--json", "--out", out]

    @classmethod
    def campaign(cls, program, seed, seconds, options, out):
        return super().campaign(program, seed, seconds, [], out)


DRIVERS = {"fuzz": Fuzz, "stress": Stress}
