"""Tests of the grading: what it reads, and the points that come of it.

`/usr/bin/python3 -B -m unittest tools.grade.grade_test`, in the root.
"""

import argparse
import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tools import ROOT, events
from tools.command import Problem
from tools.grade import grade, labs, result, submission
from tools.grade.grader import Judge
from tools.grade.result import Grade, TestResult
from tools.process import ask

WEIGHTS: dict[str, float] = {"2A": 20, "Scenario2B": 10, "race": 5}


def of_tests(**results: tuple[int, int]) -> Grade:
    """Returns a grade with these tests, passed and failed so often."""
    tests, race_tests = (
        {f"Test{name}": TestResult("Scenario2B" if "Scenario" in name
                                   else name[-2:], passed, failed)
         for name, (passed, failed) in results.items()} for _ in range(2))
    return Grade("x", tests=tests, race_tests=race_tests, race_seeds=3)


class Weights(unittest.TestCase):
    """What a weights file may hold."""

    def read(self, text: str) -> dict[str, float]:
        """Reads a file with this text."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "weights.json"
            path.write_text(text)
            return result.read_weights(path)

    def test_defaults_are_a_hundred_points(self) -> None:
        for lab in labs.LABS:
            self.assertEqual(sum(result.read_weights(lab.weights).values()),
                             100)

    def test_good(self) -> None:
        self.assertEqual(self.read('{"2A": 1.5, "race": 0}'),
                         {"2A": 1.5, "race": 0})

    def test_bad(self) -> None:
        for text in ("", "[]", "{}", '{"2A": "x"}', '{"2A": -1}',
                     '{"2A": true}', '{"2A": NaN}'):
            with self.subTest(text), self.assertRaises(Problem):
                self.read(text)

    def test_parts(self) -> None:
        tests = [events.Test("TestX2A", "2A", "course"),
                 events.Test("TestScenarioY2A", "2A", "scenario")]
        result.check_parts({"2A": 1, "Scenario2A": 1, "race": 1}, tests)
        for part in ("9", "A", "2B"):
            with self.assertRaisesRegex(Problem, "of 2A, Scenario2A, race"):
                result.check_parts({part: 1}, tests)

    def test_missing_file(self) -> None:
        with self.assertRaisesRegex(Problem, "give a file like"):
            result.read_weights(Path("/nowhere/weights"))


class Points(unittest.TestCase):
    """The rule in grade.py's head."""

    def test_all(self) -> None:
        all_passed = of_tests(X2A=(5, 0), Y2A=(5, 0), Z2BScenario=(1, 0))
        self.assertEqual(all_passed.points(WEIGHTS),
                         {"2A": 20, "Scenario2B": 10, "race": 5})
        self.assertTrue(all_passed.passed_all)

    def test_shares(self) -> None:
        some = of_tests(X2A=(5, 0), Y2A=(1, 3))
        self.assertEqual(some.points(WEIGHTS)["2A"], 12.5)
        self.assertEqual(some.points(WEIGHTS)["Scenario2B"], 0)
        self.assertFalse(some.passed_all)

    def test_race(self) -> None:
        racy = of_tests(X2A=(1, 0))
        self.assertEqual(racy.points(WEIGHTS)["race"], 5)
        half = of_tests(X2A=(1, 1))
        self.assertEqual(half.points(WEIGHTS)["race"], 2.5)
        racy.race = "WARNING: ThreadSanitizer: data race"
        self.assertEqual(racy.points(WEIGHTS)["race"], 0)
        self.assertFalse(racy.passed_all)
        self.assertEqual(Grade("x").points(WEIGHTS)["race"], 0)

    def test_what_ends_itself_under_threadsanitizer_earns_nothing(self) -> None:
        it = of_tests(X2A=(1, 0))
        it.race_tests = {"TestX2A": TestResult("2A")}
        it.read_race_run(events.Run([events.Test("TestX2A", action="fail")]),
                         "make sim-race", 1)
        self.assertEqual(it.points(WEIGHTS)["race"], 0)
        self.assertEqual(it.points(WEIGHTS)["2A"], 20)

    def test_nothing_built(self) -> None:
        broken = Grade("x", build_error="raft.cc:1: error: no")
        self.assertFalse(broken.passed_all)
        self.assertEqual(sum(broken.points(WEIGHTS).values()), 0)
        self.assertIn("error: no", "\n".join(broken.table(WEIGHTS)))


