"""Tests of the systematic mutants, with small files whose mutants are known.

`make mutate-test`.
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from tools import ROOT
from tools.command import Problem
from tools.mutate import operators
from tools.mutate.mutate import chosen, parse_arguments
from tools.mutate.results import (Results, equivalents, obsolete,
                                  score_lines)
from tools.mutate.runs import Program
from tools.mutate.schema import Placed, Schema

PROGRAM = r'''
#include <cstdio>
#define CHECK(what) if (!(what)) __builtin_abort()
constexpr int kTen = 10;
int Least(int a, int b) {
  return a < b ? a : b;
}
int Minus(int a, int b) {
  return a - b;
}
void Add(int* sum, int what) {
  if (what == 0) return;
  *sum += what;
}
template <int n>
int Given() {
  static_assert(n > 1);
  CHECK(n != 3);
  if constexpr (n == 2) return n;
  return sizeof(int) + kTen;
}
int main() {
  int sum = 0;
  Add(&sum, 5);
  for (int i = 0; i < 3; ++i) sum += Minus(Least(i, 1), 1);
  const int list[] = {Given<2>(), sum};
  std::printf("%d %d\n", list[0], list[1]);
  return 0;
}
'''

# TestA comes by mutants 1 and 2, TestB by 2 and 3. TestA fails with 1, TestB
# with 2 under seed 2; with 3 none runs.
STAND_IN = r'''
import json, os, re, sys
options = dict(a[2:].partition("=")[::2] for a in sys.argv[1:])
names = [n for n in ("TestA", "TestB") if re.search(options.get("run", ""), n)]
mutant, seed = os.environ.get("MUTANT"), options.get("seed")
if mutant == "3":
    sys.exit(0)
failed = 0
for name in names:
    event = {"Test": name, "Origin": "course", "Action": "pass"}
    if "list" not in options and "MUTANTS_REACHED" in os.environ:
        with open(os.environ["MUTANTS_REACHED"], "r+b") as file:
            file.seek(1 if name == "TestA" else 2)
            file.write(b"\x01\x01")
    if (name, mutant) == ("TestA", "1") or \
            (name, mutant, seed) == ("TestB", "2", "2"):
        event |= {"Action": "fail", "Way": "check", "Kind": "safety"}
        failed += 1
    print(json.dumps(event), flush=True)
if "list" not in options:
    print(json.dumps({"Action": "pass", "Passed": len(names) - failed,
                      "Failed": failed}))
sys.exit(failed > 0)
'''


class MutantsTest(unittest.TestCase):
    """A folder with one source file in it."""

    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.tree = self.root / "tree"
        (self.tree / "base").mkdir(parents=True)
        (self.tree / "raft").mkdir()
        (self.tree / "base/mutate.h").write_bytes(
            (ROOT / "tools/mutate/mutate.h").read_bytes())
        (self.root / "raft").mkdir()

    def changes(self, code: str) -> list[tuple[str, str, str]]:
        """Returns the mutants of some code: what, before, after."""
        path = self.root / "raft/a.cc"
        path.write_text(code)
        return [(mutant.operator, code[mutant.start:mutant.end], mutant.after)
                for mutant in operators.mutants_of(path, self.root)]

    def place(self, code: str) -> list[Placed]:
        """Puts all mutants into the copy in the tree."""
        (self.root / "raft/a.cc").write_text(code)
        schema = Schema(self.root, self.tree, "raft/a.cc", 1000)
        return schema.make(self.root / "known.json")

    def run_all(self, code: str) -> tuple[dict[str, str], str]:
        """Returns what the program prints with each mutant, and without."""
        placed = self.place(code)
        program = self.root / "program"
        subprocess.run(["g++", "-std=c++20", f"-I{self.tree}", "-o", program,
                        self.tree / "raft/a.cc"], check=True)

        def output(number: int) -> str:
            done = subprocess.run(
                [program], env=os.environ | {"MUTANT": str(number)}, timeout=10,
                text=True, check=False, capture_output=True)
            return done.stdout.strip() or str(done.returncode)
        return ({f"{m.before} => {m.after}": output(m.number)
                 for m in placed}, output(0))

    def test_operators(self) -> None:
        """What is changed, and to what."""
        for code, expected in {
            "bool F(int a, int b) { return a < b; }":
                [("relational", "a < b", "a <= b"),
                 ("relational", "a < b", "a >= b")],
            "bool F(bool a, bool b) { return a && !b; }":
                [("logical", "a && !b", "bool(!b)"),
                 ("logical", "a && !b", "bool(a)"),
                 ("logical", "!b", "bool(b)")],
            "int F(int a) { return a * 2; }":
                [("return value", "return a * 2;", "return {};"),
                 ("arithmetic", "a * 2", "a / 2"),
                 ("constant", "2", "(2 + 1)")],
            "void G(int, int); void F(int a, int b) { G(a, b); }":
                [("statement deleted", "G(a, b);", ""),
                 ("swapped arguments", "G(a, b)", "G(b, a)")],
            "bool G(); void F() { while (G()) { if (G()) continue; } }":
                [("condition", "G()", "!(G())"),
                 ("condition", "G()", "!(G())"),
                 ("statement deleted", "continue;", "")],
            "struct CV { void Signal(); }; void F(CV* c) { c->Signal(); }":
                [("notify removed", "c->Signal();", "")],
            "struct MutexLock { MutexLock(int*); ~MutexLock(); };\n"
            "void F(int* m) { MutexLock lock(m); }":
                [("lock removed", "MutexLock lock(m);", "")],
            "class T { bool is_ = true; int n_ = 0; };":
                [("constant", "true", "false"), ("constant", "0", "1")],
            "struct T { friend bool operator<=(T, T); };\n"
            "bool F(T a, T b) { return a <= b; }":
                [("relational", "a <= b", "a < b"),
                 ("relational", "a <= b", "a > b")],
        }.items():
            with self.subTest(code=code):
                self.assertEqual(self.changes(code), expected)

    def test_left_out(self) -> None:
        """What is not evaluated at run time, and what only reports."""
        for code in (
                "struct T { bool is = true; int n = 0; };",
                "constexpr int kA = 1 + 2; enum { kB = 3 };",
                "consteval int F(int a) { return a + 1; }",
                "namespace absl { struct S {}; S OkStatus(); }\n"
                "absl::S F() { return absl::OkStatus(); }",
                "template <int n> struct A {}; using B = A<3>;",
                "static_assert(sizeof(int) > 1);",
                "#define LOG(x) Out()\nstruct Out { Out& operator<<(int); };\n"
                "void F(int a) { LOG(1 + a) << a + 1 << \"a; b\"[0]; }",
                "#define CHECK(x) (void)(x)\nvoid F(int a) { CHECK(a > 0); }"):
            with self.subTest(code=code):
                self.assertEqual(self.changes(code), [])

    def test_switched_at_run_time(self) -> None:
        """Each changes what its text says, and nothing else."""
        results, original = self.run_all(PROGRAM)
        self.assertEqual(original, "2 4")
        for change, output in {
            "return a < b ? a : b; => return a >= b ? a : b;": "2 6",
            "return a < b ? a : b; => return a <= b ? a : b;": "2 4",
            "return a - b; => return a + b;": "2 10",
            "return a - b; => return {};": "2 5",
            "if (what == 0) return; => if (what != 0) return;": "2 -1",
            "if (what == 0) return; => if (what == 0)": "2 4",
            "*sum += what; => *sum -= what;": "2 -6",
            "*sum += what; => (nothing)": "2 -1",
            "Add(&sum, 5); => (nothing)": "2 -1",
            "Add(&sum, 5); => Add(&sum, (5 + 1));": "2 5",
            "int sum = 0; => int sum = 1;": "2 5",
        }.items():
            self.assertEqual(results.pop(change.strip()), output, change)
        self.assertFalse([change for change in results if "CHECK" in change or
                          "static_assert" in change])

    def test_what_does_not_compile_is_dropped(self) -> None:
        """The others stay."""
        placed = self.place(
            "struct N { N() = delete; N(int); };\n"
            "N F(int a) { return N(a + 1); }\n"
            "long G(char* p, char* q) { return p - q; }\n")
        self.assertEqual([mutant.after for mutant in placed],
                         ["N F(int a) { return N(a - 1); }",
                          "N F(int a) { return N(a + 0); }",
                          "long G(char* p, char* q) { return {}; }"])

    def test_removed_locks_that_clang_sees(self) -> None:
        """By the annotations of what the lock guards."""
        code = (
            "struct __attribute__((lockable)) Mutex {};\n"
            "struct __attribute__((scoped_lockable)) MutexLock {\n"
            "  MutexLock(Mutex* m)\n"
            "      __attribute__((exclusive_lock_function(m)));\n"
            "  ~MutexLock() __attribute__((unlock_function));\n};\n"
            "Mutex mu;\nint a __attribute__((guarded_by(mu)));\nint b;\n"
            "void F() { MutexLock lock(&mu); a = 0; }\n"
            "void G() { MutexLock lock(&mu); b = 0; }\n")
        placed = self.place(code)
        schema = Schema(self.root, self.tree, "raft/a.cc", 1000)
        schema.make(self.root / "known.json")
        self.assertEqual({mutant.function for mutant in placed
                          if schema.is_seen_by_clang(mutant.number)}, {"F()"})

    def test_keys(self) -> None:
        """Known by their text: lines may move, and the same may come twice."""
        code = "void G(); void F() {\n  G();\n  G();\n}\n"
        keys = [mutant.key for mutant in self.place(code)]
        self.assertEqual(keys, ["raft/a.cc F()\n- G();\n+ (nothing)",
                                "raft/a.cc F() (#2)\n- G();\n+ (nothing)"])
        self.assertEqual(keys, [mutant.key for mutant in
                                self.place("// new\n" + code)])

    def test_reached(self) -> None:
        """The file says what the program has come by."""
        code = ("int F(int a) { if (a > 1) return a + 1; return a - 1; }\n"
                "int main() { return F(1); }\n")
        placed = self.place(code)
        subprocess.run(["g++", "-std=c++20", f"-I{self.tree}", "-o",
                        self.root / "program", self.tree / "raft/a.cc"],
                       check=True)
        file = self.root / "reached"
        file.write_bytes(bytes(1_000_000))
        subprocess.run([self.root / "program"], check=True,
                       env=os.environ | {"MUTANTS_REACHED": str(file)})
        numbers = {i for i, byte in enumerate(file.read_bytes()) if byte}
        self.assertTrue(numbers)
        self.assertEqual({m.after for m in placed if m.number not in numbers},
                         {f"int F(int a) {{ if (a > 1) {change} return a - 1; "
                          "}" for change in ("return {};", "return a - 1;",
                                             "return a + 0;")})


class RunsTest(unittest.TestCase):
    """A program that is none."""

    def test_only_tests_that_reach_it(self) -> None:
        """Until one fails, under one seed after another."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        path = folder / "program"
        path.write_text(f"#!{sys.executable}\n{STAND_IN}")
        path.chmod(0o755)
        program = Program(path, folder, 3)
        said: list[str] = []
        for _ in range(2):  # the second time it is known
            program.learn(2, folder / "known.json", said.append)
        self.assertEqual(said, ["2 of 2 tests pass"])
        self.assertEqual([test.reached for test in program.tests],
                         [{1, 2}, {2, 3}])
        self.assertEqual([program.kill(number) for number in (1, 2, 3, 4)],
                         ["TestA (check), seed 1", "TestB (check), seed 2",
                          "the program (ended early), seed 1", ""])
        self.assertEqual([program.killers[test] for test in ("TestA", "TestB")],
                         [1, 1])
        program.seeds = 1
        self.assertEqual(program.kill(2), "")


