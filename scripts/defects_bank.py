# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/defects shares between its two kinds of trial: patches with a header, patched copies of the tree, child processes."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "defects"
BUILD_SECONDS = 900
running = set()  # children, each the leader of a process group of its own
stopping = threading.Event()  # nothing is begun any more, and what comes of what runs counts for nothing


class Failed(Exception):
    """A defect could not be tried; the text is one line for people."""


class Stopped(Exception):
    """Everything is being ended."""


def wait(child, seconds):
    """Until child ends, for at most so long. Returns the processor time of it and of what it waited for, in seconds; None if it goes on."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime
        time.sleep(0.005)
    return None


def run(what, command, seconds, cwd=ROOT, settings=None, may_die=False):
    """
    Runs command, with settings added to its environment, and ends it and whatever it started after that many seconds. Returns exit status,
    standard output, standard error, and how much processor time it took, in seconds, which other programs on the machine do not add to.
    A signal that ends it raises Failed, unless it may die: then its number is the status, negative.
    """
    environment = {**os.environ, **{name: str(value) for name, value in (settings or {}).items()}}
    if stopping.is_set():
        raise Stopped
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = subprocess.Popen([str(word) for word in command], cwd=cwd, env=environment, start_new_session=True,
                                 stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        running.add(child)
        try:
            taken = wait(child, seconds)
        finally:
            running.discard(child)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        if stopping.is_set():
            raise Stopped
        if taken is None:
            child.wait()
            raise Failed(f"{what} did not end within {seconds} s")
        if child.returncode < 0 and not may_die:
            raise Failed(f"{what} was ended by signal {-child.returncode}")
        output.seek(0)
        errors.seek(0)
        return child.returncode, output.read().decode(errors="replace"), errors.read().decode(errors="replace"), taken


def end_running():
    stopping.set()
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
    status, output, *_ = run("patch", ["patch", "-p1", "--dry-run", "--force", "--reject-file=-", "-i", patch], 60)
    if status:
        raise Failed(f"{patch.name} does not apply: {last_line(output)}")


def copy_patched(patch, work):
    """
    Leaves the tree in work/src, patched unless patch is None. Files whose content stays the same keep their time stamps, so that little
    is rebuilt.
    """
    status, listed, errors, _ = run("git", ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"], 60)
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
        status, output, *_ = run("patch", command, 60, cwd=fresh)
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


def build(what, configure, compile_it, source, work):
    """
    Configures (configure None: that was done) and builds; a build that fails leaves its log in work. Copies of the tree differ in few files:
    where ccache is installed, each is compiled once for all of them, though it lies elsewhere each time.
    """
    cached = shutil.which("ccache")
    settings = {"CCACHE_DIR": ROOT / "build" / "ccache", "CCACHE_BASEDIR": work, "CCACHE_NOHASHDIR": 1, "CCACHE_MAXSIZE": "4G"} if cached else {}
    if configure and cached:
        configure = [*configure, "-DCMAKE_C_COMPILER_LAUNCHER=ccache"]
    for command in filter(None, (configure, compile_it)):
        status, output, errors, _ = run("building it", command, BUILD_SECONDS, source, settings)
        if status:
            (work / "build.log").write_text(output + errors)
            raise Failed(f"{what} does not build, see {work / 'build.log'}")
