# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/defects shares between its two kinds of trial: patches with a header, patched copies of the tree, child processes."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "defects"
BUILD_SECONDS = 900
running = set()  # children, each the leader of a process group of its own


class Failed(Exception):
    """A defect could not be tried; the text is one line for people."""


def run(what, command, seconds, cwd=ROOT):
    """Runs command, and ends it and whatever it started after that many seconds. Returns exit status, standard output, standard error."""
    with subprocess.Popen([str(word) for word in command], cwd=cwd, text=True, errors="replace", start_new_session=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        running.add(child)
        try:
            output, errors = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            raise Failed(f"{what} did not end within {seconds} s") from None
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
        finally:
            running.discard(child)
    if child.returncode < 0:
        raise Failed(f"{what} was ended by signal {-child.returncode}")
    return child.returncode, output, errors


def end_running():
    for child in list(running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def writable_folder(path):
    """Makes the folder unless it is there. Raises ValueError, one line, if nothing can be put into it."""
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path}: is no folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ValueError(f"{path}: cannot be written")


def last_line(text):
    return (text.strip().splitlines() or ["no message"])[-1].strip()


def read_header(patch):
    header, name = {}, None
    for line in patch.read_text(errors="replace").splitlines():
        if line.startswith(("diff --git", "--- ")):
            break
        field = re.match(r"(Defect|Source|Breaks|Expect|Formats|Driver|Options):\s*(.*)", line)
        if field:
            name = field[1]
            header[name] = field[2]
        elif name and line[:1].isspace() and line.strip():
            header[name] += " " + line.strip()
        else:
            name = None
    missing = [name for name in ("Defect", "Breaks", "Expect", "Formats") if not header.get(name)]
    if missing:
        raise Failed(f"{patch.name} has no {' and no '.join(missing)} in its header")
    return header


def check_applies(patch):
    """Raises Failed unless the patch has a header and applies to the tree as it is."""
    read_header(patch)
    status, output, _ = run("patch", ["patch", "-p1", "--dry-run", "--force", "--reject-file=-", "-i", patch], 60)
    if status:
        raise Failed(f"{patch.name} does not apply: {last_line(output)}")


def copy_patched(patch, work):
    """
    Leaves the tree in work/src, patched unless patch is None. Files whose content stays the same keep their time stamps, so that little
    is rebuilt.
    """
    status, listed, errors = run("git", ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"], 60)
    if status:
        raise Failed(f"git ls-files: {last_line(errors)}")
    fresh, source = work / "fresh", work / "src"
    shutil.rmtree(fresh, ignore_errors=True)
    for name in filter(None, set(listed.split("\0"))):
        if (ROOT / name).is_file():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, fresh / name)
    if patch:
        command = ["patch", "-p1", "--force", "--no-backup-if-mismatch", "--reject-file=-", "-i", patch]
        status, output, _ = run("patch", command, 60, cwd=fresh)
        if status:
            raise Failed(f"{patch.name} does not apply: {last_line(output)}")
    for old in source.rglob("*"):
        if not old.is_dir() and not (fresh / old.relative_to(source)).is_file():
            old.unlink()
    for new in fresh.rglob("*"):
        old = source / new.relative_to(fresh)
        if new.is_file() and not (old.is_file() and old.read_bytes() == new.read_bytes()):
            old.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(new, old)
    shutil.rmtree(fresh)
    return source


def build(what, commands, source, work):
    """Runs the commands that configure and build; a build that fails leaves its log in work."""
    for command in commands:
        status, output, errors = run("building it", command, BUILD_SECONDS, cwd=source)
        if status:
            (work / "build.log").write_text(output + errors)
            raise Failed(f"{what} does not build, see {work / 'build.log'}")
