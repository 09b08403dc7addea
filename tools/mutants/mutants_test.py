"""Tests of mutants.py, with a small tree whose Raft and whose tests are shell.

`/usr/bin/python3 -B -m unittest tools.mutants.mutants_test`, in the root.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any


from tools import ROOT, events
from tools.command import Problem
from tools.mutants import corpus, mutants, results, suite
from tools.stand_in import PRELUDE

# "Compiles" raft/ to a program that runs what the Raft of three lines says.
BUILD = """#!/bin/bash
for argument; do
  case $argument in
    --checks=*) checks=${argument#--checks=} ;;
    */*/raft_sim) target=$argument ;;
  esac
done
tree=${target%/*/*}/tree
mkdir -p "${target%/*}"
if grep error: "$tree/raft/server.cc"; then exit 1; fi
cat "$tree/tests/program.sh" > "$target"
sed 's/^/# /' "$tree/raft/server.cc" >> "$target"
echo "# checks $checks" >> "$target"; chmod +x "$target"
"""

RAFT = "term good\nvote good\nlog good\ncommit good\n"

# TestA2A fails for a bad term, TestScenarioB2B for a bad vote from seed 4 on,
# the oracle sees a bad log, raft/'s own CHECKs a bad commit.
PROGRAM = PRELUDE + r'''
[ -z "${list:-}" ] || { lists TestA2A TestScenarioB2B; exit 0; }
says() { grep -q "^# $1$" "$0"; }
run_test() {  # TEST FAILS FAILURE...
  selected "$1" || return 0
  if $2; then fails "$1" "${@:3}"; else passes "$1"; fi
}
starts out/logs/x
a=false b=false
if says "term bad"; then a=true; why=(safety check a_test.cc:1 "no leader"); fi
if says "log bad" && [ "$ORACLE" = on ]; then
  a=true; why=(safety oracle "" "log matching: S1")
fi
if says "commit bad" && says "checks on"; then
  a=true; why=(safety crash server.cc:7 "Check failed: x")
fi
if says "vote bad" && [ "$seed" -ge 4 ]; then b=true; fi
run_test TestA2A $a "${why[@]}"
run_test TestScenarioB2B $b safety check b.cc:1 two
ends
'''

HEAD = "Breaks: I1 is {word}\nSeen: here\nKillers: TestA2A\n\n"
DIFF = ("--- a/raft/server.cc\n+++ b/raft/server.cc\n"
        "@@ -{line},1 +{line},1 @@\n-{word} good\n+{word} {value}\n")


def patch(word: str, line: int, value: str = "bad") -> str:
    """Returns a mutant's file."""
    return HEAD.format(word=word) + DIFF.format(word=word, line=line,
                                                value=value)