class ResultsTest(unittest.TestCase):
    """What is kept, and the score."""

    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.root / "tests").mkdir()

    def mutant(self, number: int) -> Placed:
        """Returns one."""
        return Placed(number, "raft/a.cc", number, "F()", "constant",
                      f"{number};", "0;", 1)

    def results(self, digest: str = "a") -> Results:
        """Reads the file again."""
        return Results(self.root / "out.json", self.root, {"raft/a.cc": digest})

    def test_goes_on(self) -> None:
        """Kills count for the source, survivors for the tests as well."""
        killed, alive, new = map(self.mutant, (1, 2, 3))
        results = self.results()
        results.note(killed, "TestA, seed 1")
        results.note(alive, "")
        results.write()

        def known(again: bool = False, **how: Any) -> list[bool]:
            return [self.results(**how).is_known(mutant, again)
                    for mutant in (killed, alive, new)]
        self.assertEqual(known(), [True, True, False])
        self.assertEqual(known(again=True), [True, False, False])
        self.assertEqual(known(digest="b"), [False, False, False])
        (self.root / "tests/a_test.cc").write_text("new")
        self.assertEqual(known(), [True, False, False])

    def test_score(self) -> None:
        """Survivors without a reason are named, and reasons without one."""
        killed, alive, equal, hard = mutants = [*map(self.mutant, range(4))]
        results = self.results()
        results.note(killed, "TestA, seed 1")
        for mutant in (alive, equal, hard):
            results.note(mutant, "")
        file = self.root / "equivalent.txt"
        file.write_text(f"# Why.\n\n{equal.key}\nIt is the\nsame.\n\n"
                        f"{hard.key}\nNot equivalent: too rare.\n")
        reasons = equivalents(file)
        self.assertEqual(reasons, {equal.key: "It is the same.",
                                   hard.key: "Not equivalent: too rare."})
        lines, unlisted = score_lines(mutants, results, reasons)
        self.assertEqual(lines[2], "| raft | 4 | 1 | 1 | 2 | 1 | 33.3 % |")
        self.assertEqual(unlisted, [alive])
        every = "raft/a.cc F()\n- *\n+ *"
        _, unlisted = score_lines(mutants, results, {every: "All equal."})
        self.assertEqual(unlisted, [])
        self.assertEqual(
            obsolete(mutants, results, {equal.key: "", every: "",
                                        killed.key: "", "raft/b.cc G()": ""}),
            [killed.key])
        file.write_text("raft/a.cc F()\n- a\nno change\n")
        with self.assertRaisesRegex(Problem, "no place, change and reason"):
            equivalents(file)

    def test_chosen_files(self) -> None:
        """By name, by folder, or by the day."""
        files = ["base/a.cc", "base/a.h", "raft/b.cc", "raft/c.cc"]

        def choose(*arguments: str, day: str = "1") -> list[str]:
            return chosen(files, parse_arguments([*arguments]), day)
        self.assertEqual(choose(), files)
        self.assertEqual(choose("raft/"), files[2:])
        self.assertEqual(choose("base/a.h", "raft"), files[1:])
        turns = [choose("--sample=5", f"--round={n}")[0] for n in (1, 2, 3, 4)]
        self.assertEqual(sorted(turns[:3]), [files[0], *files[2:]])
        self.assertEqual(turns[0], turns[3])
        self.assertGreater(len({choose("--sample=5", day=str(day))[0]
                                for day in range(20)}), 1)
        with self.assertRaisesRegex(Problem, "ONLY=rafft: give folders of "):
            choose("rafft")


if __name__ == "__main__":
    unittest.main()
