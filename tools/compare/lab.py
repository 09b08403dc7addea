"""The Go lab of any year: where it is, how it is built, which tests it has.

Always true: nothing is written into the lab's folders but src/main/raft1d,
which the tests of 2026 start.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.command import Problem
from tools.compare import names
from tools.process import Launcher, ask

_GO_TEST = re.compile(r"^func (Test\w+)\(", re.MULTILINE)
# Where the raft package may be, the newest year first.
_FOLDERS = (".", "src/raft1", "src/raft", "raft1", "raft")
# Of 2020: "../labrpc"; of 2018: "labrpc". Neither is a module's.
_OLD_IMPORT = re.compile(r'^\s*(?:import\s+)?(?:[\w.]+\s+)?'
                         r'"(?P<path>\.\.?/[^"]*|labrpc|labgob)"', re.MULTILINE)
_NEEDED_GO = re.compile(r"(?:^go|requires go >=|module requires Go)"
                        r" *(\d+\.\d+(?:\.\d+)?)", re.MULTILINE)
_ERROR_LINES = 10
# The first Go with these packages; go.mod need not say so.
_PACKAGES = {"slices": "1.21", "maps": "1.21", "cmp": "1.21",
             "log/slog": "1.21", "math/rand/v2": "1.22", "iter": "1.23",
             "unique": "1.23"}
_NO_PACKAGE = re.compile(r"package (\S+) is not in (?:GOROOT|std)"
                         r'|cannot find package "(\S+)"')


def _folders_below(top: Path) -> Iterator[Path]:
    for folder, inner, _ in os.walk(top):
        inner[:] = sorted(name for name in inner if name[0] != "."
                          and name not in ("node_modules", "vendor"))
        yield Path(folder)


def has_lab_tests(folder: Path) -> bool:
    """Tells a folder that holds the raft package from another."""
    return any(names.canonical(name) in names.RANK
               for file in sorted(folder.glob("*_test.go"))
               for name in _GO_TEST.findall(file.read_text(errors="replace")))


def find_lab(path: str) -> Path:
    """Returns the folder of the raft package in or anywhere below `path`."""
    top = Path(path).expanduser().resolve()
    if not top.is_dir():
        raise Problem(f"GO_LAB: {path} is no directory; give the lab's, which "
                      "has src/raft or src/raft1 in it")
    try:
        usual = filter(has_lab_tests, (top / name for name in _FOLDERS))
        if found := next(usual, None):
            return found
        others = list(filter(has_lab_tests, _folders_below(top)))
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}; give GO_LAB a "
                      "folder that you may read") from error
    if not others:
        raise Problem("GO_LAB: no raft package with the course's tests in or "
                      f"below {path}")
    if len(others) > 1:
        raise Problem(f"GO_LAB: {len(others)} raft packages below {path}: give "
                      "the folder of one", map(str, others))
    return others[0]


def find_go() -> str:
    """Returns the path of the Go toolchain."""
    go = shutil.which("go")
    if go is None:
        raise Problem("there is no Go toolchain on the PATH: run make deps "
                      "FOR=compare, or compare with a saved log, GO_LOG=file")
    return go


def go_version() -> str:
    """Returns the toolchain's version and machine: "go1.19.8 linux/amd64"."""
    # Where no lab's go.mod asks for another version.
    return ask([find_go(), "version"], cwd="/").stdout.removeprefix(
        "go version ").strip()


def _go_mod(lab: Path) -> Path | None:
    files = (folder / "go.mod" for folder in (lab, *lab.parents))
    return next((file for file in files if file.exists()), None)


def go_environment(lab: Path, scratch: Path) -> dict[str, str]:
    """Returns the environment in which the lab's year is built.

    Labs before 2021 are no modules, even below another project's go.mod. What
    they import by a name alone is found through a link in `scratch`.
    """
    old = {match["path"] for file in lab.glob("*.go") for match in
           _OLD_IMPORT.finditer(file.read_text(errors="replace"))}
    if not old and _go_mod(lab):
        # A go.work above it is another project's.
        return {"GOWORK": "off", **os.environ, "GO111MODULE": "on"}
    changed = {"GO111MODULE": "off"}
    go_path = Path(os.environ.get("GOPATH") or "~/go").expanduser()
    if old & {"labrpc", "labgob"}:
        source = scratch / "src"
        source.unlink(missing_ok=True)
        source.symlink_to(lab.parent)
        changed["GOPATH"] = f"{scratch}{os.pathsep}{go_path}"
    elif lab.is_relative_to(go_path):  # there "../labrpc" is refused
        changed["GOPATH"] = str(scratch)
    return {**os.environ, **changed}


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def _refuse(lab: Path, what: str, output: str) -> None:
    """Says why the lab does not build."""
    said = [line for line in output.splitlines() if line.strip()]
    details = said[:_ERROR_LINES]
    if len(said) > len(details):
        details.append(f"({len(said) - len(details)} lines more)")
    go_mod = _go_mod(lab)
    asked = go_mod.read_text(errors="replace") if go_mod else ""
    missing = {name for match in _NO_PACKAGE.findall(output) for name in match}
    needed = max([*_NEEDED_GO.findall(f"{output}\n{asked}"),
                  *(_PACKAGES.get(name, "0") for name in missing)],
                 key=_number, default="0")
    version = go_version().partition(" ")[0].removeprefix("go")
    if _number(needed) > _number(version):
        raise Problem(f"the Go lab in {lab} needs Go {needed}, this is "
                      f"{version}: install that, or compare with a saved log, "
                      "GO_LOG=file", details)
    raise Problem(f"{what} in {lab} does not build: mend that, or compare "
                  "with a saved log, GO_LOG=file", details)


def _run_go(what: str, lab: Path, scratch: Path, folder: Path, product: Path,
            *arguments: str) -> None:
    command = [find_go(), *arguments]
    ended = Launcher().run(command, cwd=folder,
                           env=go_environment(lab, scratch))
    if ended.status != 0 or not product.exists():
        _refuse(lab, what, ended.output)


def build(lab: Path, scratch: Path) -> Path:
    """Builds the Go lab's tests, so that no run pays for the compiler; returns
    the program."""
    print(f"building {lab}", file=sys.stderr, flush=True)
    binary = scratch / "raft.test"
    # go vet would refuse what compiles, and more of it each year.
    _run_go("the Go lab", lab, scratch, lab, binary, "test", "-c", "-vet=off",
            "-o", str(binary))
    # In 2026 each server is a process of its own: raft1d of raft1.
    server = lab.parent / "main" / f"{lab.name}d"
    if server.with_suffix(".go").exists():
        print(f"building {server}", file=sys.stderr, flush=True)
        _run_go(server.name, lab, scratch, lab.parent, server, "build", "-o",
                f"main/{server.name}", f"main/{server.name}.go")
    return binary


def list_tests(lab: Path, binary: Path, run: str) -> list[str]:
    """Returns those of the lab's tests that RUN means; there is at least one.
    """
    asked = ask([binary, "-test.list", "."], cwd=lab)
    found = [name for name in re.findall(r"^Test\w+$", asked.stdout,
                                         re.MULTILINE)
             if names.is_selected(name, run)]
    if not found:
        raise Problem(f'no test in {lab} matches RUN "{run}"; leave RUN '
                      "out, or give a part of a test's name")
    return found