class RunTest(unittest.TestCase):
    """Runs mutants.py as the Makefile does."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="mutants-test-")
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)
        for name in ("base", "rpc", "labrpc", "persister", "raft", "rsm",
                     "kvraft", "shardctrler", "shardkv", "shardkv1",
                     "porcupine", "sim", "tests", "tools/mutants/patches",
                     "tools/seeds"):
            (self.root / name).mkdir(parents=True)
        build = self.root / "tools/build.sh"
        build.write_text(BUILD)
        build.chmod(0o755)
        (self.root / "raft/server.cc").write_text(RAFT)
        (self.root / "raft/README.md").write_text("* I1. Is good.\n")
        (self.root / "tests/program.sh").write_text(PROGRAM)
        for source in (*(ROOT / "tools").glob("*.py"),
                       *(ROOT / "tools/mutants").glob("*.py"),
                       *(ROOT / "tools/seeds").glob("*.py")):
            shutil.copy(source, self.root / source.relative_to(ROOT))

    def add(self, name: str, text: str) -> None:
        """Adds a mutant."""
        (self.root / f"tools/mutants/patches/{name}.patch").write_text(text)

    def run_it(self, *arguments: str) -> tuple[int, str]:
        """Returns the exit status and all output."""
        done = subprocess.run(
            [sys.executable, "-B", "-m", "tools", "mutants", *arguments],
            cwd=self.root, text=True, check=False, capture_output=True,
            timeout=120)
        return done.returncode, done.stdout + done.stderr

    def known(self) -> dict[str, Any]:
        """Returns what is in the file of results."""
        return json.loads((self.root / "out/mutants.json").read_text())[
            "mutants"]

    def test_first_kill(self) -> None:
        """By the likeliest killer; by another one later; by the oracle."""
        self.add("term", patch("term", 1))
        self.add("vote", patch("vote", 2))
        self.add("log", patch("log", 3))
        status, output = self.run_it("--jobs=2")
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"passed +original under sim, 3 seeds")
        self.assertRegex(output, r"killed +term +I1 +seed 1 +check +TestA2A: "
                         "no leader\n")
        self.assertRegex(output, r"killed +vote +I1 +seed 4 +check "
                         "+TestScenarioB2B: two\n")
        self.assertRegex(output, r"killed +log +I1 +seed 1 +oracle +TestA2A: "
                         "log matching: S1\n")
        self.assertTrue(output.endswith("3 killed, 0 survived\n"), output)
        self.assertEqual(self.known()["vote"]["kill"],
                         {"test": "TestScenarioB2B", "way": "check",
                          "message": "two", "seed": 4, "by": "own"})
        self.assertFalse((self.root / "out/mutants/vote").exists())
        self.assertEqual((self.root / "raft/server.cc").read_text(), RAFT)

    def test_survivor(self) -> None:
        """Status 1, and its tree is kept."""
        self.add("commit", patch("commit", 4))
        self.add("term", patch("term", 1))
        status, output = self.run_it("--most=5")
        self.assertEqual(status, 1, output)
        self.assertRegex(output, r"SURVIVED commit +I1 +is commit\n")
        self.assertTrue(output.endswith("1 killed, 1 survived: commit\n"),
                        output)
        self.assertIn("commit bad",
                      (self.root / "out/mutants/commit/raft/server.cc")
                      .read_text())
        self.assertIsNone(self.known()["commit"]["kill"])

    def test_moved_lines(self) -> None:
        """A patch finds its place again; without it, it is an error."""
        self.add("log", patch("log", 3))
        (self.root / "raft/server.cc").write_text("new\nlines\n" + RAFT)
        self.assertEqual(self.run_it("--check"), (0, ""))
        (self.root / "raft/server.cc").write_text("log new\n")
        for arguments in ("--check",), ():
            status, output = self.run_it(*arguments)
            self.assertEqual(status, 2, output)
            self.assertIn("mutants: log.patch does not apply: ", output)

    def test_does_not_compile(self) -> None:
        """That is a mistake in the patch, not a kill."""
        self.add("log", patch("log", 3, "error: no C++"))
        status, output = self.run_it()
        self.assertEqual(status, 2, output)
        self.assertIn("mutants: log does not build: log error: no", output)

    def test_original_fails(self) -> None:
        """A suite that fails anyway says nothing about mutants."""
        self.add("log", patch("log", 3))
        (self.root / "raft/server.cc").write_text(RAFT.replace("term good",
                                                             "term bad"))
        status, output = self.run_it()
        self.assertEqual(status, 2, output)
        self.assertIn("the tests fail without any change: TestA2A seed 1: no "
                      "leader", output)

    def test_wrong_names(self) -> None:
        """Of a mutant, of a test that was renamed."""
        self.add("log", patch("log", 3))
        self.assertEqual(self.run_it("lug"),
                         (2, "mutants: no such mutant: lug\n"))
        self.add("log", patch("log", 3).replace("TestA2A", "TestZ2A"))
        status, output = self.run_it()
        self.assertEqual(status, 2, output)
        self.assertIn("log.patch: Killers: no test TestZ2A", output)

    def test_full(self) -> None:
        """Every part of the suite alone; known columns are kept."""
        self.add("vote", patch("vote", 2))
        self.add("commit", patch("commit", 4))
        arguments = ("--full", "--seeds=3", "--most=6")
        status, output = self.run_it(*arguments)
        self.assertEqual(status, 1, output)
        self.assertIn("vote                       original 18 0/6; course's 21 "
                      "0/6; own tests 0/3, seed 4; oracle 0/6; own or oracle "
                      "0/3, seed 4; CHECKs 0/3\n", output)
        self.assertRegex(output, r"commit .*oracle 0/6; CHECKs 3/3\n")
        output = self.run_it(*arguments)[1]
        self.assertNotIn("CHECKs", output)
        self.assertRegex(self.run_it("--table")[1], r"(?m)^\| vote \| I1: is "
                         r"vote \| here \| ScenarioB2B, seed 4 \| 0/6 \| 0/6 "
                         r"\| 0/3, seed 4 \|")
        self.add("vote", patch("vote", 2).replace("here", "there"))
        self.assertRegex(self.run_it(*arguments)[1], r"(?m)^vote .*CHECKs")

    def test_real(self) -> None:
        """The course's tests, once."""
        self.add("term", patch("term", 1))
        self.add("vote", patch("vote", 2))
        status, output = self.run_it("--real")
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"(?m)^term +A2A$")
        self.assertRegex(output, r"(?m)^vote +none$")


