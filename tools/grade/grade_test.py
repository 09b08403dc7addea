"""Tests of grade.py: what it reads, and the points that come of it.

`/usr/bin/python3 -B -m unittest tools.grade.grade_test`, in the root.
"""

import json
import signal
import tempfile
import unittest
from pathlib import Path

from tools import events
from tools.command import INTERRUPTED, Problem
from tools.grade import grade
from tools.grade.grade import Grade, TestResult

WEIGHTS: dict[str, float] = {"2A": 20, "Scenario2B": 10, "race": 5}


def of_tests(**results: tuple[int, int]) -> Grade:
    """Returns a grade with these tests, passed and failed so often."""
    tests = {f"Test{name}": TestResult(
        "Scenario2B" if "Scenario" in name else name[-2:], passed, failed)
             for name, (passed, failed) in results.items()}
    return Grade("x", tests=tests, race_seeds=3)


class Weights(unittest.TestCase):
    """What a weights file may hold."""

    def read(self, text: str) -> dict[str, float]:
        """Reads a file with this text."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "weights.json"
            path.write_text(text)
            return grade.read_weights(path)

    def test_defaults_are_a_hundred_points(self) -> None:
        self.assertEqual(sum(grade.read_weights(grade.WEIGHTS).values()), 100)

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
        grade.check_parts({"2A": 1, "Scenario2A": 1, "race": 1}, tests)
        for part in ("9", "A", "2B"):
            with self.assertRaisesRegex(Problem, "of 2A, Scenario2A, race"):
                grade.check_parts({part: 1}, tests)

    def test_missing_file(self) -> None:
        with self.assertRaisesRegex(Problem, "give a file like"):
            grade.read_weights(Path("/nowhere/weights"))


class Points(unittest.TestCase):
    """The rule in grade.py's head."""

    def test_all(self) -> None:
        all_passed = of_tests(X2A=(5, 0), Y2A=(5, 0), Z2BScenario=(1, 0))
        self.assertEqual(grade.points(all_passed, WEIGHTS),
                         {"2A": 20, "Scenario2B": 10, "race": 5})
        self.assertTrue(grade.passed_all(all_passed))

    def test_shares(self) -> None:
        some = of_tests(X2A=(5, 0), Y2A=(1, 3))
        self.assertEqual(grade.points(some, WEIGHTS)["2A"], 12.5)
        self.assertEqual(grade.points(some, WEIGHTS)["Scenario2B"], 0)
        self.assertFalse(grade.passed_all(some))

    def test_race(self) -> None:
        racy = of_tests(X2A=(1, 0))
        racy.race = "WARNING: ThreadSanitizer: data race"
        self.assertEqual(grade.points(racy, WEIGHTS)["race"], 0)
        self.assertFalse(grade.passed_all(racy))
        self.assertEqual(grade.points(Grade("x"), WEIGHTS)["race"], 0)

    def test_nothing_built(self) -> None:
        broken = Grade("x", build_error="raft.cc:1: error: no")
        self.assertFalse(grade.passed_all(broken))
        self.assertEqual(sum(grade.points(broken, WEIGHTS).values()), 0)
        self.assertIn("error: no", "\n".join(grade.table(broken, WEIGHTS)))


class Reading(unittest.TestCase):
    """Runs become results."""

    def test_real_run(self) -> None:
        it = of_tests(X2A=(0, 0), Y2A=(0, 0))
        grade.read_run(it, events.Run([
            events.Test("TestX2A", action="pass"),
            events.Test("TestY2A", action="fail", place="a_test.cc:7",
                        message="expected one leader", repeat="make test")]),
            "make test SEED=4")
        self.assertEqual(it.tests["TestX2A"].passed, 1)
        self.assertEqual(it.tests["TestY2A"].message,
                         "a_test.cc:7: expected one leader")
        self.assertEqual(it.tests["TestY2A"].repeat, "make test")
        self.assertEqual(it.tests["TestY2A"].failing_seeds, [])

    def test_a_run_that_somebody_ended_is_no_result(self) -> None:
        for status in (0, 1):
            grade.check_finished(status)
        for status in (INTERRUPTED, -signal.SIGINT):
            with self.assertRaises(KeyboardInterrupt):
                grade.check_finished(status)
        for status in (2, -signal.SIGKILL):
            with self.assertRaises(Problem):
                grade.check_finished(status)

    def test_seed(self) -> None:
        it = of_tests(X2A=(0, 0), Y2A=(0, 0))
        failure = events.Test("TestY2A", action="fail", message="no")
        grade.read_run(it, events.Run([failure]), "make sim", 9)
        self.assertEqual(it.tests["TestX2A"].passed, 1)
        self.assertEqual(it.tests["TestY2A"].failing_seeds, [9])

    def test_run_without_a_whole_result(self) -> None:
        it = of_tests(X2A=(0, 0))
        grade.read_run(it, events.Run(trouble="ended early"), "make", 9)
        self.assertEqual(it.tests["TestX2A"].failed, 1)
        self.assertEqual(it.tests["TestX2A"].message, "ended early")
        self.assertEqual(it.tests["TestX2A"].repeat, "make RUN='^TestX2A$'")

    def test_json_and_table(self) -> None:
        it = of_tests(X2A=(1, 1))
        it.rules_off = {"saved before visible"}
        facts = json.loads(json.dumps(grade.as_json(it, WEIGHTS)))
        self.assertEqual(facts["total"], {"earned": 15, "of": 35})
        self.assertEqual(facts["tests"]["TestX2A"]["failed"], 1)
        lines = "\n".join(grade.table(it, WEIGHTS))
        self.assertIn("1 of 2 runs failed", lines)
        self.assertIn("oracle rule off: saved before visible", lines)