class Reading(unittest.TestCase):
    """Runs become results."""

    def test_real_run(self) -> None:
        it = of_tests(X2A=(0, 0), Y2A=(0, 0))
        it.read_run(events.Run([
            events.Test("TestX2A", action="pass"),
            events.Test("TestY2A", action="fail", place="a_test.cc:7",
                        message="expected one leader", repeat="make test")]),
            "make test SEED=4")
        self.assertEqual(it.tests["TestX2A"].passed, 1)
        self.assertEqual(it.tests["TestY2A"].message,
                         "a_test.cc:7: expected one leader")
        self.assertEqual(it.tests["TestY2A"].repeat, "make test")
        self.assertEqual(it.tests["TestY2A"].failing_seeds, [])

    def test_seed(self) -> None:
        it = of_tests(X2A=(0, 0), Y2A=(0, 0))
        failure = events.Test("TestY2A", action="fail", message="no")
        it.read_run(events.Run([failure, events.Test(
            "TestX2A", action="pass")]), "make sim", 9)
        self.assertEqual(it.tests["TestX2A"].passed, 1)
        self.assertEqual(it.tests["TestX2A"].failing_seeds, [])
        self.assertEqual(it.tests["TestY2A"].failing_seeds, [9])

    def test_every_test_is_accounted_for(self) -> None:
        passed = events.Test("TestX2A", action="pass")
        nothing: list[events.Test] = []
        for ends in (nothing, [passed, passed],
                     [passed, events.Test("TestX2A", action="fail")],
                     [events.Test("TestX2A", action="skip")],
                     [events.Test("TestOther2A", action="pass")]):
            it = of_tests(X2A=(0, 0))
            it.read_run(events.Run(list(ends)), "make sim", 9)
            with self.subTest(ends):
                self.assertEqual(it.tests["TestX2A"].passed, 0)
                self.assertEqual(it.tests["TestX2A"].failing_seeds, [9])

    def test_what_is_no_fault_of_the_raft(self) -> None:
        it = of_tests(X2A=(0, 0), ScenarioY2B=(0, 0), Z2A=(0, 0))
        it.read_run(events.Run([
            events.Test("TestX2A", "2A", "course", "fail", "economy"),
            events.Test("TestScenarioY2B", "2B", "scenario", "fail",
                        "economy"),
            events.Test("TestZ2A", "2A", "scenario", "fail", "harness",
                        "check")]), "make sim")
        self.assertEqual([(1, 0, 0), (0, 1, 0), (0, 0, 1)], [
            (test.failed, test.passed, test.unclear)
            for test in it.tests.values()])

    def test_run_without_a_whole_result(self) -> None:
        it = of_tests(X2A=(0, 0))
        it.read_run(events.Run(trouble="ended early"), "make", 9)
        self.assertEqual(it.tests["TestX2A"].failed, 1)
        self.assertEqual(it.tests["TestX2A"].message, "ended early")
        self.assertEqual(it.tests["TestX2A"].repeat, "make RUN='^TestX2A$'")

    def test_json_and_table(self) -> None:
        it = of_tests(X2A=(1, 1))
        it.rules_off = {"saved before visible"}
        facts = json.loads(json.dumps(it.as_json(WEIGHTS)))
        self.assertEqual(facts["total"], {"earned": 12.5, "of": 35})
        self.assertEqual(facts["tests"]["TestX2A"]["failed"], 1)
        self.assertIsNone(facts["seconds"]["cpu"])  # others ran beside it
        it.whole_seconds, it.cpu_seconds = 5, 7.5
        lines = "\n".join(it.table(WEIGHTS))
        self.assertIn("\n5 s, 8 s of CPU, 0 s in real time", lines)
        self.assertIn("1 of 2 runs failed", lines)
        self.assertIn("oracle rule off: saved before visible", lines)


