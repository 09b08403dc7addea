"""A student's folder: what is wrong with it before anything of it runs.

The tests never load its code, so most of what a folder may try is merely
useless. What is looked for here is the rest: code of others that the compiler
would read in, and switches that blind ThreadSanitizer, which runs in the
student's own process.
"""

import hashlib
import re
from pathlib import Path

from tools import ROOT
from tools.command import Problem
from tools.process import ask

# ThreadSanitizer is asked not to look, or is told how to behave.
BLINDS = re.compile(
    r"no_sanitize|no_instrument_function|disable_sanitizer|"
    r"__(tsan|asan|lsan|ubsan|msan|sanitizer)_|AnnotateIgnore|__interceptor_")
# Names of functions that no solution needs: the confinement refuses most
# of them (tests/isolation/confine.cc), and all are worth a look.
NOT_NEEDED = re.compile(
    r"(exec[vl][pe]*|fexecve|fork|vfork|system|popen|posix_spawnp?|kill|tgkill|"
    r"ptrace|dlopen|dlsym|dlmopen|syscall|mprotect|prctl|seccomp|_exit|_Exit|"
    r"quick_exit|socket|connect|shm_open|mmap|setenv|putenv|personality)")
ASSEMBLER = re.compile(r"\b(__)?asm(__)?\b|\.incbin")
# From where the compiler may read.
SYSTEM = ("/usr/", "/lib/", "/lib64/")


def digest(folder: Path) -> str:
    """Returns a hash of all that is in the folder."""
    hasher = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            hasher.update(f"{path.relative_to(folder)}\0".encode())
            hasher.update(path.read_bytes())
            hasher.update(b"\0")
    return hasher.hexdigest()


def is_same(theirs: Path, ours: Path) -> bool:
    """True if a file of the folder is the lab's."""
    return theirs.is_file() and theirs.read_bytes() == ours.read_bytes()


def check_folder(folder: Path) -> None:
    """Raises Problem if a file is a link that leads out of the folder."""
    whole = folder.resolve()
    for path in folder.rglob("*"):
        if path.is_symlink() and whole not in path.resolve().parents:
            raise Problem(f"{path.name} is a link that leads out of the folder")


def sources_read(build: Path, folders: list[Path]) -> list[Path]:
    """Returns the student's files that the compiler read.

    `build` is a folder of build.ninja. Raises Problem if one is neither the
    system's nor the lab's nor in one of the student's folders.
    """
    whole = {folder.resolve() for folder in folders}
    listing = ask(["ninja", "-C", str(build), "-t", "deps"])
    own = []
    for line in listing.stdout.splitlines():
        if not line.startswith("    "):
            continue
        path = (build / line.strip()).resolve()
        if whole & set(path.parents):
            own.append(path)
        elif not str(path).startswith(SYSTEM) and ROOT not in path.parents:
            raise Problem(f"it includes {path}, which is not in its folder")
    return sorted(set(own))


def preprocessed(source: Path, tree: Path) -> str:
    """Returns what the compiler sees of the student's own text in a file."""
    text = ask(["g++", "-std=c++20", "-E", f"-I{tree}", str(source)]).stdout
    kept, is_own = [], False
    for line in text.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            is_own = Path(marker[1]).resolve().parent == source.resolve().parent
        elif is_own:
            kept.append(line)
    return "\n".join(kept)


def functions_used(objects: list[Path]) -> set[str]:
    """Returns the names that the objects define or need."""
    names: set[str] = set()
    for line in ask(["nm", "--portability", *map(str, objects)]
                    ).stdout.splitlines():
        names.add(line.partition(" ")[0])
    return names


def blindfold(texts: list[str], names: set[str]) -> str:
    """Returns what would blind ThreadSanitizer; nothing if nothing would."""
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
