"""A student's folder: what is wrong with it before anything of it runs.

The tests never load its code, so most of what a folder may try is merely
useless. What is looked for here is the rest: code of others that the compiler
would read in, and switches that blind ThreadSanitizer, which runs in the
student's own process.
"""

import hashlib
import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tools import ROOT
from tools.command import Problem
from tools.grade.labs import ROOMS
from tools.process import ask

# ThreadSanitizer is asked not to look, or is told how to behave.
BLINDS = re.compile(
    r"no_sanitize|no_instrument_function|disable_sanitizer|"
    r"__(tsan|asan|lsan|ubsan|msan|sanitizer)_|AnnotateIgnore|__interceptor_")
# What the compiler calls of it.
INSTRUMENTS = re.compile(
    r"__tsan_(init|func_entry|func_exit|vptr_\w+|atomic\w+|"
    r"(unaligned_)?(volatile_)?(read|write)(\d+|_range)(_pc)?)")
# Code that hides in which file it is.
HIDES = re.compile(r"^\s*(#|%:)\s*(line\b|\d+\s*\")", re.M)
# Names of functions that no solution needs: the confinement refuses most
# of them (tests/isolation/confine.cc), and all are worth a look.
NOT_NEEDED = re.compile(
    r"(exec[vl][pe]*|fexecve|fork|vfork|system|popen|posix_spawnp?|kill|tgkill|"
    r"ptrace|dlopen|dlsym|dlmopen|syscall|mprotect|prctl|seccomp|_exit|_Exit|"
    r"quick_exit|socket|connect|shm_open|mmap|setenv|putenv|personality)")
ASSEMBLER = re.compile(r"\b(__)?asm(__)?\b|\.incbin")
# From where the compiler may read.
SYSTEM = ("/usr/", "/lib/", "/lib64/")
# Whose headers a solution may include; and besides, what of ours includes some
# of the solution's.
MAY_INCLUDE = ("base", "rpc", "persister", *ROOMS)
OURS = (*MAY_INCLUDE, "labrpc", "porcupine", "sim", "tests")


def digest(folder: Path) -> str:
    """Returns a hash of all that is in the folder."""
    hasher = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            hasher.update(os.fsencode(path.relative_to(folder)) + b"\0")
            hasher.update(path.read_bytes())
            hasher.update(b"\0")
    return hasher.hexdigest()


def is_same(theirs: Path, ours: Path) -> bool:
    """True if a file of the folder is the lab's."""
    return theirs.is_file() and theirs.read_bytes() == ours.read_bytes()


def check_folder(folder: Path) -> None:
    """Raises Problem if there is more in the folder than files and folders, or
    a link that leads out of it."""
    whole = folder.resolve()
    for path in folder.rglob("*"):
        try:
            is_out = path.is_symlink() and whole not in path.resolve().parents
        except (OSError, RuntimeError) as error:
            raise Problem(f"{path.name} is a link to itself") from error
        if is_out:
            raise Problem(f"{path.name} is a link that leads out of the folder")
        if not path.is_file() and not path.is_dir():
            raise Problem(f"{path.name} is neither a file nor a folder")


