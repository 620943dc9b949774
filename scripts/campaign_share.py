# SPDX-License-Identifier: GPL-2.0-or-later
"""
The corpus that libFuzzer and AFL++ share. corpus/ is libFuzzer's: each of its processes reads what others put there. An input of AFL++'s becomes a file
there, named by its content as libFuzzer does; one of libFuzzer's becomes an entry of afl/libfuzzer/queue/, a neighbour that AFL++'s main instance
synchronizes with as with any other.
"""
import contextlib
import hashlib
import os
import shutil
from pathlib import Path


def digest(path):
    return hashlib.sha1(path.read_bytes()).hexdigest()


def put(source, target):
    """A second name for the file, or a copy where that cannot be; appears whole."""
    part = target.with_name(f".part-{target.name}")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        shutil.copy(source, part)
    os.replace(part, target)


class Share:
    def __init__(self, folder):
        self.corpus, self.afl, self.queue = folder / "corpus", folder / "afl", folder / "afl" / "libfuzzer" / "queue"
        for path in (self.corpus, self.queue):
            path.mkdir(parents=True, exist_ok=True)
        for left in (*self.corpus.glob(".part-*"), *self.queue.glob(".part-*")):
            left.unlink()
        entries = [path.name for path in self.queue.glob("id:*")]
        self.next_id = len(entries)
        self.told = {name.rpartition("sha:")[2] for name in entries}  # to AFL++
        self.taken, self.from_afl = set(), set()                      # paths of AFL++'s that have been looked at; digests of them

    def exchange(self, to_afl=True):
        """Both ways, what is new. Returns how many went to libFuzzer and to AFL++."""
        given = self.from_afl_to_corpus()
        return given, self.from_corpus_to_afl() if to_afl else 0

    def from_afl_to_corpus(self):
        given = 0
        for path in sorted(self.afl.glob("*/queue/id:*")):
            key = str(path)
            if key in self.taken or path.parent == self.queue:
                continue
            self.taken.add(key)
            # Another's; or only how often it takes an edge is new, which libFuzzer does not look at.
            if ",sync:" in path.name or "+cov" not in path.name:
                continue
            with contextlib.suppress(FileNotFoundError):
                name = digest(path)
                self.from_afl.add(name)
                if not (self.corpus / name).exists() and name not in self.told:
                    put(path, self.corpus / name)
                    given += 1
        return given

    def from_corpus_to_afl(self):
        given = 0
        for path in sorted(self.corpus.iterdir()):
            if path.name in self.told or path.name in self.from_afl or path.name.startswith("."):
                continue
            with contextlib.suppress(FileNotFoundError):  # libFuzzer replaces an input by a shorter one
                put(path, self.queue / f"id:{self.next_id:06d},sha:{path.name}")
                self.told.add(path.name)
                self.next_id += 1
                given += 1
        return given


def copy_into(sources, corpus):
    """Adds files to a corpus folder, named by their content. Returns how many were new."""
    corpus.mkdir(parents=True, exist_ok=True)
    new = 0
    for source in sources:
        target = corpus / digest(Path(source))
        if not target.exists():
            shutil.copy(source, target.with_name(f".part-{target.name}"))
            os.replace(target.with_name(f".part-{target.name}"), target)
            new += 1
    return new