class CorpusTest(unittest.TestCase):
    """What a file must say."""

    def test_parse(self) -> None:
        """All of it is found."""
        mutant = corpus.parse("x", patch("log", 3).replace(
            "TestA2A", "TestA2A|TestB2A\nRun: sim-race"))
        self.assertEqual(
            (mutant.name, mutant.folder, mutant.rule, mutant.what, mutant.seen,
             mutant.killers, mutant.variant),
            ("x", "raft", "I1", "is log", "here", ["TestA2A", "TestB2A"],
             "race"))

    def test_mistakes(self) -> None:
        """Each is named."""
        good = patch("log", 3)
        for old, new, message in (
                ("Seen: here\n", "", "x.patch: lacks Seen"),
                ("Seen", "Seem", "x.patch: unknown Seem"),
                ("I1 ", "", "Breaks: names no rule"),
                ("--- a/raft", "--- raft", "lacks --- a/raft/..."),
                ("b/raft", "b/base",
                 "changes base, raft, not one of raft, rsm"),
                ("/raft", "/base", "changes base, not one of raft, rsm"),
                ("Killers:", "Run: fast\nKillers:", "Run: fast is none of")):
            with self.assertRaisesRegex(Problem, message):
                corpus.parse("x", good.replace(old, new))

    def test_this_folder(self) -> None:
        """All of the lab's mutants fit its Raft."""
        every = corpus.load(ROOT / "tools/mutants", ROOT)
        self.assertGreaterEqual(len(every), 42)

    def test_every_rule(self) -> None:
        """Each rule of the sharded services is broken by a mutant."""
        every = corpus.load(ROOT / "tools/mutants", ROOT)
        for folder in ("shardctrler", "shardkv", "shardkv1"):
            readme = (ROOT / folder / "README.md").read_text()
            self.assertEqual({mutant.rule for mutant in every
                              if mutant.folder == folder},
                             corpus.rules_of(readme))


class SampleTest(unittest.TestCase):
    """What SAMPLE= and ROUND= choose."""

    def test_samples_share_the_mutants(self) -> None:
        """Each is in one of them, and another day draws others."""
        every = corpus.load(ROOT / "tools/mutants", ROOT)
        for size in (1, 8, len(every), 1000):
            last = -(-len(every) // size)
            drawn = [mutants.sampled(every, size, turn, "2026-01-02")
                     for turn in range(1, last + 1)]
            self.assertEqual(sorted(m.name for part in drawn for m in part),
                             sorted(m.name for m in every))
            with self.assertRaisesRegex(Problem, f"more than {last} samples"):
                mutants.sampled(every, size, last + 1, "2026-01-02")
        self.assertNotEqual(mutants.sampled(every, 8, 1, "2026-01-02"),
                            mutants.sampled(every, 8, 1, "2026-01-03"))


class SuiteTest(unittest.TestCase):
    """How a test notices a mutant."""

    def test_parts(self) -> None:
        """Whose test it is."""
        for test, origin, part in (
                ("TestScenarioA2B", "scenario", "own"),
                ("TestBackup2B", "course", "original"),
                ("TestManyElections2A", "course", "later")):
            self.assertEqual(suite.part_of_suite(
                events.Test(test, test[-2:], origin)), part)

    def test_later_tests_exist(self) -> None:
        """Or the column of the original ones would be wrong."""
        sources = "".join(path.read_text() for path
                          in (ROOT / "tests/raft").glob("2?_test.cc"))
        for test in suite.LATER:
            self.assertIn(f", {test.removeprefix('Test')})", sources)


class ResultsTest(unittest.TestCase):
    """What is kept."""

    def test_tables(self) -> None:
        """One of each folder, with its columns, as far as they are filled."""
        cell = {"seeds": [1], "of": 2, "first": 1, "tried": 2}
        kill = {"test": "TestA", "way": "oracle", "seed": 3}
        mutant = {"rule": "K1", "breaks": "is bad", "seen": "here"}
        full = mutant | {"columns": dict.fromkeys(results.COLUMNS, cell)}
        lines = results.markdown(
            {"a": full | {"folder": "kvraft", "kill": kill},
             "b": full | {"folder": "raft"},
             "c": mutant | {"folder": "rsm", "kill": None}})
        self.assertEqual(lines[0], "### raft/")
        self.assertIn("| seen in | original 18 | course's 21 |", lines[2])
        self.assertEqual(lines[4], "| b | K1: is bad | here |" + " 1/2 |" * 6)
        self.assertEqual(lines[6:12], [
            "### rsm/", "",
            "| mutant | rule: this server ... | seen in | first killed by |",
            "| --- | --- | --- | --- |",
            "| c | K1: is bad | here | none |", ""])
        self.assertIn("| first killed by | course's | own tests |", lines[14])
        self.assertEqual(lines[16], "| a | K1: is bad | here | A, oracle, "
                         "seed 3 |" + " 1/2 |" * 5)

    def test_changed_sources(self) -> None:
        """What was found out about other sources is forgotten."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mutants.json"
            mutant = corpus.parse("x", patch("log", 3))
            known = results.Results(path, "one")
            known.entry(mutant)["kill"] = None
            known.write([mutant])
            self.assertIn("kill", results.Results(path, "one").entry(mutant))
            self.assertNotIn("kill", results.Results(path, "two").entry(mutant))
            path.write_text("{")
            with self.assertRaisesRegex(Problem, "delete it"):
                results.Results(path, "one")
