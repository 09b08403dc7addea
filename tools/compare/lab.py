"""The Go lab of any year: where its packages are, how they are built, which
tests they have.

Always true: nothing is written into the lab's folders but src/main/raft1d,
kvraft1d and rsm1d, which the tests of 2026 start.
"""

import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tools.command import Problem
from tools.compare import names
from tools.compare.logs import no_match
from tools.process import Launcher, ask

_GO_TEST = re.compile(r"^func (Test\w+)\(", re.MULTILINE)
# Where each package may be, the newest year first.
_FOLDERS = {
    "raft": (".", "src/raft1", "src/raft", "raft1", "raft"),
    "kvraft": (".", "src/kvraft", "kvraft"),
    "rsm": (".", "src/kvraft1/rsm", "kvraft1/rsm", "rsm"),
    "kvraft1": (".", "src/kvraft1", "kvraft1"),
    "shardctrler": (".", "src/shardctrler", "src/shardmaster", "shardctrler",
                    "shardmaster"),
    "shardkv": (".", "src/shardkv", "shardkv"),
    "shardkv1": (".", "src/shardkv1", "shardkv1"),
}
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


class Package(NamedTuple):
    """A package of the Go lab with tests that names.py knows."""
    lab: str  # as names.py calls it
    folder: Path
    tests: list[str]  # as the lab calls them

    @property
    def both_names(self) -> Iterator[tuple[str, str]]:
        """Yields for each test the lab's name and ours."""
        return ((own, names.canonical(own, self.lab)) for own in self.tests)


def _folders_below(top: Path) -> Iterator[Path]:
    for folder, inner, _ in os.walk(top):
        inner[:] = sorted(name for name in inner if name[0] != "."
                          and name not in ("node_modules", "vendor"))
        yield Path(folder)


def package_in(folder: Path) -> Package | None:
    """Returns the package in that folder, if it is one of the labs'.

    It is of the lab to which most of its tests belong; of several, of the one
    that is called like the folder. A test that no lab here need have says
    nothing: TestBasic is labrpc's, too.
    """
    tests = [name for file in sorted(folder.glob("*_test.go"))
             for name in _GO_TEST.findall(file.read_text(errors="replace"))]
    meanings = [[names.lab_of(ours) for ours in names.candidates(own)]
                for own in tests]
    labs = Counter(lab for labs in meanings if "" not in labs for lab in labs)
    known = [lab for lab in _FOLDERS if labs[lab]]
    if not known:
        return None
    lab = max(known, key=lambda lab: (labs[lab], lab == folder.name))
    return Package(lab, folder, tests)


def _find_all(top: Path, labs: tuple[str, ...]) -> list[Package]:
    """Returns the packages of these labs from their usual folders; if there is
    none, all that are anywhere below `top`."""
    found = []
    for lab in labs:
        usual = map(package_in, (top / name for name in _FOLDERS[lab]))
        found += [package for package in usual
                  if package and package.lab == lab][:1]
    return found or [package for package in map(package_in, _folders_below(top))
                     if package and package.lab in labs]


def find_packages(path: str, labs: tuple[str, ...], run: str) -> list[Package]:
    """Returns the packages in or anywhere below `path` that are to be run: of
    these labs, with tests that RUN means, none twice.

    Without labs, RUN chooses among all; without either it is Raft, or the first
    lab that there is.
    """
    top = Path(path).expanduser().resolve()
    if not top.is_dir():
        raise Problem(f"GO_LAB: {path} is no directory; give the lab's, which "
                      "has src/raft or src/raft1 in it")
    try:
        every = (names.RAFT, names.KV, names.SHARDED)
        asked = (labs,) if labs else (sum(every, ()),) if run else every
        found: list[Package] = []
        for each in asked:
            found = found or _find_all(top, each)
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}; give GO_LAB a "
                      "folder that you may read") from error
    if not found:
        which = labs[0] if labs else "raft, kvraft or shardkv"
        raise Problem(f"GO_LAB: no {which} package with the course's tests in "
                      f"or below {path}")
    return _choose(found, path, run)


def _choose(packages: list[Package], path: str, run: str) -> list[Package]:
    """Returns those with tests that RUN means, no lab twice."""
    meant = meant_in(packages, run)
    chosen = [package for package in packages
              if any(ours in meant for _, ours in package.both_names)]
    if not chosen:
        raise no_match(run, path)
    for lab, count in Counter(each.lab for each in chosen).items():
        if count > 1:
            raise Problem(f"GO_LAB: {count} {lab} packages below {path}: give "
                          "the folder of one",
                          [str(each.folder) for each in chosen
                           if each.lab == lab])
    return chosen


def meant_in(packages: Iterable[Package], run: str) -> set[str]:
    """Returns our names of the packages' tests that RUN means."""
    return names.meant(run, (both for package in packages
                             for both in package.both_names))


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


def build(package: Package, scratch: Path) -> Path:
    """Builds a package's tests, so that no run pays for the compiler; returns
    the program."""
    lab = package.folder
    print(f"building {lab}", file=sys.stderr, flush=True)
    binary = scratch / f"{package.lab}.test"
    # go vet would refuse what compiles, and more of it each year.
    _run_go("the Go lab", lab, scratch, lab, binary, "test", "-c", "-vet=off",
            "-o", str(binary))
    # In 2026 each server is a process of its own: raft1d of raft1, rsm1d of
    # kvraft1/rsm.
    for server in (lab.parent / "main" / f"{lab.name}d",
                   lab.parent.parent / "main" / f"{lab.name}1d"):
        if server.with_suffix(".go").exists():
            print(f"building {server}", file=sys.stderr, flush=True)
            _run_go(server.name, lab, scratch, server.parent.parent, server,
                    "build", "-o", f"main/{server.name}",
                    f"main/{server.name}.go")
    return binary


def list_tests(package: Package, binary: Path, meant: set[str]) -> list[str]:
    """Returns those of the built tests that are `meant`, as the lab calls them.
    """
    asked = ask([binary, "-test.list", "."], cwd=package.folder)
    built = re.findall(r"^Test\w+$", asked.stdout, re.MULTILINE)
    return [own for own, ours in package._replace(tests=built).both_names
            if ours in meant]
