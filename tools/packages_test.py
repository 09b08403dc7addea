"""Tests that packages.txt names all that the tree calls.

Called by the test Tools.Packages of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.packages_test`, in the root.
"""

import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path

from tools import ROOT
from tools import called_programs as called

HERE = ROOT / "tools"

# What files may call beyond the groups required, build and test: the command
# that runs them asks for it. The longest match decides.
MAY_CALL = {
    "": (),
    "Makefile": ("lint",),
    "bench/": ("bench", "databases", "peers"),
    "tools/clean_machine.sh": ("clean-machine",),
    "tools/compare/": ("compare",),
    "tools/lint/": ("lint",),
    "tools/mutate/": ("mutate",),
    "tools/trace/browser.py": ("browser",),
    "tools/trace/clients_test.py": ("browser",),
    "tools/trace/page_case.py": ("browser",),
    "tools/trace/page_test.py": ("browser",),
    "tools/trace/shots.py": ("browser",),
}
# What is called only where it is.
OPTIONAL = {"sudo"}


class Package:
    """A line of packages.txt."""

    def __init__(self, line: str) -> None:
        self.group, self.name, *self.provides = line.split()

    def programs(self) -> list[str]:
        """Returns the plain words."""
        return [word for word in self.provides
                if word[0] not in "/<" and ":" not in word]


def table() -> list[Package]:
    """Returns the lines of packages.txt."""
    return [Package(line)
            for line in (HERE / "packages.txt").read_text().splitlines()
            if line and not line.startswith("#")]


def programs_in(package: str) -> set[str]:
    """Returns the names of the programs that an installed package has."""
    files = subprocess.run(["dpkg-query", "-L", package], text=True, check=True,
                           capture_output=True).stdout.splitlines()
    return {file.rpartition("/")[2] for file in files
            if "/bin/" in file or "/sbin/" in file}


def sources() -> Iterator[Path]:
    """Yields the files of the tree that may call something."""
    for top in sorted(ROOT.iterdir()):
        if top.name in ("out", ".git"):
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.suffix in (".sh", ".py", ".cc", ".h") or path.name in (
                    "Makefile", "run"):
                yield path


def called_by(path: Path, local: set[str]) -> set[str]:
    """Returns what a file calls, in the words of packages.txt, but for our own
    modules, which are `local`."""
    text = path.read_text(encoding="utf-8")
    if path.name == "Makefile":
        return called.in_makefile(text)
    if path.suffix == ".py":
        modules = called.modules_in_python(text) - local
        return called.in_python(text) | {f"py:{name}" for name in modules}
    if path.suffix in (".cc", ".h"):
        headers = {header for header in called.folders_of_headers(text)
                   if not (ROOT / header.strip("</>")).is_dir()}
        return called.in_cpp(text) | headers
    return called.in_shell(text)


class Tree(unittest.TestCase):
    """The files of this tree."""

    def test_all_that_is_called_is_in_the_table(self) -> None:
        """So that a machine with the packages lacks nothing."""
        found = set()
        paths = list(sources())
        local = {path.parent.name for path in paths
                 if path.name == "__init__.py"}
        for path in paths:
            name = str(path.relative_to(ROOT))
            place = max((p for p in MAY_CALL if name.startswith(p)), key=len)
            groups = {"required", "build", "test", *MAY_CALL[place]}
            known = {word for package in table() if package.group in groups
                     for word in package.provides}
            uses = called_by(path, local)
            found |= uses
            with self.subTest(file=name):
                self.assertEqual(uses - known - OPTIONAL, set(), "add it to "
                                 "tools/packages.txt, or to MAY_CALL here")
        # The reading itself works.
        self.assertLessEqual(
            {"patch", "addr2line", "parallel", "setarch", "g++", "ctags", "go",
             "sha256sum", "py:tqdm", "py:selenium", "<absl/>", "<benchmark/>"},
            found)

    def test_packages_provide_what_the_table_says(self) -> None:
        """As far as they are installed, and dpkg is there to ask."""
        if shutil.which("dpkg-query") is None:
            return
        for package in table():
            state = subprocess.run(
                ["dpkg-query", "-W", "-f=${Status} ${Essential} ${Priority}",
                 package.name], text=True, check=False, capture_output=True)
            if not state.stdout.startswith("install ok installed"):
                self.assertNotEqual(package.group, "required", package.name)
                continue
            with self.subTest(package=package.name):
                for word in package.provides:
                    if word.startswith("/"):
                        self.assertTrue(Path(word).exists(), word)
                for program in package.programs():
                    self.assertTrue(shutil.which(program), program)
                if package.group == "required":
                    self.assertRegex(state.stdout, "yes|required")
                    self.assertLessEqual(set(package.programs()),
                                         programs_in(package.name))