class Compiled:
    """What a build has compiled of a student's `rooms`. `build` is a folder of
    build.ninja, `tree` what theirs.sh has made."""

    def __init__(self, build: Path, tree: Path, rooms: dict[str, str]) -> None:
        self.build = build
        self.folders = {Path(folder).resolve() for folder in rooms.values()}
        self.objects = tuple(f"CMakeFiles/{room}.dir/" for room in rooms)
        self.shared = {path.resolve() for room in rooms
                       for path in (tree / room).iterdir()}
        self.rooms = rooms

    def is_own(self, path: Path) -> bool:
        """True for a file of the student's."""
        return bool(self.folders & set(path.parents))

    def files_read(self) -> Iterator[tuple[str, list[Path]]]:
        """Yields each object with the files that it was compiled from."""
        listing = ask(["ninja", "-C", str(self.build), "-t", "deps"])
        for entry in listing.stdout.split("\n\n"):
            target, *lines = entry.strip().splitlines() or [""]
            yield target.partition(":")[0], [
                (self.build / line.strip()).resolve() for line in lines]

    def check(self) -> None:
        """Raises Problem if one of the student's files has the compiler read
        what is neither the system's, nor theirs, nor a part of the lab that
        they may use."""
        for target, paths in self.files_read():
            if not any(map(self.is_own, paths)):
                continue
            is_room = target.startswith(self.objects)
            # Our own files come first, and may read more of ours.
            for path in paths if is_room else paths[1:]:
                if not (str(path).startswith(SYSTEM) or self.is_own(path)
                        or self.is_of_lab(path, is_room)):
                    raise Problem(f"it includes {path}, which is neither in "
                                  "its folder nor the lab's to include")

    def is_of_lab(self, path: Path, is_room: bool) -> bool:
        """True for what the student's files may include of this tree, or, if
        it is not their room that includes it, ours beside theirs."""
        if ROOT not in path.parents:
            return False
        top = path.relative_to(ROOT).parts[0]
        if top in self.rooms:
            return path in self.shared
        return path.suffix == ".h" and top in (MAY_INCLUDE if is_room else OURS)

    def sources(self) -> list[Path]:
        """Returns the student's files that were read."""
        return sorted({path for _, paths in self.files_read()
                       for path in paths if self.is_own(path)})

    def preprocessings(self, out: Path) -> Iterator[list[str]]:
        """Yields the commands that write to `out` what the compiler saw of
        each of the student's sources."""
        listing = ask(["ninja", "-C", str(self.build), "-t", "compdb"])
        for step in json.loads(listing.stdout or "[]"):
            if not step["output"].startswith(self.objects) or not self.is_own(
                    (self.build / step["file"]).resolve()):
                continue
            words = shlex.split(step["command"])
            for option in ("-o", "-MT", "-MF"):
                at = words.index(option)
                del words[at:at + 2]
            yield [*(word for word in words if word not in ("-c", "-MD")),
                   "-E", "-o", str(out)]

    def own_text(self, preprocessed: str) -> str:
        """Returns what of it the student has written."""
        kept, is_own = [], False
        for line in preprocessed.splitlines():
            marker = re.match(r'# \d+ "([^"]*)"', line)
            if marker:
                is_own = self.is_own((self.build / marker[1]).resolve())
            elif is_own:
                kept.append(line)
        return "\n".join(kept)

    def functions(self) -> set[str]:
        """Returns the names that the objects define or need, but for what the
        compiler calls of ThreadSanitizer."""
        objects = sorted(path for room in self.rooms for path in
                         self.build.glob(f"CMakeFiles/{room}.dir/**/*.o"))
        listing = ask(["nm", "--portability", *map(str, objects)])
        names = {line.partition(" ")[0] for line in listing.stdout.splitlines()}
        return {name for name in names if not INSTRUMENTS.fullmatch(name)}


def blindfold(sources: list[str], texts: list[str], names: set[str]) -> str:
    """Returns what would blind ThreadSanitizer, of the sources as they are and
    as the compiler sees them; nothing if nothing would."""
    for source in sources:
        found = HIDES.search(source)
        if found:
            return (f"it contains '{found[0].strip()}', which hides where "
                    "code is")
    for text in texts:
        found = BLINDS.search(text)
        if found:
            return f"it contains {found[0]}, a switch of the sanitizer"
    for name in sorted(names):
        if BLINDS.search(name):
            return f"it uses {name}, a switch of the sanitizer"
    return ""


def worth_a_look(texts: list[str], names: set[str]) -> list[str]:
    """Returns what the staff should look at."""
    said = [f"it uses {name}(), which no solution needs"
            for name in sorted(names) if NOT_NEEDED.fullmatch(name)]
    if any(ASSEMBLER.search(text) for text in texts):
        said.append("it contains assembler")
    return said