class Submissions(unittest.TestCase):
    """What a folder holds."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, text: str) -> Path:
        """Writes a file of the folder."""
        path = self.folder / name
        path.write_text(text)
        return path

    def blindfold(self, text: str) -> str:
        """Returns what is wrong with a source of this text, or with what the
        compiler sees of it."""
        source = self.write("server.cc", text)
        (self.folder / "header.h").write_text("")
        (self.folder / "tree/raft").mkdir(parents=True, exist_ok=True)
        compiled = submission.Compiled(self.folder, self.folder / "tree",
                                       {"raft": str(self.folder)})
        seen = ask(["g++", "-std=c++20", "-E", str(source)]).stdout
        return submission.blindfold([text], [compiled.own_text(seen)], set())

    def test_links_lead_nowhere_else(self) -> None:
        self.write("server.cc", "")
        (self.folder / "here.cc").symlink_to("server.cc")
        submission.check_folder(self.folder)
        there = self.folder / "there.cc"
        there.symlink_to(ROOT / "raft/server.cc")
        with self.assertRaisesRegex(Problem, "there.cc is a link that leads"):
            submission.check_folder(self.folder)
        there.unlink()
        there.symlink_to("there.cc")
        with self.assertRaisesRegex(Problem, "there.cc is a link to itself"):
            submission.check_folder(self.folder)

    def test_only_files_and_folders(self) -> None:
        os.mkfifo(self.folder / "raft.h")
        with self.assertRaisesRegex(Problem, "raft.h is neither a file nor"):
            submission.check_folder(self.folder)

    def test_what_it_may_include(self) -> None:
        """Not a solution: ours, one among the tests, another student's."""
        links = self.folder / "tree/raft"
        links.mkdir(parents=True)
        (links / "raft.h").symlink_to(ROOT / "raft/raft.h")
        own = self.write("server.cc", "")
        compiled = submission.Compiled(self.folder, self.folder / "tree",
                                       {"raft": str(self.folder)})
        ours = ROOT / "tests/isolation/hosted_raft.cc"
        room, host = "CMakeFiles/raft.dir/x.o", "CMakeFiles/raft_host.dir/x.o"
        mutex, face = ROOT / "base/mutex.h", ROOT / "raft/raft.h"
        wire = ROOT / "tests/isolation/wire.h"
        for target, paths in ((room, [own, mutex, face, Path("/usr/x.h")]),
                              (host, [ours, wire, own, mutex, face]),
                              (host, [ours, wire, ROOT / "raft/server.h"])):
            with mock.patch.object(compiled, "files_read",
                                   return_value=[(target, paths)]):
                compiled.check()
        for target, path in ((room, ROOT / "tests/plain_raft/server.cc"),
                             (room, ROOT / "raft/server.h"),
                             (room, ROOT / "raft/server.cc"),
                             (room, wire), (room, Path("/nowhere/raft.h")),
                             (room, ROOT / "students/bob/server.h"),
                             (host, ROOT / "raft/server.h"),
                             (host, ROOT / "tests/plain_raft/server.cc")):
            read = [(target, [own, own, path])]
            with mock.patch.object(compiled, "files_read",
                                   return_value=read), \
                    self.assertRaisesRegex(Problem, "it includes"):
                compiled.check()

    def test_switches_of_sanitizers(self) -> None:
        self.assertEqual("", self.blindfold("int x; // no_sanitize"))
        for text in ("__attribute__((no_sanitize(\"thread\"))) void f();",
                     "#define A no_sani\n#define B(x, y) x##y\n"
                     "#define C(x, y) B(x, y)\n"
                     "[[gnu::C(A, tize_thread)]] void f();",
                     "extern \"C\" char* __tsan_default_suppressions();"):
            with self.subTest(text):
                self.assertIn("a switch of the sanitizer",
                              self.blindfold(text))
        self.assertIn("__tsan_acquire", submission.blindfold(
            [], [], {"memcpy", "__tsan_acquire"}))
        for text in ("#line 1 \"/usr/x.h\"\nint x;", " %: 3 \"/usr/x.h\" 3"):
            self.assertIn("hides where code is", self.blindfold(text))

    def test_what_no_raft_needs(self) -> None:
        self.assertEqual([], submission.worth_a_look(
            ["int f();"], {"memcpy", "killed", "_ZN4raft4killEv"}))
        self.assertEqual(["it uses fork(), which no solution needs",
                          "it contains assembler"],
                         submission.worth_a_look(
                             ["asm volatile(\"nop\");"], {"fork", "memcpy"}))

    def test_a_digest_sees_every_file(self) -> None:
        before = submission.digest(self.folder)
        self.write("a.cc", "")
        with_file = submission.digest(self.folder)
        self.write("a.cc", "x")
        Path(os.fsdecode(os.fsencode(self.folder) + b"/L\xf6sung")).touch()
        self.assertEqual(3, len({before, with_file,
                                 submission.digest(self.folder)}))