class Shell(unittest.TestCase):
    """What counts as called in a shell script."""

    def check(self, script: str, *programs: str) -> None:
        """Checks what is found."""
        self.assertEqual(called.in_shell(script), set(programs), script)

    def test_commands(self) -> None:
        """The first word of each command, wherever it stands."""
        self.check("a b | c d && e; f || g & h\ni", *"acefghi")
        self.check("if ! a; then b; elif c; then d; else e; fi", *"abcde")
        self.check("while a; do b; done < <(c | d)", *"abcd")
        self.check("exec a -b; env X=1 c; Y=2 d", "a", "env", "c", "d")
        self.check('x=$(a b) "c $(d "$(e f)")"; y=(g $(h)) z=1; i', *"adehi")
        self.check("a \\\n  b\n{ c; } 2>d >&2\n(e; f)", *"acef")
        self.check("/usr/bin/a /b/c; ./d; $e f; \"${g[@]}\" h", "a")

    def test_what_is_no_command(self) -> None:
        """Comments, texts, patterns, arithmetic, functions, words of bash."""
        self.check("a # b; c\n# d\n'e; f' g", "a")
        self.check("a <<END\nb\nEND\nc <<'X'\n$(d)\nX\ne", *"ace")
        self.check("case $a in\nb | c) d ;;\n*) e ;;\nesac\nf", *"def")
        self.check("[[ a == b ]] && c; ((d + e)); f=$((g + 1))", "c")
        self.check("a() {\n  b\n}\na; echo c; for d in e f; do g; done", *"bg")

    def test_makefile(self) -> None:
        """Recipes and $(shell)s."""
        self.assertEqual(called.in_makefile(
            "CXX_x := g++\nA := $(if b,$(shell c d '$(subst e,f,$x)'))\n"
            "g: h\n\t@$(A) i\n\t@j $$(k l) \\\n\t  m\n"),
            {"g++", "c", "j", "k"})


class Deps(unittest.TestCase):
    """deps.sh and needs.sh."""

    def call(self, script: str, *groups: str) -> tuple[int, str]:
        """Returns the exit status and all output."""
        done = subprocess.run([str(HERE / script), *groups], text=True,
                              check=False, capture_output=True)
        return done.returncode, done.stdout + done.stderr

    def test_groups(self) -> None:
        """One that is not there, and those that `make test` ran with."""
        status, output = self.call("deps.sh", "nothing")
        self.assertEqual((status, output[:25]),
                         (2, "deps: no group 'nothing';"))
        self.assertEqual(output.count("\n"), 1)
        self.assertEqual(self.call("needs.sh", "build", "test"), (0, ""))

    def test_missing(self) -> None:
        """What is missing, and what installs it."""
        copy = Path(self.enterContext(tempfile.TemporaryDirectory()))
        shutil.copy(HERE / "needs.sh", copy)
        (copy / "packages.txt").write_text(
            "test  zero  sh /etc\n"
            "test  one  sh no-such-program\n"
            "lint  two  /no/such/file\n"
            "bench  three  py:no_such_module lib:no-such\n")
        for groups, said in (
                ("test", "one; run: make deps"),
                ("test bench", "one three; run: make deps FOR=bench"),
                ("lint bench", "two three; run: make deps FOR='lint bench'")):
            done = subprocess.run([str(copy / "needs.sh"), *groups.split()],
                                  text=True, check=False, capture_output=True)
            self.assertEqual((done.returncode, done.stderr),
                             (2, f"missing: {said}\n"))