class Labs(unittest.TestCase):
    """Which lab is graded, and of which folders."""

    def options(self, *arguments: str) -> argparse.Namespace:
        """Returns what these arguments mean."""
        return grade.parse_arguments(list(arguments))

    def seeds(self, *arguments: str) -> tuple[int, int]:
        """Returns how many seeds are run, and with ThreadSanitizer."""
        options = self.options(*arguments)
        return options.seeds, options.race_seeds

    def test_a_raft_is_lab_2_unless_it_is_beneath_a_service(self) -> None:
        for arguments in ("", "--raft=x", "--raft= --kvraft="):
            self.assertIs(self.options(*arguments.split()).lab, labs.RAFT)
        for arguments in ("--kvraft=x", "--raft=x --rsm=y", "--lab=3",
                          "--lab=3 --raft=x"):
            self.assertIs(self.options(*arguments.split()).lab, labs.SERVICE)
        for arguments in ("--shardkv=x", "--raft=x --shardctrler=y", "--lab=4",
                          "--kvraft=x --shardkv=y"):
            self.assertIs(self.options(*arguments.split()).lab, labs.SHARDED)
        sharded = self.options("--shardkv=x")
        self.assertEqual(set(sharded.weights),
                         {"shardctrler", "shardkv", "race"})
        for arguments in ("--shardkv1=x", "--raft=x --kvraft=y --shardkv1=z",
                          "--lab=5", "--lab=5 --rsm=x"):
            self.assertIs(self.options(*arguments.split()).lab,
                          labs.SHARDED_2025)
        self.assertEqual(set(self.options("--lab=5").weights),
                         {"5A", "5B", "5C", "race"})
        self.assertEqual((20, 3), self.seeds("--lab=4"))
        self.assertEqual((5, 1), self.seeds("--lab=5", "--seeds="))
        self.assertEqual((7, 0), self.seeds("--lab=5", "--seeds=7",
                                            "--race_seeds=0"))
        with self.assertRaisesRegex(Problem, "two editions of lab 4"):
            self.options("--shardkv=x", "--shardkv1=y")
        with self.assertRaisesRegex(Problem, "LAB=6: give 2, 3, 4 or 5"):
            self.options("--lab=6")
        both = self.options("--raft=x", "--kvraft=y")
        self.assertEqual(both.rooms, {"raft": "x", "kvraft": "y"})
        self.assertEqual(set(both.weights), {"3A", "3B", "race"})
        with self.assertRaisesRegex(Problem, "not both"):
            self.options("--class=x", "--kvraft=y")

    def test_rooms_of_a_student(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            self.assertEqual(labs.RAFT.rooms_in(folder), {"raft": name})
            with self.assertRaisesRegex(Problem, "no folder raft, rsm or kv"):
                labs.SERVICE.rooms_in(folder)
            (folder / "kvraft").mkdir()
            (folder / "raft").mkdir()
            (folder / "notes").mkdir()
            self.assertEqual(
                labs.SERVICE.rooms_in(folder),
                {"raft": f"{name}/raft", "kvraft": f"{name}/kvraft"})
            (folder / "shardkv").mkdir()
            (folder / "shardkv1").mkdir()
            self.assertEqual({"raft", "kvraft", "shardkv1"},
                             set(labs.SHARDED_2025.rooms_in(folder)))

    def test_a_test_without_a_part_is_of_its_lab(self) -> None:
        self.assertEqual("shardkv", events.Test(
            "TestJoinLeave", origin="course", lab="shardkv").group)
        self.assertEqual("Scenarioshardkv", events.Test(
            "TestScenarioX", origin="scenario", lab="shardkv").group)
        self.assertEqual("3A", events.Test("TestBasic3A", "3A", "course",
                                           lab="kvraft").group)

    def test_only_what_has_points_is_run_of_lab_3(self) -> None:
        judge = Judge(labs.SERVICE, Path(), Path())
        judge.select([events.Test("TestA3A"), events.Test("TestB3B")])
        self.assertEqual(judge.run, "^(TestA3A|TestB3B)$")
        self.assertEqual(len(judge.tests), 2)


class Classes(unittest.TestCase):
    """Many folders."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.students = Path(folder.name) / "students"
        for name in ("ada", "bob"):
            (self.students / name).mkdir(parents=True)
            (self.students / name / "server.cc").write_text(name)
        self.out = Path(folder.name) / "out"
        self.graded: list[str] = []

    def run_class(self) -> list[dict[str, object]]:
        """Grades it, with a grader that only notes whom."""
        graded = self.graded

        class NoGrader:
            """Gives everyone half of the points."""

            def __init__(self, name: str, *_: object) -> None:
                self.name = name

            def run(self) -> Grade:
                """Returns a grade."""
                graded.append(Path(self.name).name)
                return of_tests(X2A=(1, 1))

        options = grade.parse_arguments([f"--class={self.students}",
                                         f"--out={self.out}", "--jobs=2"])
        options.weights = WEIGHTS
        with mock.patch.object(grade, "Grader", NoGrader):
            whole = grade.Class(options, Judge(labs.RAFT, Path(), Path()))
            results = whole.grade_all()
            whole.write_tables(results)
        return results

    def test_all_and_then_only_what_has_changed(self) -> None:
        first = self.run_class()
        self.assertEqual(["ada", "bob"], sorted(self.graded))
        table = (self.out / "grades.csv").read_text().splitlines()
        self.assertEqual("ada,12.5,35,10.0,0.0,2.5,,,,", table[1])
        (self.students / "bob/server.cc").write_text("changed")
        again = self.run_class()
        self.assertEqual(["ada", "bob", "bob"], sorted(self.graded))
        self.assertEqual(first[0], again[0])

    def test_what_else_a_grade_depends_on(self) -> None:
        def of(*arguments: str) -> str:
            return grade.fingerprint(grade.parse_arguments(
                [f"--class={self.students}", *arguments]))

        weights = self.out.parent / "weights.json"
        weights.write_text('{"2A": 100}')
        self.assertEqual(of(), of("--jobs=3"))
        self.assertEqual(4, len({of(), of("--limit_minutes=1"), of("--n=2"),
                                 of(f"--weights={weights}")}))

    def test_an_odd_folder_is_graded_and_the_others_too(self) -> None:
        (self.students / "cyd").mkdir()
        odd = Path(os.fsdecode(os.fsencode(self.students) + b"/d\xf6"))
        odd.mkdir()
        with mock.patch.object(submission, "digest", side_effect=[
                "1", "2", PermissionError(13, "Permission denied"), "4"]):
            options = grade.parse_arguments([f"--class={self.students}",
                                             "--lab=3", f"--out={self.out}"])
            with mock.patch.object(grade, "fingerprint", lambda _: ""):
                whole = grade.Class(options, Judge(labs.SERVICE, Path(),
                                                   Path()))
            results = [whole.grade_one(folder) for folder in whole.folders]
        whole.write_tables(results)
        self.assertIn("cannot be read", results[2]["build_error"])
        table = (self.out / "grades.csv").read_text().splitlines()
        self.assertEqual(["ada", "bob", "cyd", "d\ufffd"],
                         [line.partition(",")[0] for line in table[1:]])

    def test_a_folder_without_a_service(self) -> None:
        options = grade.parse_arguments([f"--class={self.students}", "--lab=3",
                                         f"--out={self.out}"])
        whole = grade.Class(options, Judge(labs.SERVICE, Path(), Path()))
        for of_folder in whole.grade_all():
            self.assertIn("has no folder raft, rsm or kvraft",
                          of_folder["build_error"])
            self.assertEqual(of_folder["total"]["earned"], 0)

    def test_wrong_arguments(self) -> None:
        with self.assertRaisesRegex(Problem, "not both"):
            grade.parse_arguments(["--class=x", "--raft=y"])
        with self.assertRaisesRegex(Problem, "a folder for each student"):
            grade.folders_of("/nowhere")
        with self.assertRaisesRegex(Problem, "has no folders"):
            grade.folders_of(str(self.students / "ada"))
